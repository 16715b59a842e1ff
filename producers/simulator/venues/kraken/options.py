"""Kraken spot: a limit whose figure the vendor's pages leave open."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Options:
    """The points, each with the behaviour that is assumed.

    `messages_per_s`: requests a second on one socket.
    """

    messages_per_s: int = 50
