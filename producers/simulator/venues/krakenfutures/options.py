"""Kraken Futures: what the vendor's pages leave open."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Options:
    """The points, each with the behaviour that is assumed.

    `all_or_nothing`: one unknown product of a request refuses all of it.
    `ack_each`: every product is acknowledged by itself.
    """

    all_or_nothing: bool = True
    ack_each: bool = False
