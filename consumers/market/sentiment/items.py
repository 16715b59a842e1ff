"""The evaluated terms of a text, and what they were found in. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

from consumers.market.sentiment.lexicon import Match
from consumers.market.sentiment.tokens import Token

ACTS: Final = frozenset({"up", "raise", "heal", "down", "cut", "end"})


@dataclass(slots=True, eq=False)
class Item:
    """An evaluated term: from one token up to another; `value` is signed, positive is bullish."""

    start: int
    end: int
    kind: str
    value: float
    clause: int = 0
    used: bool = False


@dataclass(slots=True)
class Scored:
    """The items of a text with what they were found in."""

    tokens: list[Token]
    matches: list[Match]
    items: list[Item]
    neutral: float = 0.0
    question: bool = False
    sarcasm: bool = False
    marks: dict[int, Match] = field(default_factory=dict[int, Match])  # by the place where they begin
    ends: dict[int, Match] = field(default_factory=dict[int, Match])  # by the place behind them
    negations: list[tuple[Match, Item]] = field(default_factory=list[tuple[Match, Item]])
