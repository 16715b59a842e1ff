"""The pages for people, their scripts, and the descriptions that they and GPTs read."""
