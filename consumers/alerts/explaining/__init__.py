"""Explains alerts by running the same rules again over the recorded streams."""
