"""What a consumer says of a rule so that it can be explained: where its events are, and how to run it from nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Protocol, runtime_checkable

from contracts import subjects
from contracts.instrument import escape_token, make_instrument, split_symbol
from runtime.app.explaining.trace import Recorded, Trace
from runtime.nats.streams.reader import Row

FastEvent = Any  # a struct of `contracts.codec.fast`: decimals are text
Outputs = Iterable[tuple[str, FastEvent]]
"""(subject, signal) pairs."""
Limits = Mapping[str, str]
MARGIN: Final = 60_000_000_000  # ns: events arrive later than they happened
ANY: Final = "*"


@dataclass(frozen=True, slots=True)
class Scope:
    """Which instruments: subject tokens, `*` for any; `across`: of a rule over venues, where signals are by base."""

    venue: str = ANY
    base: str = ANY
    quote: str = ANY
    contract: str = ANY
    across: bool = False

    @property
    def tail(self) -> str:
        """The instruments' tails as a wildcard; of a rule over venues those of the base, everywhere."""
        if self.across:
            return f"*.{self.base}.>"
        return f"{self.venue}.{self.base}.{self.quote}.{self.contract}"

    @property
    def everywhere(self) -> str:
        """The tails of this base, quote and contract on every venue."""
        return f"*.{self.base}.{self.quote}.{self.contract}"

    @property
    def signals(self) -> str:
        """The tails of the signals."""
        return subjects.cross_venue_tail(self.base) if self.across else self.tail


class Running(Protocol):
    """A rule that runs over the past, from nothing; it has the trace that it was given."""

    def recall(self, signals: Iterable[FastEvent], /) -> None:
        """Let the silences be those that these signals began, and no others."""
        ...

    def fold(self, subject: str, event: FastEvent, at: int, /) -> Outputs:
        """Fold one event, which its stream took at a time (ns UTC); raises where it cannot be folded."""
        ...

    def end(self, at: int, /) -> Outputs:
        """Return what follows from time alone until `at`, ns UTC."""
        ...


@runtime_checkable
class Batched(Protocol):
    """A running rule that folds many events at once and knows no silences."""

    def fold_batch(self, events: Sequence[tuple[str, FastEvent]], /) -> Outputs:
        """Fold (subject, event) pairs in order, at the times when they were received."""
        ...


@dataclass(frozen=True, slots=True)
class Source:
    """Which subjects of which stream the rule reads, and from how long before a moment on, ns.

    `decode`: where the rows are no events on subjects of their own; `newest`: the stream keeps the newest of each
    subject only, and that is all that the rule needs; `wants`: of which subjects the events are, where one wide
    pattern is read because the server takes a hundred times as long to look for two.
    """

    stream: str
    subjects: tuple[str, ...]
    before: int
    decode: Callable[[Sequence[Row]], list[Recorded]] | None = None
    newest: bool = False
    wants: Callable[[bytes], bool] | None = None


def _no_events(_scope: Scope, _trace: Trace, _at: int) -> None:
    return


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One rule of a consumer.

    `kind`: of its signals, whose subjects begin with `signals`; `cooldown`: the longest, ns; `across`: it decides by
    base, over all venues; `all_venues`: by base, quote and contract, over all venues; `dated`: it values other quotes
    by dated prices; `needs`: the channels of feeds that it lives of; `on_nothing` adds what the rule compares when no
    event came; `limits`: what a dry run may try in place of what is configured.
    """

    kind: str
    name: str
    signals: str
    cooldown: int
    sources: Callable[[Scope], Sequence[Source]]
    run: Callable[[Scope, Limits, Trace | None], Running]
    needs: frozenset[str]
    across: bool = False
    all_venues: bool = False
    dated: bool = False
    on_nothing: Callable[[Scope, Trace, int], None] = _no_events
    limits: frozenset[str] = field(default_factory=frozenset[str])

    def scope_of(self, symbol: str | None, venue: str | None) -> Scope:
        """Return the instruments that a request names; raises SymbolSyntaxError."""
        if symbol is None:
            return Scope(ANY if venue is None else escape_token(venue), across=self.across)
        if self.across:
            return Scope(base=escape_token(split_symbol(symbol)[0]), across=True)
        _, base, quote, contract = make_instrument("x", symbol, "").tail.split(".")
        shown = subjects.ALL_VENUES if self.all_venues else venue
        return Scope(ANY if shown is None else escape_token(shown), base, quote, contract)

    def scope_at(self, tail: str) -> Scope:
        """Return the instruments of a signal's tail."""
        venue, base, quote, contract = tail.split(".")
        return Scope(base=base, across=True) if self.across else Scope(venue, base, quote, contract)


class Folding:
    """A detector that is a `fold` by itself: events and their own time decide, nothing else."""

    def __init__(self, detector: Any, on_price: Callable[[str, FastEvent], bool] | None = None) -> None:
        self._detector, self._on_price = detector, on_price

    def recall(self, signals: Iterable[FastEvent]) -> None:
        """Let the silences be those that these signals began, and no others."""
        self._detector.cooldowns.clear()
        for signal in signals:
            self._detector.recall(signal)

    def fold(self, subject: str, event: FastEvent, _at: int) -> Outputs:
        """Fold one event, or take the price that it tells."""
        if self._on_price is not None and self._on_price(subject, event):
            return ()
        return self._detector.fold(event)

    def end(self, _at: int) -> Outputs:
        """Return nothing: time alone decides nothing here."""
        return ()
