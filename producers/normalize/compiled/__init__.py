"""The compiled part of writing events, where it was built: `make venv`."""
