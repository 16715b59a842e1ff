"""What becomes of an owner's price alert: made, changed, snoozed, shown. Pure: times, ids and positions come in."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

import msgspec

from consumers.alerts.core import SECOND, PriceWatch, Rule, State, begin_again
from contracts.errors import ConflictError, InvalidParameterError, LimitReachedError, NotFoundError
from contracts.instrument import escape_token
from contracts.services.alerts import (
    MOST_ALERTS,
    CreateAlert,
    Deliver,
    PriceAlert,
    PriceRule,
    UpdateAlert,
    checked_rule,
)
from contracts.services.alerts import State as Shown
from contracts.services.replies.multi import SymbolEntry
from contracts.subjects import ALL_VENUES

ID_BYTES: Final = 8
FINISHED_KEPT_NS: Final = 30 * 86_400 * SECOND  # how long what cannot fire any more is listed still
_DECIDING: Final = ("condition", "value", "window_seconds", "interval_seconds", "hysteresis", "repeat")


@dataclass(frozen=True, slots=True)
class Resolved:
    """What a symbol means to a price alert: one market, on one exchange or consolidated."""

    symbol: str
    tail: str
    exchange: str | None


@dataclass(frozen=True, slots=True)
class Here:
    """The present: ns UTC, and the last message of the stream of prices."""

    now_ns: int
    seq: int


def resolve(named: str | None, entries: Sequence[SymbolEntry], exchange: str | None) -> Resolved:
    """Return the market that is meant: of several the one that the most exchanges list, spot first."""
    fitting = [entry for entry in entries if exchange is None or exchange in entry.exchanges]
    if not fitting:
        raise InvalidParameterError(f"{exchange} does not list {named}", parameter="exchange")
    entry = max(fitting, key=lambda one: (one.market == "spot", len(one.exchanges)))
    tail = ".".join((*map(escape_token, (exchange or ALL_VENUES, entry.base, entry.quote)), entry.market))
    return Resolved(entry.symbol, tail, exchange)


def asked(request: CreateAlert) -> str:
    """Return a hash of what is requested."""
    return hashlib.sha256(request.model_dump_json(exclude={"request_key"}).encode()).hexdigest()


def id_of(request: CreateAlert, fresh: str) -> str:
    """Return the id of a new alert: the same for the same request, `fresh` where it has no name."""
    if request.request_key is None:
        return fresh
    return hashlib.sha256(f"{request.owner}\n{request.request_key}".encode()).hexdigest()[: 2 * ID_BYTES]


def create(request: CreateAlert, rule_id: str, resolved: Resolved, here: Here) -> PriceWatch:
    """Return a new rule; InvalidParameterError where it would be over from the start."""
    rule = Rule(
        id=rule_id,
        owner=request.owner,
        symbol=resolved.symbol,
        tail=resolved.tail,
        exchange=resolved.exchange,
        created_ns=here.now_ns,
        updated_ns=here.now_ns,
        since_ns=here.now_ns,
        since_seq=here.seq,
        expires_ns=_future(request.expires_at, here.now_ns),
        note=request.note,
        telegram=request.deliver.telegram,
        webhooks=request.deliver.webhooks,
        request_key=request.request_key,
        asked=asked(request),
        **_figures(request.rule),
    )
    return PriceWatch(rule, State(seq=here.seq))


def again(known: PriceWatch, request: CreateAlert) -> PriceWatch:
    """Return what a repeated request has made; ConflictError where the request is another one."""
    if known.rule.asked != asked(request):
        raise ConflictError("The Idempotency-Key came with another request before", parameter="Idempotency-Key")
    return known


def check_limit(count: int) -> None:
    """Raise LimitReachedError where an owner has as many alerts as may be."""
    if count >= MOST_ALERTS:
        raise LimitReachedError(
            f"At most {MOST_ALERTS} price alerts of an owner that can fire still", limit="alerts", maximum=MOST_ALERTS
        )


def update(watch: PriceWatch, request: UpdateAlert, here: Here) -> PriceWatch:
    """Return a rule as it is to be; with another condition or figure it begins again, armed."""
    rule, change = watch.rule, request.change
    given = {name: getattr(change, name) for name in request.given if name in type(change).model_fields}
    figures = _figures(_changed(rule, given))
    parts: dict[str, Any] = {"updated_ns": here.now_ns, **figures}
    if "expires_at" in given:
        parts["expires_ns"] = _future(change.expires_at, here.now_ns)
    if "note" in given:
        parts["note"] = change.note
    if "deliver" in given:
        deliver = change.deliver or Deliver()
        parts |= {"telegram": deliver.telegram, "webhooks": deliver.webhooks}
    if any(figures[name] != getattr(rule, name) for name in _DECIDING):
        parts |= {"revision": rule.revision + 1, "since_ns": here.now_ns, "since_seq": here.seq}
        begin_again(watch.state)
    return PriceWatch(msgspec.structs.replace(rule, **parts), watch.state)


def copied(watch: PriceWatch) -> PriceWatch:
    """Return a rule with a state of its own."""
    return PriceWatch(watch.rule, msgspec.convert(msgspec.to_builtins(watch.state), State))


def snooze(watch: PriceWatch, seconds: int, now_ns: int) -> PriceWatch:
    """Return a rule that says nothing for a while; 0 wakes it."""
    until = now_ns + seconds * SECOND if seconds else 0
    return PriceWatch(msgspec.structs.replace(watch.rule, snoozed_ns=until, updated_ns=now_ns), watch.state)


def found(watch: PriceWatch | None, rule_id: str, owner: str | None) -> PriceWatch:
    """Return an owner's alert; NotFoundError where there is none, or it is another's."""
    if watch is None or watch.rule.owner != owner:
        raise NotFoundError(f"There is no price alert {rule_id}", id=rule_id)
    return watch


def shown_state(watch: PriceWatch, now_ns: int) -> Shown:
    """Return whether it can fire, and why not."""
    if watch.state.done:
        return "done"
    if watch.rule.expires_ns is not None and watch.rule.expires_ns <= now_ns:
        return "expired"
    return "snoozed" if watch.rule.snoozed_ns > now_ns else "active"


def is_finished(watch: PriceWatch, now_ns: int) -> bool:
    """Return whether nothing will come of it any more."""
    if watch.state.done:
        return True
    ends = watch.rule.expires_ns
    return ends is not None and ends <= min(now_ns, watch.state.clock) and not watch.state.held


def describe(watch: PriceWatch, now_ns: int) -> PriceAlert:
    """Return an alert as its owner sees it."""
    rule, state = watch.rule, watch.state
    return PriceAlert(
        id=rule.id,
        symbol=rule.symbol,
        exchange=rule.exchange,
        condition=rule.condition,
        value=rule.value,
        window_seconds=rule.window_seconds,
        interval_seconds=rule.interval_seconds,
        repeat=rule.repeat,
        hysteresis=rule.hysteresis,
        cooldown_seconds=rule.cooldown_seconds,
        expires_at=moment(rule.expires_ns),
        note=rule.note,
        deliver=Deliver(telegram=rule.telegram, webhooks=rule.webhooks),
        state=shown_state(watch, now_ns),
        snoozed_until=moment(rule.snoozed_ns) if rule.snoozed_ns > now_ns else None,
        created_at=datetime.fromtimestamp(rule.created_ns // 1000 / 1_000_000, UTC),
        updated_at=datetime.fromtimestamp(rule.updated_ns // 1000 / 1_000_000, UTC),
        crossings=state.crossings,
        messages=state.messages,
        waiting=state.held,
        last_fired_at=moment(state.spoke),
        last_fired_id=state.fired_id,
        last_price=state.previous,
    )


def moment(ts_ns: int | None) -> datetime | None:
    """Return ns UTC as a time, to the microsecond."""
    return None if ts_ns is None else datetime.fromtimestamp(ts_ns // 1000 / 1_000_000, UTC)


def _figures(rule: PriceRule) -> dict[str, Any]:
    return {
        "condition": rule.condition,
        "value": rule.value,
        "window_seconds": rule.window_seconds,
        "interval_seconds": rule.interval_seconds,
        "repeat": rule.repeats,
        "hysteresis": rule.hysteresis,
        "cooldown_seconds": rule.cooldown,
    }


def _changed(rule: Rule, given: dict[str, Any]) -> PriceRule:
    """Return the figures of a rule with what is given in their place; InvalidParameterError where they do not fit."""
    figures = {name: given.get(name, getattr(rule, name)) for name in PriceRule.model_fields}
    figures["hysteresis"] = figures["hysteresis"] or "0.1"
    return checked_rule(figures)


def _future(time: datetime | None, now_ns: int) -> int | None:
    if time is None:
        return None
    ends = int(time.timestamp() * 1_000_000) * 1000
    if ends <= now_ns:
        raise InvalidParameterError("An alert must end in the future", parameter="expires_at")
    return ends
