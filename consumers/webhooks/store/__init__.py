"""The documents of the webhooks."""
