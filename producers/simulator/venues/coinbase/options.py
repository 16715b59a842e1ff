"""Coinbase: what the vendor's pages leave open."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Options:
    """The points, each with the behaviour that is assumed.

    `level2_needs_auth`: `level2` is refused without credentials.
    `advanced_side_is_taker`: `side` of Advanced Trade's trades is the taker's, else the maker's.
    """

    level2_needs_auth: bool = True
    advanced_side_is_taker: bool = True
