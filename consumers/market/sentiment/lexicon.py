"""The words that decide, read from the data files beside and from VADER's own lexicon; found in a text by their forms.

Kinds of a term: `good` and `bad` sound so; `up` and `down` happen to a thing, and turn with it ("inflation falls");
`heal` is good, also of something bad ("recovers losses"); `end` turns what stands beside it; `keep` says that what
stands beside it goes on; `negate`, `boost`, `damp` act on what follows; `but` and `though` divide; `link` separates;
`sarcasm` and `praise` warn; `asset` is a thing that is traded; `word` means nothing, whatever VADER thinks of it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib import resources
from typing import Final, cast

from vaderSentiment.vaderSentiment import BOOSTER_DICT, SentimentIntensityAnalyzer

from consumers.market.sentiment.tokens import Token, list_forms, tokenize

LANGUAGES: Final = ("en", "id")
_GAP: Final = "*"
_WIDEST_GAP: Final = 4
_VADER_SHARE: Final = 0.45
_VADER_LEAST: Final = 1.2
_MATCHED: Final = frozenset({"word", "emoji", "figure"})


@dataclass(frozen=True, slots=True)
class Term:
    """A term: its words, and the weight of each kind that it is."""

    words: tuple[str, ...]
    kinds: Mapping[str, float]
    language: str

    @property
    def inflects(self) -> bool:
        """Whether its words may have other forms in a text: those of what means nothing may not."""
        return "word" not in self.kinds


@dataclass(frozen=True, slots=True)
class Match:
    """A term where it was found: from one token up to, but not with, another."""

    start: int
    end: int
    kinds: Mapping[str, float]
    language: str


class Lexicon:
    """Terms by their first word."""

    def __init__(self, terms: Iterable[Term], general: Mapping[str, float]) -> None:
        self._general = general
        self._first: dict[str, list[Term]] = {}
        for term in sorted(terms, key=lambda term: -len(term.words)):
            self._first.setdefault(term.words[0], []).append(term)

    def find(self, tokens: Sequence[Token]) -> list[Match]:
        """Find the terms of a text, from left to right, the longest first; none overlaps another."""
        found: list[Match] = []
        at = 0
        while at < len(tokens):
            match = self._find_at(tokens, at)
            if match is None:
                at += 1
            else:
                found.append(match)
                at = match.end
        return found

    def _find_at(self, tokens: Sequence[Token], at: int) -> Match | None:
        if tokens[at].kind not in _MATCHED:
            return None
        best: Match | None = None
        for form in list_forms(tokens[at].word):
            for term in self._first.get(form, ()):
                end = _match(term.words, tokens, at)
                if end is not None and not term.inflects and not _stands(term.words, tokens[at:end]):
                    continue
                if end is not None and (best is None or end > best.end):
                    best = Match(at, end, term.kinds, term.language)
        return best or self._find_general(tokens[at], at)

    def _find_general(self, token: Token, at: int) -> Match | None:
        valence = self._general.get(token.word, 0.0)
        if token.kind != "word" or abs(valence) < _VADER_LEAST:
            return None
        kind = "good" if valence > 0 else "bad"
        return Match(at, at + 1, {kind: abs(valence) * _VADER_SHARE}, "en")


def read_lexicon() -> Lexicon:
    """Read all of it; what the data files name counts before what VADER says."""
    kinds: dict[tuple[str, ...], dict[str, float]] = {}
    languages: dict[tuple[str, ...], str] = {}
    for language in LANGUAGES:
        for words, kind, weight in read_terms(language):
            kinds.setdefault(words, {})[kind] = weight
            languages.setdefault(words, language)
    terms = (Term(words, found, languages[words]) for words, found in kinds.items())
    return Lexicon(terms, cast("dict[str, float]", SentimentIntensityAnalyzer().lexicon))


def read_terms(language: str) -> Iterator[tuple[tuple[str, ...], str, float]]:
    """Read the words, the kind and the weight of each term of a language."""
    text = resources.files("consumers.market.sentiment").joinpath(f"data/{language}.txt").read_text("utf-8")
    for section in text.split("\n[")[1:]:
        head, _, body = section.partition("]")
        kind, _, weight = head.partition(" ")
        for term in filter(None, map(str.strip, " ".join(body.split()).split(","))):
            yield split_term(term), kind, float(weight)
    boosters = BOOSTER_DICT if language == "en" else {}
    for term, change in boosters.items():
        yield split_term(term), "boost" if change > 0 else "damp", 1.3 if change > 0 else 0.6


def split_term(term: str) -> tuple[str, ...]:
    """Split a term as a text would be; a star stays one."""
    words: list[str] = []
    for part in term.split():
        words += [_GAP] if part == _GAP else [token.word for token in tokenize(part) if token.kind in _MATCHED]
    return tuple(words)


def _stands(words: Sequence[str], tokens: Sequence[Token]) -> bool:
    """Whether the words themselves stand there, in whatever gaps."""
    there = [token.word for token in tokens]
    return all(word in there for word in words if word != _GAP)


def _match(words: Sequence[str], tokens: Sequence[Token], at: int) -> int | None:
    """Return where a term ends that begins at a token; None where it does not stand there."""
    if not words:
        return at
    if words[0] == _GAP:
        ends = (_match(words[1:], tokens, at + gap) for gap in range(_WIDEST_GAP + 1))
        return next((end for end in ends if end is not None), None)
    if at >= len(tokens) or tokens[at].kind not in _MATCHED or words[0] not in list_forms(tokens[at].word):
        return None
    return _match(words[1:], tokens, at + 1)
