"""Candles of two sources as one series, with indicators."""
