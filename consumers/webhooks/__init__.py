"""Signed webhooks: who wants what, what is sent to them, and how it gets there."""
