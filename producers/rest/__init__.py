"""A venue's REST side: client, shared rate limit, history.."""
