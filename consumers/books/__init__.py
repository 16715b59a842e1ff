"""Keeps the books in place of the producers, of the deltas that these publish, where HYDROPHONE_BOOKS=elsewhere."""
