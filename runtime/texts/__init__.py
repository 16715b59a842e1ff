"""What people are sent, as pure functions of events: Telegram HTML in English and Indonesian."""
