"""`/api/trading`: an owner's accounts, orders, strategies and portfolio, over the commands of trading."""
