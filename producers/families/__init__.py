"""What venues of one company have in common.."""
