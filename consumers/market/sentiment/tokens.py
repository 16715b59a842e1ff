"""A text as tokens, each with its place: words, figures, emojis, and what ends a clause or a sentence. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Final, Literal

Kind = Literal["word", "figure", "emoji", "comma", "stop", "question", "exclamation"]
_TOKEN: Final = re.compile(
    r"(?P<figure>[+\-\u2212]?(?:[$€£]|us\$|rp)?\d(?:[\d.,]*\d)?(?:\s?(?:%|persen\b|percent\b|pct\b|x\b|k\b|[mb]n?\b|th\b))?)"
    r"|(?P<sarcasm>/s\b)"
    r"|(?P<word>[^\W\d_](?:[^\W_]|['\u2019](?=[^\W\d_]))*)"
    r"|(?P<comma>[,;:()\u2014\u2013|])"
    r"|(?P<question>\?)|(?P<exclamation>!)|(?P<stop>[.…\n])"
    r"|(?P<emoji>[\u2600-\u27bf\U0001f300-\U0001faff]\ufe0f?)",
    re.IGNORECASE,
)
_ABBREVIATIONS: Final = frozenset({"mt", "vs", "st", "dr", "mr", "no", "inc", "corp", "u", "s"})
_REPEATED: Final = re.compile(r"(.)\1{2,}")
_LEAST_STEM: Final = 3
_SUFFIXES: Final = ("nya", "lah", "kah", "in", "kan")
_PREFIXES: Final = ("di", "ter", "ber", "nge", "ke")


@dataclass(frozen=True, slots=True)
class Token:
    """A piece of a text, as it stands there; `word` is what it is looked up by."""

    kind: Kind
    text: str
    word: str
    start: int
    end: int


def tokenize(text: str) -> list[Token]:
    """Split a text; hyphens part words, a point after an abbreviation ends nothing."""
    found: list[Token] = []
    for match in _TOKEN.finditer(text):
        name = match.lastgroup or "stop"
        if name == "stop" and match[0] == "." and found and found[-1].word in _ABBREVIATIONS:
            continue
        kind: Kind = "emoji" if name == "sarcasm" else name  # type: ignore[assignment]
        word = match[0].lower().replace("\u2019", "'")
        found.append(Token(kind, match[0], word, match.start(), match.end()))
    return found


@lru_cache(maxsize=16384)
def list_forms(word: str) -> tuple[str, ...]:
    """List the forms that a word may be an inflection of, itself first: English endings, Indonesian affixes."""
    plain = _REPEATED.sub(r"\1", word)
    doubled = _REPEATED.sub(r"\1\1", word)
    forms = [word, doubled, plain]
    for form in dict.fromkeys((doubled, plain)):
        bare = form.removesuffix("'s")
        forms += [bare, *_english(bare), *_indonesian(bare)]
    return tuple(dict.fromkeys(forms))


def _english(word: str) -> list[str]:
    forms: list[str] = []
    for ending, others in (
        ("ies", ("y",)),
        ("ied", ("y",)),
        ("es", ("", "e")),
        ("s", ("",)),
        ("ed", ("", "e")),
        ("ing", ("", "e")),
        ("in", ("ing",)),
        ("er", ("", "e")),
    ):
        if word.endswith(ending) and len(word) - len(ending) >= _LEAST_STEM - 1:
            stem = word.removesuffix(ending)
            forms += [stem + other for other in others]
            if len(stem) > _LEAST_STEM and stem[-1] == stem[-2]:
                forms.append(stem[:-1])
    return forms


def _indonesian(word: str) -> list[str]:
    cut = [word.removesuffix(ending) for ending in _SUFFIXES if _is_longer(word, ending) and word.endswith(ending)]
    bare = [
        form.removeprefix(prefix)
        for form in (word, *cut)
        for prefix in _PREFIXES
        if _is_longer(form, prefix) and form.startswith(prefix)
    ]
    return [*cut, *bare]


def _is_longer(word: str, affix: str) -> bool:
    return len(word) - len(affix) > _LEAST_STEM
