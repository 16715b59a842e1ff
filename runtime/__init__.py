"""What every process needs from the outside world, one noun a file."""
