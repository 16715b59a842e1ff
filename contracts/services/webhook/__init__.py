"""What the webhooks reply beside their endpoints."""
