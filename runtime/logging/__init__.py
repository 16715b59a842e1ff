"""Logs, what is taken out of them, and the access log.."""
