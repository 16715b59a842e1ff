"""`/api/alerts`: an owner's price alerts, what has fired, and why."""
