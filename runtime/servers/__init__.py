"""The embedded bus and document server as child processes, and their users.."""
