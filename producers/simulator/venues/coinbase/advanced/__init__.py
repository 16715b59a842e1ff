"""Coinbase Advanced Trade, the venue's second interface: sockets, channels, REST."""
