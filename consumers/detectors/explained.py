"""How the detectors are explained: each run again over the events of its instrument."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any, Final

from consumers.detectors import funding, interest, listings, spread, volume, wall
from consumers.detectors.rules import MINUTE, DetectorRules, limits_of, with_limits
from consumers.detectors.samples import decode_samples
from consumers.detectors.spread import is_of_one_venue
from consumers.detectors.unpacking import PREFIX, STREAM, decode_listings
from contracts import streams, subjects
from contracts.arithmetic.usd import DatedRates
from contracts.numbers import DAY_NS
from runtime.app.explaining.pricing import PriceTaker
from runtime.app.explaining.rule import ANY, MARGIN, FastEvent, Folding, Limits, Outputs, Rule, Running, Scope, Source
from runtime.app.explaining.trace import Recorded, Trace
from runtime.nats.streams.reader import Row

_RARE: Final = 10 * MINUTE  # how far back the last word of a figure is looked for that is asked for once in minutes
_EVER: Final = 3650 * DAY_NS
Make = Callable[[Any, Trace | None], Any]


def detector_rules(rules: DetectorRules, find_known: funding.FindKnown) -> tuple[Rule, ...]:
    """Return the rules as they are configured; `find_known` gives the quantiles that held."""
    return (
        _funding(rules, find_known),
        _interest(rules),
        _wall(rules),
        _spread(rules),
        _volume(rules),
        _listing(),
    )


def _funding(rules: DetectorRules, find_known: funding.FindKnown) -> Rule:
    own = rules.funding
    return Rule(
        kind="funding_extreme",
        name=funding.RULE,
        signals=subjects.FUNDING_EXTREME,
        cooldown=own.cooldown,
        sources=_reads(streams.DERIVATIVES, subjects.FUNDING, _RARE),
        run=_runs(own, lambda tried, trace: funding.FundingDetector(tried, trace, find_known)),
        needs=frozenset({"funding"}),
        limits=limits_of(own) - {"samples", "share", "floor"},
    )


def _interest(rules: DetectorRules) -> Rule:
    own = rules.interest
    return Rule(
        kind="interest_jump",
        name=interest.RULE,
        signals=subjects.INTEREST_JUMP,
        cooldown=own.cooldown,
        sources=_reads(streams.DERIVATIVES, subjects.INTEREST, own.window + _RARE),
        run=_runs(own, interest.InterestDetector),
        needs=frozenset({"interest"}),
        limits=limits_of(own),
    )


def _wall(rules: DetectorRules) -> Rule:
    own = rules.wall
    return Rule(
        kind="wall",
        name=wall.RULE,
        signals=subjects.WALL,
        cooldown=own.cooldown,
        sources=_reads(streams.SAMPLES, subjects.SAMPLE_BOOK, 2 * MARGIN, decode_samples),
        run=_runs_with_prices(own, wall.WallDetector),
        needs=frozenset({"book", "delta", "ticker"}),
        dated=True,
        limits=limits_of(own),
    )


def _spread(rules: DetectorRules) -> Rule:
    own = rules.spread
    return Rule(
        kind="spread",
        name=spread.RULE,
        signals=subjects.SPREAD,
        cooldown=own.cooldown,
        sources=lambda scope: (Source(streams.MARKET, (subjects.TICKER + scope.everywhere,), own.stale + MARGIN),),
        run=_runs(own, spread.SpreadDetector, is_of_one_venue),
        needs=frozenset({"ticker"}),
        all_venues=True,
        limits=limits_of(own),
    )


def _volume(rules: DetectorRules) -> Rule:
    own = rules.volume
    return Rule(
        kind="volume_spike",
        name=volume.RULE,
        signals=subjects.VOLUME_SPIKE,
        cooldown=own.cooldown,
        sources=_reads(streams.CANDLES_1M, f"{subjects.CANDLE}{volume.TIMEFRAME}.", (own.minutes + 3) * MINUTE),
        run=_runs_with_prices(own, volume.VolumeDetector),
        needs=frozenset({"trade", "ticker"}),
        dated=True,
        limits=limits_of(own),
    )


def _listing() -> Rule:
    def sources(scope: Scope) -> tuple[Source, ...]:
        units = (PREFIX + ">",) if scope.venue == ANY else (PREFIX + scope.venue, f"{PREFIX}{scope.venue}.>")
        return (Source(STREAM, units, _EVER, decode_listings, newest=True),)

    def on_nothing(scope: Scope, trace: Trace, at: int) -> None:
        trace.compare(f"changes in the listing of {scope.venue}", (0, ">=", 1), at, holds=False)

    return Rule(
        kind="listing",
        name=listings.RULE,
        signals=subjects.LISTING,
        cooldown=0,
        sources=sources,
        run=lambda _scope, _limits, trace: _Wanted(listings.ListingDetector(trace), None),
        needs=frozenset(),
        on_nothing=on_nothing,
    )


def _reads(
    stream: str, prefix: str, before: int, decode: Callable[[Sequence[Row]], list[Recorded]] | None = None
) -> Callable[[Scope], Sequence[Source]]:
    """Return what a rule reads that decides instrument by instrument, by events of one kind."""
    return lambda scope: (Source(stream, (prefix + scope.tail,), before, decode),)


def _runs(
    rules: Any, make: Make, wanted: Callable[[FastEvent], bool] | None = None
) -> Callable[[Scope, Limits, Trace | None], Running]:
    return lambda _scope, limits, trace: _Wanted(make(with_limits(rules, limits), trace), wanted)


def _runs_with_prices(rules: Any, make: Callable[..., Any]) -> Callable[[Scope, Limits, Trace | None], Running]:
    def run(_scope: Scope, limits: Limits, trace: Trace | None) -> Folding:
        prices = PriceTaker(DatedRates())
        return Folding(make(with_limits(rules, limits), prices.rates, trace), prices.take)

    return run


class _Wanted:
    """A detector that some events of its subjects are not for."""

    def __init__(self, detector: Any, wanted: Callable[[FastEvent], bool] | None) -> None:
        self._folding, self._wanted = Folding(detector), wanted

    def recall(self, signals: Iterable[FastEvent]) -> None:
        """Let the silences be those that these signals began, and no others."""
        self._folding.recall(signals)

    def fold(self, subject: str, event: FastEvent, at: int) -> Outputs:
        """Fold one event that is wanted."""
        return self._folding.fold(subject, event, at) if self._wanted is None or self._wanted(event) else ()

    def end(self, at: int) -> Outputs:
        """Return nothing: time alone decides nothing here."""
        return self._folding.end(at)
