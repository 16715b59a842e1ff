"""What the bot says: functions from replies and alerts to Telegram HTML, in English and Indonesian."""
