"""Replies of the alerts service as answers: exact numbers and ISO times in place of texts and nanoseconds. Pure."""

from __future__ import annotations

from typing import Any, Final, cast

from pydantic import BaseModel

from contracts.alerts import Alert
from contracts.schema.literals import iso, number
from contracts.services.alerts import FiredAlert

_NUMBERS: Final = frozenset({"value", "hysteresis", "last_price", "price"})
_TIMES: Final = frozenset({"at", "ts", "since", "until", "start", "end"})


def resource(reply: BaseModel) -> dict[str, Any]:
    """Return a price alert, or a page of them, as it is answered."""
    return cast("dict[str, Any]", _numbered(reply.model_dump(mode="json")))


def explained(reply: BaseModel) -> dict[str, Any]:
    """Return an explanation or a dry run as it is answered; what was published stays as it is on the bus."""
    fields = reply.model_dump(mode="json")
    shown = {name: value if name == "published" else _timed(value, name) for name, value in fields.items()}
    return shown | ({"price": number(fields["price"])} if "price" in fields else {})


def fired(one: FiredAlert) -> dict[str, Any]:
    """Return an alert that fired as it is answered."""
    shown = alert(one.alert)
    published = None if one.published_at is None else one.published_at.isoformat().replace("+00:00", "Z")
    return {**shown, "published_at": published}


def alert(event: Alert) -> dict[str, Any]:
    """Return an alert's own fields."""

    def text(name: str) -> Any:
        value = getattr(event, name)
        return None if value is None else number(format(value, "f"))

    return {
        "id": event.id,
        "kind": event.alert,
        "symbol": event.symbol,
        "exchange": event.venue,
        "rule": event.rule,
        "rule_id": event.rule_id,
        "fired_at": iso(event.fired_at),
        "late": event.late,
        "stands_for": event.stands_for,
        "causes": event.causes,
        "tier": event.tier,
        "side": event.side,
        **{name: text(name) for name in ("usd_value", "price", "previous_price", "threshold")},
        "condition": event.condition,
        "note": event.note,
        "sim": event.sim,
    }


def _numbered(value: Any, name: str = "") -> Any:
    if isinstance(value, dict):
        return {key: _numbered(part, key) for key, part in cast("dict[str, Any]", value).items()}
    if isinstance(value, list):
        return [_numbered(part) for part in cast("list[Any]", value)]
    return number(value) if name in _NUMBERS and isinstance(value, str) else value


def _timed(value: Any, name: str = "") -> Any:
    if isinstance(value, dict):
        return {key: _timed(part, key) for key, part in cast("dict[str, Any]", value).items()}
    if isinstance(value, list):
        return [_timed(part) for part in cast("list[Any]", value)]
    return iso(value) if name in _TIMES and isinstance(value, int) else value
