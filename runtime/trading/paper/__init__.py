"""Orders on paper: they fill against the books and trades of others. Pure."""
