"""Candles of every time frame, folded from trades."""
