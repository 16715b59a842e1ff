"""Answers every question about the market from the cached state, and publishes the consolidated market."""
