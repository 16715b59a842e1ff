"""The ledger of coverage: of each instrument, which seconds were received, sampled, filled later, or are unknown."""
