"""What each command answers: documents made from the state. Pure."""
