"""Spikes of volume: a minute many times the median of the instrument's own last minutes. Pure."""

from __future__ import annotations

from decimal import Decimal
from typing import Final

from consumers.detectors.rules import (
    INSTRUMENTS,
    MINUTE,
    FastEvent,
    Outputs,
    VolumeRules,
    event_time,
    fire,
    is_old,
    mark_of,
    origin_of,
    ratio,
    tail_of,
)
from contracts import subjects
from contracts.arithmetic.dated import DatedDecimals
from contracts.arithmetic.exact import EXACT, MOST, as_dollars
from contracts.arithmetic.usd import Rates, UsdRate
from contracts.codec import fast
from contracts.recent import Recent
from contracts.signals import Tier, VolumeSpike
from runtime.app.explaining.trace import Trace
from runtime.cooldowns import Cooldowns

FastSignal: Final = fast(VolumeSpike)
RULE: Final = "volume/1"
TIMEFRAME: Final = "1m"


class VolumeDetector:
    """The closed minutes of every instrument."""

    def __init__(self, rules: VolumeRules, rates: Rates, trace: Trace | None = None) -> None:
        self.rules = rules
        self.cooldowns: Cooldowns[str] = Cooldowns(INSTRUMENTS)
        self._rates, self._trace = rates, trace
        self._instruments: Recent[str, DatedDecimals] = Recent(INSTRUMENTS)  # volumes, by start

    @property
    def forgotten(self) -> int:
        """How many instruments were dropped because others came."""
        return self._instruments.dropped

    def size(self) -> int:
        """Return the bytes of the volumes that are kept."""
        return sum(volumes.size() for volumes in self._instruments.values())

    def recall(self, signal: FastEvent) -> None:
        """Take note of a signal that was published before."""
        self.cooldowns.begin(tail_of(signal), event_time(signal), signal.id)

    def fold(self, event: FastEvent) -> Outputs:
        """Fold one Candle; only a minute that is closed, and newer than those folded already, changes anything."""
        if not event.closed or event.timeframe != TIMEFRAME or is_old(event):
            return []
        tail, start, volume = tail_of(event), event.start_ts, Decimal(event.volume)
        held = self._instruments.get(tail) or self._instruments.put(tail, DatedDecimals())
        newest = held.newest()
        if start > event_time(event) or (newest is not None and start <= newest):
            return []
        held.drop_before(start - self.rules.minutes * MINUTE)
        past = sorted(held)
        held.append(start, volume)
        if len(past) < self.rules.samples:
            return []
        return self._decide(event, tail, (volume, past[len(past) // 2], len(past)))

    def _decide(self, event: FastEvent, tail: str, known: tuple[Decimal, Decimal, int]) -> Outputs:
        rules, trace, (volume, usual, _) = self.rules, self._trace, known
        base, at = event.symbol.partition("/"), event_time(event)
        rate = self._rates.find(base[2].partition(":")[0], at)
        if rate is None or not usual:
            return []
        tier = rules.tiers.find(base[0])
        times, usd = ratio(volume, usual), _value(event, rate)
        many, much = MOST > times >= rules.times, MOST > usd >= rules.usd[tier]
        if trace is not None:
            trace.compare("volume of a minute, times the median", (times, ">=", rules.times), at, holds=many)
            trace.compare("usd_value", (usd, ">=", rules.usd[tier]), at, holds=much)
        if not (many and much):
            return []
        return fire(
            self.cooldowns,
            tail,
            (at, rules.cooldown),
            trace,
            make=lambda: (subjects.VOLUME_SPIKE + tail, self._signal(event, (tail, tier, rate), known, times)),
        )

    def _signal(
        self, event: FastEvent, about: tuple[str, Tier, UsdRate], known: tuple[Decimal, Decimal, int], times: Decimal
    ) -> FastEvent:
        tail, tier, rate = about
        volume, usual, samples = known
        return FastSignal(
            id=f"{tail}.volume_spike.{mark_of([event.id])}",
            **origin_of(event),
            tier=tier,
            event_ids=[event.id],
            rule=RULE,
            volume=format(volume, "f"),
            usual=format(usual, "f"),
            times=format(times, "f"),
            samples=samples,
            usd_value=as_dollars(_value(event, rate)),
            usd_rate=format(rate.rate, "f"),
            usd_rate_source=rate.source,
            open=event.open,
            close=event.close,
            start_ts=event.start_ts,
            threshold=format(self.rules.times, "f"),
            threshold_usd=format(self.rules.usd[tier], "f"),
        )


def _value(event: FastEvent, rate: UsdRate) -> Decimal:
    """Return what a candle's volume is worth in dollars; at its close where its value in the quote is not known."""
    given = event.quote_volume
    value = EXACT.multiply(Decimal(event.volume), Decimal(event.close)) if given is None else Decimal(given)
    return EXACT.multiply(value, rate.rate)
