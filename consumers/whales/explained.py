"""How the whale rule is explained: run again over an instrument's trades and the prices of its quote."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import replace
from decimal import Decimal
from typing import Final

from consumers.whales.core import WhaleDetector
from consumers.whales.rules import SECOND, WhaleRules
from contracts import streams, subjects
from contracts.arithmetic.usd import price_tails
from contracts.instrument import unescape_token
from contracts.numbers import DAY_NS
from contracts.signals import Tier
from runtime.app.explaining.pricing import DOLLAR_TICKERS
from runtime.app.explaining.rule import ANY, FastEvent, Limits, Outputs, Rule, Scope, Source
from runtime.app.explaining.trace import Trace

_TICK: Final = 20_000_000  # ns: how often time alone is looked at, as the live consumer does
_TRADE: Final = subjects.TRADE.encode()
_DOLLARS: Final = DOLLAR_TICKERS.rpartition("*")[2].encode()
_BEFORE: Final = 60 * SECOND


def whale_rule(rules: WhaleRules, stream: str = streams.MARKET) -> Rule:
    """Return the rule as it is configured; with an adaptive limit it needs a day of trades."""
    before = _BEFORE if rules.adaptive is None else DAY_NS

    def run(scope: Scope, limits: Limits, trace: Trace | None) -> _Running:
        return _Running(WhaleDetector(_with_limits(rules, limits), trace=trace), scope)

    def on_nothing(scope: Scope, trace: Trace, at: int) -> None:
        limit = rules.limits[rules.tiers.find(unescape_token(scope.base))]
        trace.compare("usd_value", (0, ">=", limit), at, holds=limit <= 0)

    return Rule(
        kind="whale",
        name=rules.name,
        signals=subjects.WHALE,
        cooldown=0,
        sources=lambda scope: (_source(stream, scope, before),),
        run=run,
        needs=frozenset({"trade", "ticker"}),
        on_nothing=on_nothing,
        limits=frozenset(f"usd_{tier}" for tier in rules.limits),
    )


def _source(stream: str, scope: Scope, before: int) -> Source:
    if scope.quote == ANY:
        return Source(stream, (">",), before, wants=_is_wanted)  # all of it: trades and tickers
    return Source(stream, find_subjects(scope), before)


def _is_wanted(subject: bytes) -> bool:
    """Return whether it is a trade, or a price in dollars."""
    return subject.startswith(_TRADE) or subject.endswith(_DOLLARS)


def find_subjects(scope: Scope) -> tuple[str, ...]:
    """Return the trades of an instrument and only the prices that its quote needs."""
    trades = subjects.TRADE + scope.tail
    tails = price_tails(unescape_token(scope.quote))
    tickers = [subjects.TICKER + tail for tail in tails if tail.endswith(".USD.spot")]
    priced = [subjects.TRADE + tail for tail in tails]
    covered = any(_covers(one, trades) for one in priced)
    return (*([] if covered else [trades]), *priced, *tickers)


def _covers(pattern: str, subject: str) -> bool:
    pairs = zip(pattern.split("."), subject.split("."), strict=True)
    return all(wanted in {ANY, token} for wanted, token in pairs)


def _with_limits(rules: WhaleRules, limits: Limits) -> WhaleRules:
    if not limits:
        return rules
    tried: dict[Tier, Decimal] = {
        tier: Decimal(limits.get(f"usd_{tier}", format(limit, "f"))) for tier, limit in rules.limits.items()
    }
    return replace(rules, limits=tried)


class _Running:
    """The detector with the stream's time as its clock; other instruments than the wanted ones tell prices only."""

    def __init__(self, detector: WhaleDetector, scope: Scope) -> None:
        self._detector = detector
        self._wanted = None if scope.quote == ANY else subjects.TRADE + scope.tail
        self._ticked = 0
        self._traded: deque[tuple[int, set[str]]] = deque()  # what was traded in each tick, not looked after since

    def recall(self, _signals: Iterable[FastEvent]) -> None:
        """Do nothing: no whale silences another one."""

    def fold(self, subject: str, event: FastEvent, at: int) -> Outputs:
        """Fold a trade or a ticker; ValueError where it cannot be."""
        outputs = self._tick(at)
        if self._wanted is not None and not _covers(self._wanted, subject):
            self._detector.take_price(subject, event)
            return outputs
        found, faults = self._detector.fold([(subject, event)], 0, at)
        return [*outputs, *found] if not faults else outputs

    def fold_batch(self, events: Sequence[tuple[str, FastEvent]]) -> Outputs:
        """Fold trades and tickers a tick at a time, and look after those instruments only that were traded."""
        if self._wanted is not None:
            return [output for subject, event in events for output in self.fold(subject, event, event.ts_recv)]
        outputs, begin = list[tuple[str, FastEvent]](), 0
        for index, (_, event) in enumerate(events):
            if event.ts_recv >= self._ticked + _TICK:
                outputs += self._fold_tick(events[begin:index], event.ts_recv)
                begin = index
        return [*outputs, *self._fold_tick(events[begin:], self._ticked)]

    def _fold_tick(self, events: Sequence[tuple[str, FastEvent]], at: int) -> list[tuple[str, FastEvent]]:
        """Fold events of one tick; then the time is `at`."""
        outputs, _ = self._detector.fold(events, 0, self._ticked)
        if events:
            self._traded.append((self._ticked, {subject for subject, _ in events}))
        self._ticked = at
        while self._traded and self._traded[0][0] <= at - self._detector.rules.hold:
            outputs += self._detector.tick(at, self._traded.popleft()[1])
        return outputs

    def end(self, at: int) -> Outputs:
        """Close the groups that nothing was added to for long enough."""
        return self._detector.tick(at)

    def _tick(self, at: int) -> list[tuple[str, FastEvent]]:
        if at - self._ticked < _TICK:
            return []
        self._ticked = at
        return self._detector.tick(at)
