"""Runs the strategies of owners: what they see from the bus, what they want as commands of trading."""
