"""The compiled ids that were seen, where they were built: `make venv`."""
