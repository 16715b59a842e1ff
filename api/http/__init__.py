"""HTTP itself: connections, middleware, access, routing, errors; nothing of what is requested."""
