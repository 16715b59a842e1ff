"""Runs a price alert again over recorded tickers, and says what it compared. Pure: the very rule, the same prices."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from decimal import ROUND_DOWN, Decimal
from typing import Any, Final, Literal

from consumers.alerts.core import SECOND, PriceWatch, Rule, State
from consumers.alerts.prices import Price
from consumers.alerts.watching import Watchlist
from contracts.arithmetic.exact import EXACT, FINE
from contracts.services.explaining import Comparison, Cooldown, Evidence, Operator

FastEvent = Any  # a struct of `contracts.codec.fast`: decimals are text
MOST_KEPT: Final = 20  # moments of a kind, the newest
_PLACES: Final = Decimal("0.0001")
_HUNDRED: Final = Decimal(100)


@dataclass(slots=True)
class Moment:
    """What a rule decided at one price: what it compared, whether it was met, and what it said."""

    price: Price
    subject: str
    seq: int
    comparisons: list[Comparison]
    distance: Decimal
    met: bool
    alert: FastEvent | None

    def evidence(self) -> Evidence:
        """Return the event that the price is from."""
        return Evidence(
            id=self.price.cause, subject=self.subject, sequence=self.seq, ts=self.price.ts, says=f"at {self.price.text}"
        )


@dataclass(slots=True)
class Span:
    """What is kept of a span: its last moment, the closest that was not met, those met, and what was said."""

    last: Moment | None = None
    closest: Moment | None = None
    met: deque[Moment] = field(default_factory=lambda: deque[Moment](maxlen=MOST_KEPT))
    fired: deque[Moment] = field(default_factory=lambda: deque[Moment](maxlen=MOST_KEPT))
    prices: int = 0

    def add(self, moment: Moment) -> None:
        """Take one moment."""
        self.prices += 1
        self.last = moment
        if moment.met:
            self.met.append(moment)
        elif self.closest is None or moment.distance < self.closest.distance:
            self.closest = moment
        if moment.alert is not None:
            self.fired.append(moment)

    @property
    def decision(self) -> Literal["fired", "held", "not_met", "no_data"]:
        """What became of it."""
        if self.fired:
            return "fired"
        if self.met:
            return "held"
        return "not_met" if self.prices else "no_data"


class Replay:
    """One rule from a state of it on."""

    def __init__(self, rule: Rule, state: State) -> None:
        self.rule = rule
        self._list = Watchlist()
        self._list.load([(rule, state)])

    @property
    def watch(self) -> PriceWatch:
        """The rule as it stands."""
        return next(iter(self._list))

    @property
    def clock(self) -> int:
        """The time of its last price, ns UTC."""
        return self._list.state_of(self.rule.id).state.feed.clock

    def fold(self, subject: str, ticker: FastEvent, seq: int, *, explain: bool = True) -> Moment | None:
        """Fold one ticker; return what was decided, None where it made no price. Without `explain` nothing is said."""
        watch, before = self.watch, self.watch.state.crossings
        probe = _Probe(watch, explain=explain)
        decided = self._list.fold(subject, ticker, seq, look=probe)
        if probe.price is None:
            return None
        alert = decided[0].alert if decided else None
        met = watch.state.crossings > before
        return Moment(probe.price, subject, seq, probe.comparisons, probe.distance, met, alert)


class _Probe:
    """Looks at a rule before it folds a price."""

    def __init__(self, watch: PriceWatch, *, explain: bool) -> None:
        self._watch, self._explain = watch, explain
        self.price: Price | None = None
        self.comparisons: list[Comparison] = []
        self.distance = Decimal(0)

    def __call__(self, price: Price) -> None:
        self.price = price
        if self._explain:
            at = max(self._watch.state.clock, price.ts)
            self.comparisons = [*compare(self._watch, price), *silences(self._watch, at)]
            self.distance = distance(self._watch, price)


def compare(watch: PriceWatch, price: Price) -> Iterator[Comparison]:
    """Yield what a rule compares at a price, before it folds it: all that decide hold where it is met."""
    rule, state, at = watch.rule, watch.state, max(watch.state.clock, price.ts)
    if rule.expires_ns is not None:
        yield _comparison("time", (str(at), "<", str(rule.expires_ns)), at, holds=at < rule.expires_ns)
    match rule.condition:
        case "above" | "below":
            yield from _one_way(watch, price, at)
        case "crosses":
            yield from _passage(watch, price, at)
        case "change":
            yield from _moves(watch, price, at)
        case "every":
            due = state.due or rule.since_ns + (rule.interval_seconds or 1) * SECOND
            yield _comparison("time", (str(at), ">=", str(due)), at, holds=at >= due)


def silences(watch: PriceWatch, at: int) -> Iterator[Comparison]:
    """Yield what a rule compares before it speaks: the cooldown, and the snooze."""
    rule, spoke = watch.rule, watch.state.spoke
    if spoke is not None and rule.cooldown_seconds:
        since = Decimal(at - spoke) / SECOND
        held = at >= spoke + rule.cooldown_seconds * SECOND
        what = "seconds since the last message"
        yield _comparison(what, (f"{since:f}", ">=", str(rule.cooldown_seconds)), at, holds=held)
    if rule.snoozed_ns:
        yield _comparison("time", (str(at), ">=", str(rule.snoozed_ns)), at, holds=at >= rule.snoozed_ns)


def cooldown_of(watch: PriceWatch, at: int) -> Cooldown | None:
    """Return the silence that holds a rule at a time."""
    state, until = watch.state, watch.quiet_until
    if at >= until:
        return None
    return Cooldown(fired_id=state.fired_id or "snoozed", since=state.spoke or watch.rule.updated_ns, until=until)


def distance(watch: PriceWatch, price: Price) -> Decimal:
    """Return how far a price is from meeting a rule, in percent of what it is compared with."""
    rule = watch.rule
    if rule.condition == "every":
        return Decimal(0)
    if rule.condition == "change":
        return Decimal(rule.value or 0) - max(_rise(watch, price), _fall(watch, price))
    value = Decimal(rule.value or 1)
    return FINE.divide(abs(price.value - value) * _HUNDRED, value)


def _one_way(watch: PriceWatch, price: Price, at: int) -> Iterator[Comparison]:
    value, above = watch.rule.value or "", watch.rule.condition == "above"
    reached = price.value >= Decimal(value) if above else price.value <= Decimal(value)
    yield _comparison("price", (price.text, ">=" if above else "<=", value), at, holds=reached)
    back = watch.band[0] if above else watch.band[1]
    yield _armed(watch, f"back {'below' if above else 'above'} {back:f} since the last crossing", at)


def _passage(watch: PriceWatch, price: Price, at: int) -> Iterator[Comparison]:
    state, value = watch.state, watch.rule.value or ""
    low, high = watch.band
    from_above = state.above is True
    other = state.above is not None and (price.value >= Decimal(value)) != state.above
    yield _comparison("price", (price.text, "<" if from_above else ">=", value), at, holds=other)
    if state.armed:
        yield _armed(watch, f"outside {low:f} to {high:f} since the last crossing", at)
    else:
        edge = low if from_above else high
        away = price.value <= low if from_above else price.value >= high
        yield _comparison("price", (price.text, "<=" if from_above else ">=", f"{edge:f}"), at, holds=away)


def _moves(watch: PriceWatch, price: Price, at: int) -> Iterator[Comparison]:
    value = watch.rule.value or ""
    met = watch.moved_from(price.value, at) is not None
    rise, fall = _rise(watch, price), _fall(watch, price)
    what, moved = ("rise", rise) if rise >= fall else ("fall", fall)
    within = f"percent of {what} within {watch.rule.window_seconds} s"
    yield _comparison(within, (f"{moved.quantize(_PLACES, ROUND_DOWN, FINE):f}", ">=", value), at, holds=met)


def _rise(watch: PriceWatch, price: Price) -> Decimal:
    extremes = watch.extremes(max(watch.state.clock, price.ts))
    return Decimal(0) if extremes is None else _percent(price.value - Decimal(extremes[0]), extremes[0])


def _fall(watch: PriceWatch, price: Price) -> Decimal:
    extremes = watch.extremes(max(watch.state.clock, price.ts))
    return Decimal(0) if extremes is None else _percent(Decimal(extremes[1]) - price.value, extremes[1])


def _percent(part: Decimal, whole: str) -> Decimal:
    return FINE.divide(EXACT.multiply(part, _HUNDRED), Decimal(whole))


def _armed(watch: PriceWatch, what: str, at: int) -> Comparison:
    return _comparison(what, ("yes" if watch.state.armed else "no", "==", "yes"), at, holds=watch.state.armed)


def _comparison(what: str, compared: tuple[str, Operator, str], at: int, *, holds: bool) -> Comparison:
    value, operator, limit = compared
    return Comparison(what=what, value=value, operator=operator, limit=limit, holds=holds, at=at)
