"""The compiled part of the contracts, where it was built: `make venv`."""
