"""What is sent: events as facts, and the exact bytes of a body."""
