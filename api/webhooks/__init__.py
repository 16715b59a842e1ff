"""An owner's webhooks: registered, changed, tested; the schemas of what is sent, and our public keys."""
