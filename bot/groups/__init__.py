"""Telegram groups that the bot manages: what is said in them is judged and done here."""
