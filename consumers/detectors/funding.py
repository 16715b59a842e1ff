"""Funding extremes: a rate beyond a limit, or beyond a quantile of the instrument's own 30 days. Pure.

The quantile is of one rate an hour, the first of each, and is computed again with each hour: what holds during an hour
is kept, so that what was decided in it can be decided again when the rates of those days are no longer recorded.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from decimal import Decimal
from typing import Final

import msgspec

from consumers.detectors.rules import (
    HOUR,
    INSTRUMENTS,
    FastEvent,
    FundingRules,
    Outputs,
    event_time,
    fire,
    is_old,
    mark_of,
    origin_of,
    tail_of,
)
from contracts import subjects
from contracts.codec import fast
from contracts.numbers import DAY_NS
from contracts.recent import Recent
from contracts.signals import FundingExtreme
from runtime.app.explaining.trace import Trace
from runtime.bounded import RollingHistogram, SavedCounts
from runtime.cooldowns import Cooldowns

FastSignal: Final = fast(FundingExtreme)
RULE: Final = "funding/1"
_DAYS: Final = 30
_KEPT: Final = 200  # changes of a quantile that are kept, the newest
_UNIT: Final = Decimal(10) ** 10  # a rate is counted in units of 10^-10
Known = tuple[int, str, int]
"""(hour since 1970, quantile, hours that it is of): from that hour on."""
FindKnown = Callable[[str, int], Known | None]


class Saved(msgspec.Struct):
    """The rates of one instrument as they are kept over a restart."""

    hour: int
    slots: dict[int, SavedCounts]
    known: list[Known]


class _Instrument:
    __slots__ = ("changed", "hour", "known", "rates", "tail")

    def __init__(self, tail: str) -> None:
        self.tail = tail
        self.rates = RollingHistogram(_DAYS, DAY_NS)
        self.hour = -1  # the newest one that a rate was counted of
        self.known: deque[Known] = deque(maxlen=_KEPT)
        self.changed = False


class FundingDetector:
    """The rates of every perpetual; `known`, where it is given, is asked for the quantile of an hour."""

    def __init__(self, rules: FundingRules, trace: Trace | None = None, known: FindKnown | None = None) -> None:
        self.rules = rules
        self.cooldowns: Cooldowns[str] = Cooldowns(INSTRUMENTS)
        self._trace, self._known = trace, known
        self._instruments: Recent[str, _Instrument] = Recent(INSTRUMENTS)

    @property
    def forgotten(self) -> int:
        """How many instruments were dropped because others came."""
        return self._instruments.dropped

    def recall(self, signal: FastEvent) -> None:
        """Take note of a signal that was published before."""
        self.cooldowns.begin(tail_of(signal), event_time(signal), signal.id)

    def fold(self, event: FastEvent) -> Outputs:
        """Fold one Funding event."""
        if event.rate is None or is_old(event):
            return []
        tail, at, size = tail_of(event), event_time(event), abs(Decimal(event.rate))
        held = self._instruments.get(tail) or self._instruments.put(tail, _Instrument(tail))
        if at // HOUR > held.hour:
            self._count(held, size, at)
        return self._decide(event, held, size, at)

    def find_known(self, tail: str, hour: int) -> Known | None:
        """Return the quantile of an instrument that held in an hour; None where none did, or it is not known."""
        held = self._instruments.get(tail)
        return None if held is None else next((one for one in reversed(held.known) if one[0] <= hour), None)

    def save(self) -> dict[str, bytes]:
        """Return the instruments that changed since the last call: tail -> document for `restore`."""
        changed = [held for held in self._instruments.values() if held.changed]
        for held in changed:
            held.changed = False
        return {
            held.tail: msgspec.json.encode(Saved(held.hour, held.rates.list_slots(), list(held.known)))
            for held in changed
        }

    def restore(self, tail: str, document: bytes) -> None:
        """Take back what `save` gave; msgspec.MsgspecError where it is not that."""
        saved = msgspec.json.decode(document, type=Saved)
        held = self._instruments.put(tail, _Instrument(tail))
        held.hour = saved.hour
        held.rates.restore(saved.slots)
        held.known.extend(saved.known)

    def _count(self, held: _Instrument, size: Decimal, at: int) -> None:
        """Compute the quantile of the hours before this one, then count its rate."""
        rules, hour = self.rules, at // HOUR
        if rules.share and held.rates.count >= rules.samples:
            found = held.rates.find_quantile(rules.share.as_integer_ratio()) or 0
            known = (hour, format(max(Decimal(found) / _UNIT, rules.floor).normalize(), "f"), held.rates.count)
            if not held.known or held.known[-1][1:] != known[1:]:
                held.known.append(known)
        held.rates.add(int(size * _UNIT), at)
        held.hour, held.changed = hour, True

    def _decide(self, event: FastEvent, held: _Instrument, size: Decimal, at: int) -> Outputs:
        rules, trace = self.rules, self._trace
        known = (self._known or self.find_known)(held.tail, at // HOUR)
        threshold, samples = (rules.limit, 0) if known is None else (Decimal(known[1]), known[2])
        beyond, extreme = size > rules.limit, known is not None and size > threshold
        if trace is not None:
            trace.compare("size of the rate", (size, ">", rules.limit), at, holds=beyond)
            if known is not None:
                what = f"size of the rate, by quantile {rules.share} of {samples} hours"
                trace.compare(what, (size, ">", threshold), at, holds=extreme)
        if not (beyond or extreme):
            return []
        shown = (rules.limit, "limit", 0) if beyond else (threshold, "quantile", samples)
        return fire(
            self.cooldowns,
            held.tail,
            (at, rules.cooldown),
            trace,
            make=lambda: (subjects.FUNDING_EXTREME + held.tail, self._signal(event, held.tail, shown)),
        )

    def _signal(self, event: FastEvent, tail: str, shown: tuple[Decimal, str, int]) -> FastEvent:
        threshold, basis, samples = shown
        return FastSignal(
            id=f"{tail}.funding_extreme.{mark_of([event.id])}",
            **origin_of(event),
            tier=self.rules.tiers.find(event.symbol.partition("/")[0]),
            event_ids=[event.id],
            rule=RULE,
            rate=event.rate,
            threshold=format(threshold, "f"),
            basis=basis,
            samples=samples,
            next_ts=event.next_ts,
            mark_price=event.mark_price,
        )
