"""Market routes: read parameters, make an answer from the state, keep it for as long as what it was made from holds."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from api import answers
from api.answers import Reply, Template
from api.market.state import MarketState, Reader
from contracts.errors import InvalidParameterError

MOST_KEPT: Final = 2048
Params = Mapping[str, str]
Compose = Callable[[Reader, Params], object]


@dataclass(frozen=True, slots=True)
class Kept:
    """An answer with what it was made from."""

    template: Template
    generation: tuple[int, bool]
    read: dict[str, bytes | None]
    holds_until: int


class Answerer:
    """Answers a route from kept templates; composes anew once a document, the listing or a freshness has changed."""

    def __init__(self, state: MarketState) -> None:
        self._state = state
        self._kept: dict[tuple[str, tuple[tuple[str, str], ...]], Kept] = {}
        self.hits = 0
        self.misses = 0

    def __len__(self) -> int:
        return len(self._kept)

    def answer(self, route: str, compose: Compose, params: Params, now_ns: int) -> Reply:
        """Give the answer as bytes; refusals are raised and never kept."""
        key = (route, tuple(sorted(params.items())))
        kept = self._kept.get(key)
        if kept is None or not self._holds(kept, now_ns):
            self.misses += 1
            kept = self._compose(compose, params, now_ns)
            if len(self._kept) >= MOST_KEPT:
                self._kept.clear()
            self._kept[key] = kept
        else:
            self.hits += 1
        return Reply(200, kept.template.render(now_ns))

    def _compose(self, compose: Compose, params: Params, now_ns: int) -> Kept:
        generation = self._state.generation
        reader = Reader(self._state, now_ns)
        template = answers.template(compose(reader, params))
        return Kept(template, generation, reader.read, reader.holds_until)

    def _holds(self, kept: Kept, now_ns: int) -> bool:
        if now_ns > kept.holds_until or kept.generation != self._state.generation:
            return False
        get = self._state.bucket.get
        return all(get(key) is body for key, body in kept.read.items())


def text(params: Params, name: str) -> str:
    """A parameter that must be there; InvalidParameterError names it."""
    value = params.get(name, "").strip()
    if not value:
        raise InvalidParameterError(f"Parameter {name} is missing", parameter=name)
    return value


def whole(params: Params, name: str, default: int, most: int = 100) -> int:
    """A whole number from 1 to `most`; InvalidParameterError names the parameter and the range."""
    value = params.get(name)
    if value is None:
        return default
    if not (value.isascii() and value.isdigit() and len(value) < 10 and 1 <= int(value) <= most):  # noqa: PLR2004
        raise InvalidParameterError(
            f"Parameter {name} must be a whole number from 1 to {most}", parameter=name, minimum=1, maximum=most
        )
    return int(value)


def flag(params: Params, name: str) -> bool:
    """Whether something is asked for: `true` or `1`, `false` or `0`, false where it is not given."""
    value = params.get(name, "false").lower()
    if value not in {"true", "false", "1", "0"}:
        raise InvalidParameterError(
            f"Parameter {name} must be true or false", parameter=name, supported=["true", "false"]
        )
    return value in {"true", "1"}


def amount(params: Params, name: str) -> Decimal | None:
    """A decimal of zero or more, None where it is not given; InvalidParameterError names the parameter."""
    value = params.get(name)
    if value is None:
        return None
    digits = value.replace(".", "", 1)
    if len(value) > 32 or not (digits.isascii() and digits.isdigit()):  # noqa: PLR2004 - more is no amount
        raise InvalidParameterError(f"Parameter {name} must be a number of 0 or more", parameter=name, minimum=0)
    return Decimal(value)


def refuse_unknown(params: Params, supported: tuple[str, ...]) -> None:
    """Refuse a parameter that the route does not have, naming those that it has."""
    for name in params:
        if name not in supported:
            raise InvalidParameterError(
                f"Parameter {name} is not supported", parameter=name, supported_parameters=list(supported)
            )
