"""The tone of a text about the market: bullish, bearish or neutral, how sure that is, and the words that decided. Pure.

The lexicon's score and the resemblance to labelled texts are added; what is neither clearly up nor down is Neutral.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from math import exp, sqrt
from typing import Final, Literal

from consumers.market.sentiment.head import Head, Resemblance, read_head
from consumers.market.sentiment.items import Scored
from consumers.market.sentiment.language import Language, detect
from consumers.market.sentiment.lexicon import Lexicon, read_lexicon
from consumers.market.sentiment.scoring import score

Label = Literal["Bullish", "Bearish", "Neutral"]
LABELS: Final[tuple[Label, ...]] = ("Bullish", "Bearish", "Neutral")
MOST_KEYWORDS: Final = 12
_NEUTRAL: Final = 0.75  # the score that is still neutral; more with words of announcements and with questions
_NEUTRAL_WORD: Final = 0.25
_QUESTION: Final = 0.5
_ALONE: Final = 0.6  # how much the head counts where the lexicon knows nothing
_BESIDE: Final = 0.35  # and beside what it knows
_TEMPERATURE: Final = 1.6
_LEAST_KEYWORD: Final = 0.3
_HALF: Final = 2.0  # a score that is shown as a weight of 0.7
_LEAST_LETTERS: Final = 3


@dataclass(frozen=True, slots=True)
class Keyword:
    """A word or phrase as it stands in the text; `weight` from -1 (bearish) to 1 (bullish), as it counted there."""

    word: str
    weight: float


@dataclass(frozen=True, slots=True)
class Sentiment:
    """What a text says; `confidence` is the share of the label among the three."""

    label: Label
    confidence: float
    keywords: tuple[Keyword, ...]
    language: Language


class Analyzer:
    """Analyzes texts with a lexicon and a head."""

    def __init__(self, lexicon: Lexicon, head: Head) -> None:
        self._lexicon, self._head = lexicon, head

    def analyze(self, text: str) -> Sentiment:
        """Return the tone of a text."""
        scored = score(text, self._lexicon)
        alike = self._head.weigh(scored.tokens)
        total = sum(item.value for item in scored.items)
        neutral = _NEUTRAL + _NEUTRAL_WORD * scored.neutral + _QUESTION * scored.question
        share = _BESIDE if scored.items else _ALONE
        sides = (total + share * alike.bullish, -total + share * alike.bearish, neutral)
        powers = [exp((side - max(sides)) / _TEMPERATURE) for side in sides]
        best = powers.index(max(powers))
        return Sentiment(
            label=LABELS[best],
            confidence=round(powers[best] / sum(powers), 4),
            keywords=tuple(list_keywords(text, scored, alike)),
            language=detect(scored.tokens, scored.matches),
        )


@cache
def read_analyzer() -> Analyzer:
    """Return the analyzer of the lexicon and the weights that are shipped; it is read once."""
    return Analyzer(read_lexicon(), read_head())


def list_keywords(text: str, scored: Scored, alike: Resemblance) -> list[Keyword]:
    """List what decided, the weightiest first, each once."""
    found: dict[str, float] = {}
    for word, value in (*_terms(text, scored), *_resembling(scored, alike)):
        found[word] = found.get(word, 0.0) + value
    shown = [Keyword(word, round(value / sqrt(value * value + _HALF * _HALF), 3)) for word, value in found.items()]
    shown = [keyword for keyword in shown if keyword.weight]
    return sorted(shown, key=lambda keyword: -abs(keyword.weight))[:MOST_KEYWORDS]


def _terms(text: str, scored: Scored) -> Iterator[tuple[str, float]]:
    """Yield the terms of the lexicon, each with its negation where that stands before it."""
    starts = {id(item): match.start for match, item in scored.negations if match.end <= item.start}
    for item in scored.items:
        first = scored.tokens[starts.get(id(item), item.start)]
        last = scored.tokens[item.end - 1]
        yield text[first.start : last.end], item.value


def _resembling(scored: Scored, alike: Resemblance) -> Iterator[tuple[str, float]]:
    """Yield the words beside that make the text like bullish or like bearish ones."""
    taken = {at for item in scored.items for at in range(item.start, item.end)} | set(_marked(scored))
    share = _BESIDE if scored.items else _ALONE
    for at, token in enumerate(scored.tokens):
        value = share * alike.of_tokens[at] / 2
        is_shown = token.kind == "word" and len(token.word) >= _LEAST_LETTERS and at not in taken
        if is_shown and abs(value) >= _LEAST_KEYWORD:
            yield token.text, value


def _marked(scored: Scored) -> Iterator[int]:
    """Yield the places of terms that have a task of their own: negations, contrasts, names of what is traded."""
    for match in scored.matches:
        yield from range(match.start, match.end)
