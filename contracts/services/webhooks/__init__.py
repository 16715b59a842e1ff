"""Webhooks: their endpoints and the commands about them, what is sent, and what became of it."""
