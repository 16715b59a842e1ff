"""What is compiled where a C compiler is (`make venv`); everything here has a Python side that does the same."""
