"""Strategies: pure functions of state, event and time to orders; live, on paper and in backtests the same code."""
