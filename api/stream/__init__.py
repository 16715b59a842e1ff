"""`WS /ws`: what clients may say, what is pushed to them, and how the slow ones are kept from slowing the others."""
