"""Backtests by command: worked on one after another in a process of their own, results kept in documents."""
