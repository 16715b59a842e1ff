"""Answers as replies: made from the state, and kept for as long as what they were made from holds. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, TypeVar
from urllib.parse import quote

from pydantic import BaseModel, ValidationError

from consumers.market.state import MarketState, Reader
from contracts import subjects
from contracts.errors import InvalidParameterError
from contracts.schema import literals
from contracts.schema.literals import Template

MOST_KEPT: Final = 2048
MOST_BODY_BYTES: Final = 8192
Q = TypeVar("Q", bound=BaseModel)


@dataclass(frozen=True, slots=True)
class Composed:
    """What is replied: `symbol` as it was resolved, `beside` what REST has beside the data."""

    document: object
    symbol: str | None = None
    beside: Mapping[str, Any] = field(default_factory=dict[str, Any])


Compose = Callable[[Reader, Any], Composed]


@dataclass(frozen=True, slots=True)
class Answer:
    """A reply's body and headers."""

    body: bytes
    headers: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class AnswerTemplate:
    """An answer whose ages are open."""

    body: Template
    symbol: str | None
    beside: Template | None

    def render(self, now_ns: int) -> Answer:
        """Fill in the ages; `now_ns` is ns UTC."""
        headers: dict[str, str] = {}
        if self.symbol is not None:
            headers[subjects.HEADER_SYMBOL] = quote(self.symbol)
        if self.beside is not None:
            headers[subjects.HEADER_BESIDE] = self.beside.render(now_ns).decode()
        return Answer(self.body.render(now_ns), headers)


def encode(composed: Composed) -> AnswerTemplate:
    """Encode what was composed."""
    beside = literals.template(composed.beside) if composed.beside else None
    return AnswerTemplate(literals.template(composed.document), composed.symbol, beside)


@dataclass(frozen=True, slots=True)
class Kept:
    """An answer with what it was made from."""

    template: AnswerTemplate
    generation: tuple[int, bool]
    read: dict[str, bytes | None]
    holds_until: int


class Answerer:
    """Answers a request from what is kept; composes once a document, the listing or a freshness has changed."""

    def __init__(self, state: MarketState) -> None:
        self._state = state
        self._kept: dict[tuple[type[BaseModel], bytes], Kept] = {}
        self.hits = 0
        self.misses = 0

    def __len__(self) -> int:
        return len(self._kept)

    def answer(self, model: type[BaseModel], compose: Compose, body: bytes, now_ns: int) -> Answer:
        """Give the answer to a request's body; refusals are raised and never kept."""
        key = (model, body)
        kept = self._kept.get(key)
        if kept is None or not self._holds(kept, now_ns):
            self.misses += 1
            kept = self._compose(compose, read_query(model, body), now_ns)
            if len(self._kept) >= MOST_KEPT:
                self._kept.clear()
            self._kept[key] = kept
        else:
            self.hits += 1
        return kept.template.render(now_ns)

    def _compose(self, compose: Compose, query: BaseModel, now_ns: int) -> Kept:
        generation = self._state.generation
        reader = Reader(self._state, now_ns)
        template = encode(compose(reader, query))
        return Kept(template, generation, reader.read, reader.holds_until)

    def _holds(self, kept: Kept, now_ns: int) -> bool:
        if now_ns > kept.holds_until or kept.generation != self._state.generation:
            return False
        get = self._state.bucket.get
        return all(get(key) is body for key, body in kept.read.items())


def read_query(model: type[Q], body: bytes, most: int = MOST_BODY_BYTES) -> Q:
    """Read a request of at most so many bytes; InvalidParameterError names the parameter at fault."""
    if len(body) > most:
        raise InvalidParameterError("The request is too long", maximum_bytes=most)
    try:
        return model.model_validate_json(body or b"{}")
    except ValidationError as error:
        fault = error.errors()[0]
        name = ".".join(map(str, fault["loc"])) or "request"
        raise InvalidParameterError(f"Parameter {name}: {fault['msg']}", parameter=name) from error
