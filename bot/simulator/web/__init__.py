"""The HTTP side of the test server."""
