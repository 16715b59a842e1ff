"""Telegram's gateway: its jobs, results and commands, and the operations that a job may be."""
