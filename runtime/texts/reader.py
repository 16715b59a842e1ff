"""Who reads a text: the language and the zone that times are shown in, and phrases in that language. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, tzinfo
from typing import Final

from runtime.texts import figures
from runtime.texts.alert_phrases import PHRASES
from runtime.texts.markup import Html, escape
from runtime.texts.phrase import Language, Phrase

LANGUAGES: Final[dict[Language, str]] = {"en": "English", "id": "Bahasa Indonesia"}


@dataclass(frozen=True, slots=True)
class Reader:
    """A language, a zone, and the phrases that there are: those of alerts, or also a face's own."""

    language: Language = "en"
    zone: tzinfo = UTC
    phrases: Mapping[str, Phrase] = field(default_factory=lambda: PHRASES, repr=False)

    def say(self, key: str, **values: object) -> Html:
        """Return a phrase as HTML, its values escaped."""
        return Html(self._template(key).format_map({name: escape(value) for name, value in values.items()}))

    def plain(self, key: str, **values: object) -> str:
        """Return a phrase that is no HTML: the label of a button, the answer to a press."""
        return self._template(key).format_map(values)

    def moment(self, at: datetime | None) -> str:
        """Return a date with its time of day."""
        return figures.moment(at, self.zone)

    def clock(self, at: datetime | None) -> str:
        """Return a time of day."""
        return figures.clock(at, self.zone)

    def _template(self, key: str) -> str:
        phrase = self.phrases[key]
        return phrase.id if self.language == "id" else phrase.en


def language_of(code: str | None) -> Language:
    """Return the language of a code that Telegram says of a user (`id`, `en-GB`); English where it is another."""
    return "id" if code and code.lower().partition("-")[0] in {"id", "ms", "jv", "su"} else "en"
