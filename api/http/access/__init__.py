"""Who may request what, and how often."""
