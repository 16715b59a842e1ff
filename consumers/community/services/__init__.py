"""What each command does: it reads, decides, writes with an event, and replies."""
