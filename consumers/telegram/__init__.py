"""Telegram's gateway: one sender that carries out jobs within Telegram's limits, the most urgent first."""
