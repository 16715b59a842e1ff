"""Texts of trading."""
