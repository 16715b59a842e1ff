"""Exchanges as accounts meet them."""
