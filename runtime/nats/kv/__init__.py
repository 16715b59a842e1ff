"""Key-value buckets: the mirror of one, its writer, and taking back what it holds.."""
