"""The market core's client by the name that the streams import it by; it is every face's, in `runtime.app`."""

from __future__ import annotations

from runtime.app.market_client import MarketClient, encode_query

__all__ = ["MarketClient", "encode_query"]
