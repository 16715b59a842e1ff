"""Texts of why a rule fired, or did not: what was compared, from which events, and what became of it. Pure."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Final

from contracts.services.explaining import Comparison, Delivery, Evidence, Explanation
from contracts.subjects import ALL_VENUES
from runtime.texts import figures
from runtime.texts.markup import Html, fit, shorten
from runtime.texts.reader import Reader

SECOND_NS: Final = 1_000_000_000
MOST_EVENTS: Final = 8
_LONGEST: Final = 200


def explanation(found: Explanation, reader: Reader) -> Html:
    """Return what a rule decided at a moment, and from what."""
    venue = reader.say("alert.all_exchanges") if found.venue == ALL_VENUES else found.venue
    cooldown = found.cooldown
    parts = [
        reader.say(f"why.{found.decision}", rule=found.rule),
        reader.say("why.where", symbol=found.symbol, exchange=venue, time=reader.moment(_at(found.at))),
        *(_comparison(one, reader) for one in found.comparisons),
    ]
    if cooldown is not None:
        start, end = (reader.clock(_at(ts)) for ts in (cooldown.since, cooldown.until))
        parts.append(reader.say("why.cooldown", start=start, end=end, id=cooldown.fired_id))
    if found.events:
        parts.append(reader.say("why.events", count=len(found.events)))
        parts += [_event(one, reader) for one in found.events[-MOST_EVENTS:]]
    parts += [_delivery(one, reader) for one in found.deliveries]
    if found.missing:
        parts.append(reader.say("why.missing", names=shorten(", ".join(found.missing), 3 * _LONGEST)))
    if found.same is not None:
        parts.append(reader.say("why.same" if found.same else "why.differs"))
    return fit(parts)


def _comparison(one: Comparison, reader: Reader) -> Html:
    values = {"what": shorten(one.what, _LONGEST), "operator": one.operator}
    shown = {"value": _figure(one.value), "limit": _figure(one.limit)}
    return reader.say("why.comparison", mark="✅" if one.holds else "❌", **values, **shown)


def _event(one: Evidence, reader: Reader) -> Html:
    return reader.say("why.event", time=reader.clock(_at(one.ts)), says=shorten(one.says, _LONGEST))


def _delivery(one: Delivery, reader: Reader) -> Html:
    reason = f" ({shorten(one.reason, _LONGEST)})" if one.reason else ""
    return reader.say("why.delivery", to=one.to, target=one.target, state=one.state, reason=reason)


def _figure(text: str) -> str:
    """Return a decimal's text with grouped digits; any other text as it is."""
    return figures.number(text) if text.replace(".", "", 1).lstrip("-").isdigit() and text.isascii() else text


def _at(ts_ns: int) -> datetime:
    return datetime.fromtimestamp(ts_ns / SECOND_NS, UTC)
