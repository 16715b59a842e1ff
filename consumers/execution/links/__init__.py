"""Links: user tokens of accounts at exchanges, the end of a link, and sealed keys under a new secret."""
