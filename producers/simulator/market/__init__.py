"""The simulated market: bases and instruments, their books, trades, candles and shocks; pure and seeded."""
