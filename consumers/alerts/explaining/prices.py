"""Explains price alerts from the recorded stream: why one fired, why none did, how often one would have."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any, Final

import msgspec

from consumers.alerts.core import RULE, SECOND, PriceWatch, Rule, State
from consumers.alerts.explaining import replaying
from consumers.alerts.explaining.past import Read, Wanted, read_span
from consumers.alerts.explaining.replaying import Moment, Replay, Span
from consumers.alerts.rules import Here, Resolved, create
from consumers.alerts.store import AlertStore, Fired
from consumers.alerts.watching import market_of, ticker_pattern
from contracts import streams, subjects
from contracts.errors import InvalidParameterError, NotFoundError
from contracts.numbers import DAY_NS
from contracts.services import explaining as contract
from contracts.services.alerts import AlertDryRun, AlertDryRunQuery, AlertWhyNotQuery, CreateAlert
from contracts.services.explaining import Explanation
from runtime.nats.bus import Bus
from runtime.nats.streams.api import Position
from runtime.nats.streams.reader import Start

FastEvent = Any  # a struct of `contracts.codec.fast`: decimals are text
LOOK_BACK_NS: Final = 60 * SECOND  # a moment is the minute that ends with it
_MOST_FIRED: Final = 1000
_DRY: Final = "0" * 16


class PriceExplainer:
    """Answers for price alerts."""

    def __init__(self, bus: Bus, store: AlertStore) -> None:
        self._bus, self._store = bus, store

    async def why(self, fired: Fired) -> Explanation:
        """Run the rule again up to the message, and compare."""
        alert = fired.alert
        number = int(alert.id.rpartition(".")[2])
        kept = await self._store.find_state(alert.rule_id, None, messages=number)
        if kept is None:
            return _unread(fired, "the states of the rule from before it are not kept any more")
        replay, span = Replay(*kept), Span()

        def on_moment(moment: Moment) -> bool:
            span.add(moment)
            return moment.alert is None

        read = await self._read(replay, on_moment, alert.fired_at)
        again = span.fired[-1] if span.fired else None
        missing = [] if read.complete else ["the stream does not hold the beginning any more"]
        return Explanation(
            decision="fired",
            rule=alert.rule,
            rule_id=alert.rule_id,
            symbol=alert.symbol,
            venue=alert.venue,
            at=alert.ts_recv,
            comparisons=_said(span, again),
            events=[moment.evidence() for moment in span.met],
            missing=missing,
            read=[read.as_span()],
            same=again is not None and _equal(again.alert, alert),
            published=msgspec.to_builtins(alert),
        )

    async def why_not(self, query: AlertWhyNotQuery) -> Explanation:
        """Return what a price alert decided within the minute that ends at a moment."""
        since = query.at - LOOK_BACK_NS
        replay, span = Replay(*await self._state_before(query, since)), Span()
        held = replay.watch.state.held

        def on_moment(moment: Moment) -> bool:
            if moment.price.ts > since:
                span.add(moment)
            return True

        read = await self._read(replay, on_moment, since, until=query.at)
        return self._described(query, replay, span, read, held=held)

    async def _state_before(self, query: AlertWhyNotQuery, since: int) -> tuple[Rule, State]:
        """Return the state to go on from: the last one before the span, or the first one of the rule as it is there."""
        within, before = await asyncio.gather(
            self._store.find_states(query.rule, since, query.at), self._store.find_state(query.rule, since)
        )
        kept = [*([] if before is None else [before]), *within]
        if not kept or kept[-1][0].owner != query.owner:
            raise NotFoundError(f"There was no price alert {query.rule} then", rule=query.rule, at=query.at)
        return next(one for one in kept if one[0] == kept[-1][0])

    async def dry_run(self, query: AlertDryRunQuery, resolved: Resolved) -> AlertDryRun:
        """Return how often a rule that begins at `start` fires up to `end`."""
        if query.price is None:
            raise InvalidParameterError("A price alert is needed", parameter="price")
        if not 0 < query.end - query.start <= DAY_NS:
            raise InvalidParameterError("A dry run is of at most a day, and ends after its start", parameter="end")
        request = CreateAlert(owner="dry", rule=query.price)
        watch = create(request, _DRY, resolved, Here(query.start, 0))
        replay, count, fired = Replay(watch.rule, watch.state), 0, list[contract.Fired]()

        def on_moment(moment: Moment) -> bool:
            nonlocal count
            if moment.alert is not None:
                count += 1
                if len(fired) < _MOST_FIRED:
                    fired.append(_fired(moment.alert))
            return True

        start = Start(time_ns=query.start)
        read = await self._read(replay, on_moment, None, until=query.end, start=start, floor=query.start)
        state = replay.watch.state
        return AlertDryRun(
            count=count, crossings=state.crossings, fired=fired, read=[read.as_span()], price=state.previous
        )

    async def _read(
        self,
        replay: Replay,
        on_moment: Callable[[Moment], bool],
        explain_from: int | None,
        *,
        until: int | None = None,
        start: Start | None = None,
        floor: int = 0,
    ) -> Read:
        """Fold the rule's tickers behind its state; those before `floor` are left out."""

        def on_event(subject: str, ticker: FastEvent, position: Position) -> bool:
            if ticker.ts_recv < floor:
                return True
            if until is not None and ticker.ts_recv > until and _moves_clock(replay.rule, subject):
                return False
            explain = explain_from is not None and ticker.ts_recv >= explain_from
            moment = replay.fold(subject, ticker, position.stream_seq, explain=explain)
            return moment is None or bool(on_moment(moment))

        pattern = ticker_pattern(market_of(replay.rule.tail))
        begin = start or Start(sequence=replay.watch.state.seq + 1)
        return await read_span(self._bus, Wanted(streams.MARKET, (pattern,), begin), on_event)

    def _described(self, query: AlertWhyNotQuery, replay: Replay, span: Span, read: Read, *, held: int) -> Explanation:
        rule, watch = replay.rule, replay.watch
        last = (span.met or span.fired or [span.closest or span.last])[-1]
        moments = [] if last is None else [last]
        decision = span.decision
        if decision == "not_met" and held and watch.state.held:
            decision = "held"
        if span.fired:
            comparisons = _said(span, span.fired[-1])
        else:
            comparisons = [one for moment in moments for one in moment.comparisons]
            if span.last is not None and span.last not in moments:
                comparisons += span.last.comparisons
        published = msgspec.to_builtins(span.fired[-1].alert) if span.fired else None
        return Explanation(
            decision=decision,
            rule=RULE,
            rule_id=rule.id,
            symbol=rule.symbol,
            venue=rule.tail.partition(".")[0],
            at=query.at,
            comparisons=comparisons,
            events=[moment.evidence() for moment in moments],
            cooldown=replaying.cooldown_of(watch, query.at) if watch.state.held else None,
            missing=_missing(watch, span, read),
            read=[read.as_span()],
            published=published,
        )


