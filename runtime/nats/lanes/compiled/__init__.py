"""The compiled part of the lanes, where it was built: `make venv`."""
