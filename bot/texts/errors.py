"""Texts of refusals and failures, with the symbols that may have been meant. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any, Final, cast

from contracts.errors import HydrophoneError
from runtime.texts.markup import Html, code, fit, join, shorten
from runtime.texts.reader import Reader

MOST_CANDIDATES: Final = 6
_LONGEST_ECHO: Final = 64
_LONGEST_MESSAGE: Final = 500


@dataclass(frozen=True, slots=True)
class Refusal:
    """What is said of an error, and the symbols that may have been meant, the likeliest first."""

    text: Html
    candidates: tuple[str, ...] = ()


def refusal(error: HydrophoneError, asked: str, reader: Reader) -> Refusal:
    """Return what is said of an error; `asked` is the symbol, or the id, as it was written."""
    found = candidates(error.details, asked) if error.code in {"INVALID_SYMBOL", "AMBIGUOUS_SYMBOL"} else ()
    named = ", ".join(_names(error.details.get("waiting_for")))
    values = {
        "symbol": shorten(asked, _LONGEST_ECHO),
        "message": shorten(error.message, _LONGEST_MESSAGE),
        "waiting": shorten(named, _LONGEST_MESSAGE) or shorten(error.message, _LONGEST_MESSAGE),
    }
    lines = [reader.say(f"error.{error.code}", **values)]
    if found:
        lines.append(reader.say("error.candidates", names=join([code(name) for name in found], ", ")))
    return Refusal(fit(lines), found)


def candidates(details: Mapping[str, Any], asked: str) -> tuple[str, ...]:
    """Return the symbols that an error names, those most alike to what was asked; at most a few."""
    if named := _names(details.get("candidates")):
        return tuple(named[:MOST_CANDIDATES])
    by_text = {name.upper(): name for name in _names(details.get("supported_symbols"))}
    return tuple(by_text[name] for name in _alike(asked.upper(), list(by_text)))


def _names(value: object) -> list[str]:
    return [str(name) for name in cast("list[object]", value)] if isinstance(value, list | tuple) else []


def _alike(asked: str, known: Sequence[str]) -> list[str]:
    begin = [name for name in known if asked and name.startswith(asked)]
    close = get_close_matches(asked, known, n=MOST_CANDIDATES, cutoff=0.75)
    return list(dict.fromkeys([*begin, *close]))[:MOST_CANDIDATES]


def usage(command: str, argument: str, example: str, reader: Reader) -> Html:
    """Return how a command is used."""
    return reader.say("error.usage", usage=f"/{command} {argument}".rstrip(), example=f"/{command} {example}".rstrip())
