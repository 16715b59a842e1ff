"""What two venues of one company share."""