def _moves_clock(rule: Rule, subject: str) -> bool:
    """Return whether a ticker is one that the rule's time goes by."""
    venue = rule.tail.partition(".")[0]
    return venue == subjects.ALL_VENUES or subject.startswith(f"{subjects.TICKER}{venue}.")


def _said(span: Span, again: Moment | None) -> list[contract.Comparison]:
    """Return what was compared where the rule was met last, and where it spoke."""
    comparisons = list(span.met[-1].comparisons) if span.met else []
    if again is not None and (not span.met or again is not span.met[-1]):
        comparisons += again.comparisons
    return comparisons


def _missing(watch: PriceWatch, span: Span, read: Read) -> list[str]:
    missing = [] if read.complete else ["the stream does not hold the beginning any more"]
    if not span.prices:
        missing.append("no price within the minute before")
    if watch.rule.expires_ns is not None and watch.state.clock >= watch.rule.expires_ns:
        missing.append("the alert had expired")
    if watch.state.done:
        missing.append("the alert had fired, once as it was to")
    return missing


def _unread(fired: Fired, reason: str) -> Explanation:
    alert = fired.alert
    return Explanation(
        decision="fired",
        rule=alert.rule,
        rule_id=alert.rule_id,
        symbol=alert.symbol,
        venue=alert.venue,
        at=alert.ts_recv,
        comparisons=[],
        events=[],
        missing=[reason],
        read=[],
        published=msgspec.to_builtins(alert),
    )


def _equal(again: FastEvent, published: FastEvent) -> bool:
    """Return whether two alerts are the same decision; when it was published is no part of that."""
    return msgspec.structs.replace(again, late=published.late) == published


def _fired(alert: FastEvent) -> contract.Fired:
    says = f"{alert.condition} {alert.threshold or ''} at {alert.price}, stands for {alert.stands_for}"
    return contract.Fired(at=alert.fired_at, id=alert.id, symbol=alert.symbol, venue=alert.venue, says=says)
