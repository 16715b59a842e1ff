"""An answer of the market core as a text is made from it: the reply, the symbol that was meant, its age. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Generic, TypeVar

from runtime.texts import figures
from runtime.texts.markup import Html, join
from runtime.texts.reader import Reader

T_co = TypeVar("T_co", covariant=True)


@dataclass(frozen=True, slots=True)
class Answer(Generic[T_co]):
    """A reply that arrived `grown` seconds ago; `stale` where the core was requested since and did not reply."""

    reply: T_co
    symbol: str = ""
    grown: float = 0.0
    stale: bool = False


def freshness(answer: Answer[object], age: float | None, quality: str, *, sim: bool, reader: Reader) -> Html:
    """Return the line that ends each answer: its quality, its age, and whether it is simulated."""
    shown = "stale" if answer.stale else quality
    return join([
        reader.say(f"quality.{shown}"),
        reader.say("age.none") if age is None else reader.say("age.ago", age=figures.span(age + answer.grown)),
        reader.say("quality.simulated") if sim and shown != "sim" else "",
        reader.say("quality.core_away") if answer.stale else "",
    ])  # fmt: skip
