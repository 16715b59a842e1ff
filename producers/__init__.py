"""Producers hold the exchanges' sockets and publish what they receive."""
