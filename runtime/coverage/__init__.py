"""The ledger of coverage: spans of time, interruptions by the feeds' events, and what the ledger says of a span."""
