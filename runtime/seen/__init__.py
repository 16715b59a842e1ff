"""Ids that were seen last, so that a repeat is recognized."""
