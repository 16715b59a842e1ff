"""Indodax as an account meets it: TAPI for orders, Trade API 2.0 for what was executed.

https://github.com/btcid/indodax-official-api-docs
"""
