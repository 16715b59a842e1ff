"""A reader with every phrase of the bot. Pure."""

from __future__ import annotations

from datetime import UTC, tzinfo

from bot.texts.phrases import PHRASES
from runtime.texts.phrase import Language
from runtime.texts.reader import Reader


def make_reader(language: Language = "en", zone: tzinfo = UTC) -> Reader:
    """Return a reader of a language, with times in a zone."""
    return Reader(language, zone, PHRASES)
