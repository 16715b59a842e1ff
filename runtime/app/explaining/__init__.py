"""Explains what a rule decided, by running it again over the recorded stream."""
