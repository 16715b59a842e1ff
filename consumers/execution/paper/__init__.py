"""The paper venue: orders fill against the live book and trades of an exchange, and nothing of it reaches one."""
