"""A Bot API server to develop and test against: Telegram's protocol, limits and refusals, without Telegram."""
