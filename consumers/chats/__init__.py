"""Telegram chats: how their users read, which alerts they get, and the messages that follow from alerts."""
