"""What the rules of a group decide, without I/O."""
