"""The documents of managed groups."""
