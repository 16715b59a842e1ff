"""`/api/v2`: managed Telegram groups."""
