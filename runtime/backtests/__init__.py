"""Backtests: a strategy over recorded events, filled as paper orders are; the engine is pure and reads no network."""
