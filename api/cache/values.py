"""Answers that an administrator puts: held to their command's reply, and made into one as the core sends it."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, Final, cast

from pydantic import BaseModel, ValidationError

from api.http.errors import InvalidBodyError
from contracts.schema import literals
from contracts.schema.literals import Age
from contracts.services.cache import PinnedAnswer, Question

_AGES: Final = frozenset({"age", "data_age", "last_message_age", "last_change_age", "oldest_age"})
_AGES_BY_NAME: Final = "last_message_ages"
_FRESH: Final = ("age", "quality")
_BESIDE: Final[Mapping[str, tuple[str, ...]]] = {  # what REST has beside `data`
    "raw": _FRESH,
    "orderbook": _FRESH,
    "multi_orderbook": _FRESH,
    "liq": (*_FRESH, "stale_exchanges"),
    "liqmap": (*_FRESH, "stale_exchanges"),
}
SECOND_NS: Final = 1_000_000_000
_LONGEST_AGE: Final = 1e9
_MOST_FAULTS: Final = 10


def check_value(question: Question, value: Mapping[str, Any]) -> dict[str, Any]:
    """Return a value as the reply to a question; raises InvalidBodyError that names each field at fault."""
    try:
        reply = question.reply.model_validate(value)
    except ValidationError as error:
        faults = [
            {"field": ".".join(map(str, ("value", *fault["loc"]))), "fault": fault["msg"]}
            for fault in error.errors(include_url=False, include_input=False)[:_MOST_FAULTS]
        ]
        raise InvalidBodyError(f"The value is no reply to {question.verb}", faults=faults) from None
    checked = reply.model_dump(mode="json", by_alias=True, exclude_unset=True)
    if (path := find_endless(checked)) is not None:
        raise InvalidBodyError("A number is not finite", faults=[{"field": f"value.{path}", "fault": "not finite"}])
    return checked


def find_endless(value: object) -> str | None:
    """Return where a number is infinite or none; None where all are finite."""
    if isinstance(value, float):
        return None if math.isfinite(value) else ""
    members: Mapping[Any, object] = {}
    if isinstance(value, dict):
        members = cast("dict[str, object]", value)
    elif isinstance(value, list):
        members = dict(enumerate(cast("list[object]", value)))
    for name, member in members.items():
        if (path := find_endless(member)) is not None:
            return f"{name}.{path}".rstrip(".")
    return None


def render_reply(question: Question, pinned: PinnedAnswer, now_ns: int) -> tuple[bytes, bytes]:
    """Return the body of the reply, and what stands beside it, as they are at a time (ns UTC): ages have grown."""
    value = cast("dict[str, Any]", open_ages(pinned.value, pinned.since))
    beside = {name: value[name] for name in _BESIDE.get(question.verb, ()) if name in value}
    body = literals.encode(in_order(question.reply, value), now_ns)
    return body, literals.encode(beside, now_ns) if beside else b""


def in_order(model: type[BaseModel], value: dict[str, Any]) -> dict[str, Any]:
    """Return the members in the order of the model: formats rely on a list standing first."""
    ordered = {name: value[name] for name in model.model_fields if name in value}
    return ordered | value


def open_ages(value: object, since_ns: int) -> object:
    """Return a value with its ages as those of data that arrived so long before `since_ns` (ns UTC)."""
    if isinstance(value, list):
        return [open_ages(item, since_ns) for item in cast("list[object]", value)]
    if not isinstance(value, dict):
        return value
    found: dict[str, object] = {}
    for name, member in cast("dict[str, object]", value).items():
        if name in _AGES and isinstance(member, int | float):
            found[name] = _age(member, since_ns)
        elif name == _AGES_BY_NAME and isinstance(member, dict):
            ages = cast("dict[str, float]", member)
            found[name] = {kind: _age(age, since_ns) for kind, age in ages.items()}
        else:
            found[name] = open_ages(member, since_ns)
    return found


def _age(seconds: float, since_ns: int) -> Age:
    return Age(since_ns - int(min(seconds, _LONGEST_AGE) * SECOND_NS))
