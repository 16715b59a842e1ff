"""The tone of texts over HTTP."""
