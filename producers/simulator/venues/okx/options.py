"""OKX: what the vendor's pages leave open."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Options:
    """The points, each with the behaviour that is assumed.

    `book_snapshot`: `books` begins with a snapshot.
    `net_positions`: liquidations name the position side `net`.
    """

    book_snapshot: bool = True
    net_positions: bool = False
