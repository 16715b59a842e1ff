"""Settings of the environment, their check, and the options that are made of them.."""
