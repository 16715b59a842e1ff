"""The Telegram face of the bus."""
