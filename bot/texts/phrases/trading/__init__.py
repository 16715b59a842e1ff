"""Phrases of trading."""
