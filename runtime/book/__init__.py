"""An order book: its sides, its continuity, what is published of it; for producers and for the books process."""
