"""What a text resembles of the labelled ones: a linear model over its words, pairs of words and parts of words.

Its weights, trained by `python -m tests.consumers.market.sentiment.train`, count where no term of the lexicon is found,
and beside the lexicon where one is. Each weight is that of a class against Neutral.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib import resources
from math import sqrt
from typing import Final

from consumers.market.sentiment.tokens import Token

PART: Final = 5  # letters of a part of a word
_SKIPPED: Final = frozenset({"comma", "stop"})
Pair = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Resemblance:
    """How much a text is like bullish and like bearish ones; `of_tokens`: each token's part of the difference."""

    bullish: float
    bearish: float
    of_tokens: list[float]


class Head:
    """The weights of features by name: for Bullish and for Bearish, against Neutral."""

    def __init__(self, bias: Pair, weights: Mapping[str, Pair]) -> None:
        self._bias, self._weights = bias, weights

    def weigh(self, tokens: Sequence[Token]) -> Resemblance:
        """Compare a text with those that the weights were trained by."""
        known = {name: at for name, at in list_features(tokens).items() if name in self._weights}
        size = sqrt(max(1, len(known)))
        bullish, bearish = self._bias
        of_tokens = [0.0] * len(tokens)
        for name, at in known.items():
            bull, bear = self._weights[name]
            bullish += bull / size
            bearish += bear / size
            of_tokens[at] += (bull - bear) / size
        return Resemblance(bullish, bearish, of_tokens)


def list_features(tokens: Sequence[Token]) -> dict[str, int]:
    """List the features of a text, each once, with the token that it is of."""
    found: dict[str, int] = {}
    before = ""
    for at, token in enumerate(tokens):
        if token.kind in _SKIPPED:
            continue
        word = "#" if token.kind == "figure" else token.word
        found.setdefault(word, at)
        found.setdefault(f"{before} {word}", at)
        before = word
        if token.kind == "word":
            edged = f"<{word}>"
            for start in range(len(edged) - PART + 1):
                found.setdefault(f"~{edged[start : start + PART]}", at)
    return found


def read_head() -> Head:
    """Read the weights of the file beside."""
    text = resources.files("consumers.market.sentiment").joinpath("data/head.json").read_text("utf-8")
    document = json.loads(text)
    weights = {name: (pair[0], pair[1]) for name, pair in document["weights"].items()}
    return Head((document["bias"][0], document["bias"][1]), weights)
