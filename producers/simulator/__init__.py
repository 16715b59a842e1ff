"""The exchanges' side of the protocols, served on loopback: the demo, the tests, the faults."""
