"""Trading in Telegram: accounts, orders, strategies and what they came to, each in its owner's private chat."""
