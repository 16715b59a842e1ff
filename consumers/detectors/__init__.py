"""Signals of single figures: funding, open interest, order-book walls, spreads between venues, volumes, listings."""
