"""Managed Telegram groups: members, roles, rules, settings, and the log of what was done."""
