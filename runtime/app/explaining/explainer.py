"""Answers why, why not, and how often: each by running the same rule over the same part of the recorded stream.

What came before the moment only fills the rule's windows; the silences at its begin are those of the signals that were
published until then. So the rule decides from the same events as it did when they came.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final, cast

from contracts import codec, streams, subjects
from contracts.errors import InvalidParameterError, NotFoundError, SymbolSyntaxError, TimedOutError
from contracts.instrument import unescape_token
from contracts.numbers import time_of
from contracts.services.explaining import (
    Comparison,
    Decision,
    Delivery,
    DryRunQuery,
    DryRunReply,
    Explanation,
    Fired,
    WhyNotQuery,
    WhyQuery,
)
from runtime import clock
from runtime.app.explaining import replay
from runtime.app.explaining.missing import Interruptions
from runtime.app.explaining.replay import Past, Replay, Span
from runtime.app.explaining.rule import ANY, MARGIN, FastEvent, Rule, Scope
from runtime.app.explaining.trace import Done, Recorded, Trace
from runtime.app.explaining.weighing import (
    MOST_COMPARED,
    closest,
    cooldown,
    decide,
    evidence,
    ids_of,
    near,
    others,
    tail_of,
)
from runtime.app.explaining.words import says
from runtime.nats.bus import Bus
from runtime.nats.streams.past import scan_past
from runtime.nats.streams.reader import Row

_SECOND: Final = 1_000_000_000
REACH: Final = 30 * _SECOND  # of a moment, to both sides
_FEEDS: Final = 3600 * _SECOND  # how long before a moment feeds are followed
_MOST_FIRED: Final = 1000
_MOST_EVENTS: Final = 1000
_TAIL: Final = 4  # tokens


@dataclass(frozen=True, slots=True)
class Published:
    """A signal as its stream has it: itself, its bytes, when it was taken (ns UTC), its sequence."""

    event: FastEvent
    body: bytes
    at: int
    sequence: int


class Explainer:
    """Explains the rules of one consumer; `bus` gives the connection once there is one."""

    def __init__(self, bus: Callable[[], Bus], rules: Sequence[Rule], signals: str = streams.SIGNALS) -> None:
        self._bus = bus
        self._rules = {rule.kind: rule for rule in rules}
        self._signals = signals

    async def why(self, query: WhyQuery) -> Explanation:
        """Explain a signal that was published; raises NotFoundError where none of this consumer has that id."""
        tokens = query.id.split(".")
        rule = self._rules.get(tokens[_TAIL]) if len(tokens) > _TAIL + 1 else None
        if rule is None:
            raise NotFoundError(f"No signal of this consumer has the id {query.id}", id=query.id)
        tail = ".".join(tokens[:_TAIL])
        earlier, found = await self._find(rule, tail, query.id)
        first = min(time_of(found.event.ts_event, found.event.ts_recv), found.event.ts_recv)
        span = Span(first - _SECOND, max(found.at, first))
        scope = rule.scope_at(tail)
        past = await self._read(rule, scope, span)
        run = Replay(rule, scope, (item.event for item in earlier), start=span.start)
        run.fold(past.events)
        run.end(span.end)
        return await self._explain_signal(rule, found, past, run)

    async def why_not(self, query: WhyNotQuery) -> Explanation:
        """Explain what a rule decided around a moment; raises InvalidParameterError for what it does not know.

        Of a rule of one instrument, without a venue: where it fired, or came closest.
        """
        rule = self._rule(query.rule)
        scope = _scope(rule, query.symbol, query.venue)
        span = Span(query.at - REACH, min(query.at + REACH, clock.now_ns()))
        past = await self._read(rule, scope, span)
        known = await self._published(rule, scope, (span.start - rule.cooldown - MARGIN, span.start))
        run = Replay(rule, scope, (item.event for item in known), start=span.start)
        run.fold(past.events)
        run.end(span.end)
        return await self._explain_moment(rule, (scope, query), past, run)

    async def dry_run(self, query: DryRunQuery) -> DryRunReply:
        """Count how often a rule would have fired from `start` up to, but not including, `end`.

        A span that cannot be read in time is counted as far as it was read: `read` says until when.
        """
        rule = self._rule(query.rule)
        if unknown := sorted(set(query.limits) - rule.limits):
            raise InvalidParameterError(
                f"{rule.kind} has no limit {unknown[0]!r}", parameter="limits", limits=sorted(rule.limits)
            )
        scope = _scope(rule, query.symbol, query.venue)
        span = Span(query.start - MARGIN, min(query.end + MARGIN, clock.now_ns()))
        window = (span.start - rule.cooldown - MARGIN, span.start)
        known = [] if query.limits else await self._published(rule, scope, window)
        try:
            events = (item.event for item in known)
            run = Replay(rule, scope, events, start=span.start, limits=query.limits, traced=False)
        except (ValueError, ArithmeticError) as error:
            raise InvalidParameterError(f"a limit cannot be read: {error}", parameter="limits") from error
        sources = rule.sources(scope)
        if len(sources) == 1 and not rule.dated:
            source = sources[0]
            spans = [await replay.scan_in_time(self._bus(), source, span, lambda rows: run.fold_rows(source, rows))]
        else:
            past = await self._read(rule, scope, span)
            run.fold(past.events)
            spans = past.spans
        run.end(min(span.end, *(part.end for part in spans)))
        fired = [
            Fired(at=at, id=event.id, symbol=event.symbol, venue=event.venue, says=says(event))
            for _, event in run.outputs
            if query.start <= (at := time_of(event.ts_event, event.ts_recv)) < query.end
        ]
        return DryRunReply(count=len(fired), fired=fired[:_MOST_FIRED], read=spans)

    async def _read(self, rule: Rule, scope: Scope, span: Span) -> Past:
        try:
            return await replay.read(self._bus(), rule, scope, span)
        except TimeoutError as error:
            raise TimedOutError(f"{error}: ask for less") from error

    def _rule(self, kind: str) -> Rule:
        rule = self._rules.get(kind)
        if rule is None:
            raise InvalidParameterError(f"There is no rule {kind!r} here", parameter="rule", rules=sorted(self._rules))
        return rule

    async def _find(self, rule: Rule, tail: str, signal_id: str) -> tuple[list[Published], Published]:
        """Return the signals of an instrument before the one of an id, and that one."""
        mark = b'"id":' + json.dumps(signal_id, ensure_ascii=False).encode()
        rows: list[Row] = []

        def on_rows(batch: Sequence[Row]) -> bool:
            for row in batch:
                rows.append(row)
                if mark in row.payload and _event(row).id == signal_id:
                    return True
            return False

        await scan_past(self._bus(), self._signals, (rule.signals + tail,), (0, clock.now_ns()), on_rows=on_rows)
        if not rows or _event(rows[-1]).id != signal_id:
            raise NotFoundError(f"The stream of signals holds none of the id {signal_id}", id=signal_id)
        last = _as_published(rows[-1])
        since = last.at - rule.cooldown - MARGIN
        return [_as_published(row) for row in rows[:-1] if row.position.time_ns >= since], last

    async def _published(self, rule: Rule, scope: Scope, span: tuple[int, int]) -> list[Published]:
        found: list[Published] = []
        wanted = (rule.signals + scope.signals,)
        await scan_past(
            self._bus(),
            self._signals,
            wanted,
            span,
            on_rows=lambda rows: found.extend(_as_published(row) for row in rows),
        )
        return found

    async def _missing(self, rule: Rule, scope: Scope, span: Span, past: Past) -> list[str]:
        """Return in words what the rule had not: feeds that were interrupted, streams that begin too late."""
        statuses: list[FastEvent] = []
        feeds = (subjects.FEED + (ANY if scope.across or rule.all_venues else scope.venue),)
        if feeds[0] != subjects.ALL_FEEDS and not feeds[0].endswith(ANY):
            feeds = (*feeds, subjects.FEED + subjects.BUS)
        await scan_past(
            self._bus(),
            streams.FEEDS,
            feeds,
            (span.start - _FEEDS, span.end),
            on_rows=lambda rows: statuses.extend(item.event for item in replay.decode(rows)),
        )
        base = unescape_token(scope.base)
        found = Interruptions((span.start, span.end), rule.needs, lambda symbol: symbol.partition("/")[0] == base)
        late = [f"stream {part.stream} begins later than {rule.kind} needs" for part in past.spans if not part.complete]
        return [*found.fold_all(statuses), *late]

    async def _explain_signal(self, rule: Rule, found: Published, past: Past, run: Replay) -> Explanation:
        event = found.event
        place = next(
            (done for done in run.done for _, output in done.outputs if output.id == event.id), closest(run.done)
        )
        again = next((output for _, output in run.outputs if output.id == event.id), None)
        same = again is not None and codec.encode(again) == found.body
        wanted = frozenset(ids_of(event))
        events = [item for item in past.events if item.event.id in wanted]
        gone = len(wanted) - len({item.event.id for item in events})
        lost = [f"{gone} of the events that met it are not recorded any more"] if gone else []
        scope = rule.scope_at(tail_of(event.id))
        at = time_of(event.ts_event, event.ts_recv)
        return Explanation(
            decision="fired" if again is not None else decide(place),
            rule=event.rule,
            symbol=event.symbol,
            venue=event.venue,
            at=at,
            comparisons=[] if place is None else place.step.comparisons,
            events=[evidence(item) for item in events][:_MOST_EVENTS],
            cooldown=None if place is None or again is not None else cooldown(place.step.silence),
            deliveries=[
                Delivery(to="bus", target=rule.signals + tail_of(event.id), state="done", at=found.at),
            ],
            missing=[*await self._missing(rule, scope, Span(at - REACH, at), past), *lost],
            read=past.spans,
            same=same,
            published=cast("dict[str, Any]", json.loads(found.body)),
        )

    async def _explain_moment(
        self, rule: Rule, asked: tuple[Scope, WhyNotQuery], past: Past, run: Replay
    ) -> Explanation:
        scope, query = asked
        hit = next((done for done in run.done if any(near(event, query.at) for _, event in done.outputs)), None)
        apart = [done for done in run.done if not done.outputs]
        place = hit or closest(apart) or run.before
        missing = await self._missing(rule, scope, Span(query.at - REACH, query.at), past)
        comparisons = [*(place.step.comparisons if place else []), *others(apart, place)]
        if place is None:
            comparisons = _on_nothing(rule, scope, query.at)
        decision: Decision = "fired" if hit is not None else decide(place)
        if place is None and (missing or not comparisons):
            decision = "no_data"
        first = None if place is None or place.recorded is None else place.recorded
        wanted = {event_id for _, event in (hit.outputs if hit else []) for event_id in ids_of(event)}
        shown = [item for item in past.events if item is first or item.event.id in wanted]
        return Explanation(
            decision=decision,
            rule=rule.name,
            symbol=query.symbol,
            venue=query.venue or _venue_of(rule, hit, first),
            at=query.at,
            comparisons=comparisons[:MOST_COMPARED],
            events=[evidence(item) for item in shown][:_MOST_EVENTS],
            cooldown=None if place is None or hit is not None else cooldown(place.step.silence),
            missing=missing,
            read=past.spans,
        )


def _scope(rule: Rule, symbol: str | None, venue: str | None) -> Scope:
    try:
        return rule.scope_of(symbol, venue)
    except SymbolSyntaxError as error:
        raise InvalidParameterError(error.message, parameter="symbol") from error


def _venue_of(rule: Rule, hit: Done | None, recorded: Recorded | None) -> str:
    """Return the venue that a rule of one instrument fired at, or came closest at."""
    if rule.across or rule.all_venues:
        return subjects.ALL_VENUES
    event = hit.outputs[0][1] if hit is not None else None if recorded is None else recorded.event
    return subjects.ALL_VENUES if event is None else event.venue


def _event(row: Row) -> FastEvent:
    return codec.decode(row.subject.decode(), row.payload)


def _as_published(row: Row) -> Published:
    position = row.position
    return Published(_event(row), row.payload, position.time_ns, position.stream_seq)


def _on_nothing(rule: Rule, scope: Scope, at: int) -> list[Comparison]:
    trace = Trace()
    rule.on_nothing(scope, trace, at)
    return trace.take().comparisons
