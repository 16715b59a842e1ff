"""Arithmetic that several rooms share: exact sums, book figures, tiers of coins, dollars. Pure.."""
