"""What owners have, what it is worth and has earned, and the ledger of every execution, from fills and live prices."""
