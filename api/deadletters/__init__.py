"""Dead letters, for people who keep the service running."""
