"""Bybit: what the vendor's pages leave open."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Options:
    """The points, each with the behaviour that is assumed.

    `all_or_nothing`: one unknown topic of a request refuses all of it.
    """

    all_or_nothing: bool = True
