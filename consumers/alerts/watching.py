"""Every price alert at work, by market, folded over tickers in the stream's order. Pure.

Rules that stand at the same message of the same prices share one feed; after a crash some may stand further back, and
catch up by themselves.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any, NamedTuple

import msgspec

from consumers.alerts.core import PriceWatch, Rule, State
from consumers.alerts.prices import Price, PriceFeed
from contracts import subjects

Look = Callable[[Price], None]
FastEvent = Any  # a struct of `contracts.codec.fast`: decimals are text


class Group:
    """The rules of one tail that go on from the same message."""

    __slots__ = ("feed", "seq", "watches")

    def __init__(self, feed: PriceFeed, seq: int) -> None:
        self.feed, self.seq = feed, seq
        self.watches: dict[str, PriceWatch] = {}


class Decided(NamedTuple):
    """A message, by which message of the stream it was decided, and the rule and its state behind it."""

    alert: FastEvent
    seq: int
    watch: PriceWatch


def market_of(tail: str) -> str:
    """Return `<BASE>.<QUOTE>.<contract>`."""
    return tail.partition(".")[2]


def ticker_pattern(market: str) -> str:
    """Return the subject of every ticker of a market, the consolidated one among them."""
    return f"{subjects.TICKER}*.{market}"


class Watchlist:
    """The rules that can fire still; `seq` is the stream's message up to which everything was folded."""

    def __init__(self) -> None:
        self.seq = 0
        self.seq_ns = 0
        self._groups: dict[str, list[Group]] = {}
        self._of: dict[str, Group] = {}

    def __len__(self) -> int:
        return len(self._of)

    def __iter__(self) -> Iterator[PriceWatch]:
        for rule_id, group in self._of.items():
            yield group.watches[rule_id]

    @property
    def markets(self) -> frozenset[str]:
        """The markets whose tickers are needed."""
        return frozenset(market for market, groups in self._groups.items() if any(group.watches for group in groups))

    def load(self, kept: Iterable[tuple[Rule, State]]) -> None:
        """Take rules as they were saved."""
        for rule, state in kept:
            groups = self._groups.setdefault(market_of(rule.tail), [])
            group = next((one for one in groups if one.feed.tail == rule.tail and one.seq == state.seq), None)
            if group is None:
                group = Group(PriceFeed(rule.tail, state.feed), state.seq)
                groups.append(group)
            self._join(group, PriceWatch(rule, state))

    def add(self, watch: PriceWatch) -> None:
        """Take a rule that begins with what comes: it joins those of its tail."""
        groups = self._groups.setdefault(market_of(watch.rule.tail), [])
        fitting = [group for group in groups if group.feed.tail == watch.rule.tail]
        if fitting:
            group = max(fitting, key=lambda one: one.seq)
        else:
            group = Group(PriceFeed(watch.rule.tail), watch.rule.since_seq)
            groups.append(group)
        self._join(group, watch)

    def put(self, watch: PriceWatch) -> None:
        """Let a rule go on as it is now."""
        self._of[watch.rule.id].watches[watch.rule.id] = watch

    def find(self, rule_id: str) -> PriceWatch | None:
        """Return a rule at work."""
        group = self._of.get(rule_id)
        return None if group is None else group.watches[rule_id]

    def remove(self, rule_id: str) -> None:
        """Let a rule go."""
        group = self._of.pop(rule_id, None)
        if group is not None:
            del group.watches[rule_id]
            if not group.watches:
                self._groups[market_of(group.feed.tail)].remove(group)

    def fold(
        self, subject: str, ticker: FastEvent, seq: int, *, now: int | None = None, look: Look | None = None
    ) -> list[Decided]:
        """Fold one ticker, message `seq` of the stream; `now` in ns UTC. `look` sees each price before it is folded."""
        venue, _, market = subject.removeprefix(subjects.TICKER).partition(".")
        decided: list[Decided] = []
        for group in self._groups.get(market, ()):
            if seq <= group.seq:
                continue
            group.seq = seq
            price = group.feed.fold(venue, ticker)
            if price is None:
                continue
            for watch in group.watches.values():
                if seq <= watch.rule.since_seq:
                    continue
                if look is not None:
                    look(price)
                alert = watch.fold(price, now)
                if alert is not None:
                    decided.append(Decided(alert, seq, watch))
        return decided

    def on_read(self, seq: int, seq_ns: int) -> None:
        """Take note that everything up to a message, which the stream took at `seq_ns`, was folded."""
        self.seq, self.seq_ns = seq, seq_ns

    def on_other_stream(self) -> None:
        """Begin to count again: the stream is another one, whose numbers mean other messages."""
        self.seq = 0
        for groups in self._groups.values():
            for group in groups:
                group.seq = 0
        for rule_id, group in self._of.items():
            watch = group.watches[rule_id]
            group.watches[rule_id] = PriceWatch(msgspec.structs.replace(watch.rule, since_seq=0), watch.state)

    def states(self) -> Iterator[PriceWatch]:
        """Yield every rule with its state as it is to be saved."""
        for rule_id, group in self._of.items():
            group.seq = max(group.seq, self.seq)
            yield self.state_of(rule_id)

    def state_of(self, rule_id: str) -> PriceWatch:
        """Return a rule with its state as it is to be saved."""
        group = self._of[rule_id]
        watch = group.watches[rule_id]
        watch.state.seq, watch.state.seq_ns, watch.state.feed = group.seq, self.seq_ns, group.feed.state
        return watch

    def _join(self, group: Group, watch: PriceWatch) -> None:
        group.watches[watch.rule.id] = watch
        self._of[watch.rule.id] = group
