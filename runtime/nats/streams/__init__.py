"""Streams read in order and resumed, and the calls of the JetStream API.."""
