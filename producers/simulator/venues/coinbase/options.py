"""Coinbase: what the vendor's pages leave open."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Options:
    """The points, each with the behaviour that is assumed.

    `level2_needs_auth`: `level2` is refused without credentials.
    `advanced_side_is_taker`: `side` of Advanced Trade's trades is the taker's, else the maker's. Its pages do not say.
        The same matches are on the Exchange feed, whose page says the maker's
        (https://docs.cdp.coinbase.com/exchange/websocket-feed/channels#match), and adapters that state it agree
        (https://nautilustrader.io/docs/rust-api-latest/nautilus_coinbase/http/parse/fn.coinbase_side_to_aggressor.html);
        CCXT gives it as it comes.
    """

    level2_needs_auth: bool = True
    advanced_side_is_taker: bool = False
