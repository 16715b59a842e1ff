"""Market data from the cached state: prices, whales, liquidations, books, feeds."""
