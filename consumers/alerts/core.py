"""Decides when a price alert is met and when it speaks. Pure: a rule, its state and prices go in, messages come out.

A crossing is counted once whatever the jitter: after it, the price has to go back by the hysteresis first. What is met
within a cooldown or a snooze is held, and the first price after it makes one message of all that is held. So there are
at most 1 + T/cooldown messages in any time T, and what they stand for adds up to the crossings.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any, Final

import msgspec

from consumers.alerts.prices import FeedState, Price
from contracts.alerts import PRICE_ALERT, Alert, Condition
from contracts.arithmetic.exact import EXACT
from contracts.codec import fast

FastAlert: Final = fast(Alert)
RULE: Final = "price/1"
SECOND: Final = 1_000_000_000
LATE_NS: Final = 10 * SECOND  # met so long before it was decided: nobody was there
MOST_CAUSES: Final = 100  # named in one message, the newest
BUCKETS: Final = 60  # a window of `change` is kept as so many lowest and highest prices
_HUNDRED: Final = Decimal(100)


class Rule(msgspec.Struct, frozen=True, kw_only=True):
    """A price alert as its owner wants it; `since_ns` and `since_seq` are where its present revision began."""

    id: str
    owner: str
    symbol: str
    tail: str
    exchange: str | None
    condition: Condition
    value: str | None
    window_seconds: int | None
    interval_seconds: int | None
    repeat: bool
    hysteresis: str
    cooldown_seconds: int
    created_ns: int
    updated_ns: int
    since_ns: int
    since_seq: int
    revision: int = 1
    expires_ns: int | None = None
    snoozed_ns: int = 0
    note: str | None = None
    telegram: int | None = None
    webhooks: bool = False
    request_key: str | None = None
    asked: str = ""  # a hash of what was requested


class Met(msgspec.Struct, frozen=True):
    """One time that a rule was met."""

    ts: int
    price: str
    previous: str | None
    cause: str
    sim: bool


class State(msgspec.Struct, kw_only=True):
    """Everything that a rule goes on from behind the stream's message `seq`, which the stream took at `seq_ns`."""

    seq: int = 0
    seq_ns: int = 0
    feed: FeedState = msgspec.field(default_factory=FeedState)
    clock: int = 0
    previous: str | None = None
    armed: bool = True
    above: bool | None = None
    due: int = 0
    window: list[tuple[int, str, str]] = msgspec.field(default_factory=list[tuple[int, str, str]])
    crossings: int = 0
    messages: int = 0
    held: int = 0
    causes: list[str] = msgspec.field(default_factory=list[str])
    met: Met | None = None
    spoke: int | None = None
    fired_id: str | None = None
    done: bool = False


def begin_again(state: State) -> None:
    """Arm a rule as if it were new; what it counted stays counted."""
    state.armed, state.above, state.due, state.window = True, None, 0, []
    state.held, state.causes, state.met = 0, [], None
    state.previous, state.spoke, state.done = None, None, False


