"""Binance's products: what the vendor's pages leave open."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Options:
    """The points, each with the behaviour that is assumed.

    `unknown_symbol_is_error`: an unknown stream name is refused; the pages show only an acknowledgement.
    """

    unknown_symbol_is_error: bool = False
