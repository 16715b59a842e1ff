"""The latest state of everything, folded from the bus into one bucket that others mirror in memory."""