class PriceWatch:
    """One rule at work."""

    __slots__ = ("_high", "_low", "_meets", "_value", "rule", "state")

    def __init__(self, rule: Rule, state: State) -> None:
        self.rule, self.state = rule, state
        self._value = Decimal(rule.value or 0)
        back = EXACT.divide(EXACT.multiply(self._value, Decimal(rule.hysteresis)), _HUNDRED)
        self._low, self._high = self._value - back, self._value + back
        self._meets = {
            "above": self._above,
            "below": self._below,
            "crosses": self._crosses,
            "change": self._change,
            "every": self._every,
        }[rule.condition]

    @property
    def band(self) -> tuple[Decimal, Decimal]:
        """The prices between which a crossing is not counted again."""
        return self._low, self._high

    @property
    def quiet_until(self) -> int:
        """Until when it says nothing, ns UTC."""
        spoke = self.state.spoke
        cooled = 0 if spoke is None else spoke + self.rule.cooldown_seconds * SECOND
        return max(cooled, self.rule.snoozed_ns)

    def fold(self, price: Price, now: int | None = None) -> Any:
        """Fold one price; return the fast Alert that it makes, or None. `now` (ns UTC) decides whether it is late."""
        state, rule = self.state, self.rule
        if state.done:
            return None
        state.clock = max(state.clock, price.ts)
        if rule.expires_ns is None or state.clock < rule.expires_ns:
            before = state.previous
            count, reference = self._meets(price)
            if count:
                state.crossings += count
                state.held += count
                state.causes = [*state.causes[1 - MOST_CAUSES :], price.cause]
                state.met = Met(state.clock, price.text, reference or before, price.cause, price.sim)
        state.previous = price.text
        if state.held and state.clock >= self.quiet_until:
            return self._speak(now)
        return None

    def _speak(self, now: int | None) -> Any:
        rule, state, met = self.rule, self.state, self.state.met
        if met is None:
            raise AssertionError("what is held was met")
        state.messages += 1
        state.fired_id = f"{rule.tail}.alert.{rule.id}.{state.messages}"
        alert = FastAlert(
            id=state.fired_id,
            venue=rule.tail.partition(".")[0],
            symbol=rule.symbol,
            venue_symbol=None,
            ts_event=met.ts,
            ts_recv=state.clock,
            sim=met.sim,
            alert=PRICE_ALERT,
            rule=RULE,
            fired_at=met.ts,
            late=now is not None and now - met.ts > LATE_NS,
            stands_for=state.held,
            causes=state.causes,
            price=met.price,
            previous_price=met.previous,
            condition=rule.condition,
            threshold=rule.value,
            rule_id=rule.id,
            owner=rule.owner,
            note=rule.note,
            telegram=rule.telegram,
            webhooks=rule.webhooks,
        )
        state.spoke, state.held, state.causes = state.clock, 0, []
        state.done = not rule.repeat
        return alert

    def _above(self, price: Price) -> tuple[int, str | None]:
        if price.value >= self._value:
            met, self.state.armed = self.state.armed, False
            return int(met), None
        if price.value <= self._low:
            self.state.armed = True
        return 0, None

    def _below(self, price: Price) -> tuple[int, str | None]:
        if price.value <= self._value:
            met, self.state.armed = self.state.armed, False
            return int(met), None
        if price.value >= self._high:
            self.state.armed = True
        return 0, None

    def _crosses(self, price: Price) -> tuple[int, str | None]:
        """Count a passage to the other side, at once after the price was a hysteresis away, else when it is now."""
        state, value = self.state, price.value
        above = value >= self._value
        away = value >= self._high if above else value <= self._low
        if state.above is None:
            state.above = above
        elif above != state.above:
            if state.armed or away:
                state.above, state.armed = above, away
                return 1, None
        elif away:
            state.armed = True
        return 0, None

    def _change(self, price: Price) -> tuple[int, str | None]:
        """Count a move within the window; the next one is measured from where this one ended."""
        state = self.state
        number = state.clock // self.bucket_ns
        state.window = self._window(state.clock)
        moved = self.moved_from(price.value, state.clock)
        if moved is not None:
            state.window = [(number, price.text, price.text)]
            return 1, moved
        if not state.window or state.window[-1][0] != number:
            state.window.append((number, price.text, price.text))
        else:
            _, low, high = state.window[-1]
            low, high = min(low, price.text, key=Decimal), max(high, price.text, key=Decimal)
            state.window[-1] = (number, low, high)
        return 0, None

    @property
    def bucket_ns(self) -> int:
        """The length of a part of the window, ns."""
        return (self.rule.window_seconds or BUCKETS) * SECOND // BUCKETS

    def extremes(self, at: int) -> tuple[str, str] | None:
        """Return the lowest and the highest price of the window that ends at a time; None where it is empty."""
        window = self._window(at)
        if not window:
            return None
        return min((kept[1] for kept in window), key=Decimal), max((kept[2] for kept in window), key=Decimal)

    def moved_from(self, value: Decimal, at: int) -> str | None:
        """Return the price of the window that `value` is the percentage away from; None where there is none."""
        extremes = self.extremes(at)
        if extremes is None:
            return None
        low, high = extremes
        if EXACT.multiply(value, _HUNDRED) >= EXACT.multiply(Decimal(low), _HUNDRED + self._value):
            return low
        if EXACT.multiply(value, _HUNDRED) <= EXACT.multiply(Decimal(high), _HUNDRED - self._value):
            return high
        return None

    def _window(self, at: int) -> list[tuple[int, str, str]]:
        oldest = at // self.bucket_ns - BUCKETS
        return [kept for kept in self.state.window if kept[0] > oldest]

    def _every(self, _price: Price) -> tuple[int, str | None]:
        interval = (self.rule.interval_seconds or 1) * SECOND
        state = self.state
        due = state.due or self.rule.since_ns + interval
        count = max(0, (state.clock - due) // interval + 1)
        state.due = due + count * interval
        return count, None
