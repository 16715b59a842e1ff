"""What the market core replies: about one venue or coin, and about many."""
