"""The HTTP face of the bus: reads cached state, sends commands, decides nothing."""
