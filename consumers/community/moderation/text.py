"""What is in a message: words with look-alike letters folded, links, how it is written. Pure."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence
from typing import Final
from urllib.parse import SplitResult, urlsplit

_TOKEN: Final = re.compile(r"[^\s.,;:?\"'()\[\]{}<>/\\+=*~`^#&%-]+")
_INVISIBLE: Final = re.compile("[\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufe00-\ufe0f\ufeff]")  # fmt: skip  # noqa: E501
_EDGES: Final = "!|_"
_REPEATED: Final = re.compile(r"(.)\1{2,}")
_LINK: Final = re.compile(
    r"(?i)\b(?:(?:https?|ftp|tg)://|www\.)[^\s<>\"']+|\b(?:[a-z0-9-]+\.)+[a-z]{2,24}(?:/[^\s<>\"']*)?"
)
_INVITE_HOSTS: Final = frozenset({"t.me", "telegram.me", "telegram.dog"})
_INVITE_PATH: Final = re.compile(r"^/(\+|joinchat/)")
_LEAST_LETTERS: Final = 10
# Letters that are drawn alike, by the one that stands for all of them; of i, l, 1 and | it is l.
_PAIRS: Final = (
    "аa вb еe зe кk мm нh оo рp сc тt уy хx ѕs іl ӏl ԁd ԛq ԝw "  # noqa: RUF001 - Cyrillic
    "αa βb γy εe ιl κk νv οo ρp τt υu χx ωw "  # noqa: RUF001 - Greek
    "\u0131l łl øo đd ħh æa il"  # Latin
)
_ALIKE: Final = str.maketrans({pair[0]: pair[1] for pair in _PAIRS.split()})
_DIGITS: Final = str.maketrans("013457|!89@$€", "oleastllbgase")


def fold(text: str) -> str:
    """Return a word in the one spelling of all that look like it; figures are letters where letters stand by."""
    plain = unicodedata.normalize("NFKD", _INVISIBLE.sub("", text)).casefold()
    plain = "".join(letter for letter in plain if not unicodedata.combining(letter)).translate(_ALIKE)
    if any(letter.isalpha() for letter in plain):
        plain = plain.translate(_DIGITS)
    return plain


def tokens(text: str) -> list[str]:
    """Return the words of a text; letters that stand alone in a row are one word: `s p a m`."""
    words: list[str] = []
    single: list[str] = []
    for word in _TOKEN.findall(_INVISIBLE.sub("", text)):
        if len(word.strip(_EDGES) or word) == 1:
            single.append(word.strip(_EDGES) or word)
            continue
        words += _joined(single)
        single = []
        words.append(word)
    return words + _joined(single)


def _joined(single: Sequence[str]) -> list[str]:
    return ["".join(single)] if single else []


def find_word(text: str, words: Iterable[str], *, whole: bool = True, folded: bool = True) -> str | None:
    """Return the first of the words that is in a text; a word of several is found in their order."""
    spell = fold if folded else str.casefold
    found = tokens(text)
    runs = {" ".join(map(spell, found)), " ".join(spell(one.strip(_EDGES) or one) for one in found)}
    if folded:  # letters that are drawn out: `spaaam`, `freeee`
        runs |= {_REPEATED.sub(once, run) for run in runs for once in (r"\1", r"\1\1")}
    for word in words:
        wanted = " ".join(map(spell, tokens(word)))
        needle = f" {wanted} " if whole else wanted
        if wanted and any(needle in f" {run} " for run in runs):
            return word
    return None


def find_links(text: str, behind: Iterable[str] = ()) -> list[str]:
    """Return the links of a text, and those behind it."""
    written = [found.group().rstrip(".,;:!?)") for found in _LINK.finditer(_INVISIBLE.sub("", text))]
    return [*written, *behind]


def host_of(link: str) -> str:
    """Return the host of a link, without `www.`; empty where it has none."""
    parts = _split(link)
    return "" if parts is None else (parts.hostname or "").rstrip(".").removeprefix("www.")


def is_allowed(link: str, domains: Iterable[str]) -> bool:
    """Return whether a link leads to one of the domains, or below it."""
    host = host_of(link)
    return any(host == domain or host.endswith(f".{domain}") for domain in domains)


def is_invite(link: str) -> bool:
    """Return whether a link invites into another chat."""
    if link.casefold().startswith("tg://join"):
        return True
    parts = _split(link)
    return parts is not None and host_of(link) in _INVITE_HOSTS and _INVITE_PATH.match(parts.path) is not None


def _split(link: str) -> SplitResult | None:
    """Return the parts of a link; None where it is none: `http://[x`."""
    try:
        return urlsplit(link if "://" in link else f"//{link}")
    except ValueError:
        return None


def capitals_percent(text: str) -> int:
    """Return how many of a hundred letters are capitals; 0 where there are fewer than ten letters."""
    letters = [letter for letter in text if letter.isalpha() and letter.lower() != letter.upper()]
    return 0 if len(letters) < _LEAST_LETTERS else round(100 * sum(map(str.isupper, letters)) / len(letters))
