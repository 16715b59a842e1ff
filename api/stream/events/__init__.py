"""`GET /events`: server-sent events that resume from their streams."""
