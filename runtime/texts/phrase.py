"""One phrase in each language: Telegram HTML with `{names}` of values. Pure."""

from __future__ import annotations

from typing import Literal, NamedTuple

Language = Literal["en", "id"]


class Phrase(NamedTuple):
    """A phrase in English and Indonesian."""

    en: str
    id: str
