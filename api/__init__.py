"""The HTTP face of the bus: it sends requests to the market core and formats the replies; it decides nothing."""
