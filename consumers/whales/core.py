"""Merges one aggressor's fills and decides which of them are whales. Pure: trades and the time go in, signals come out.

Fills belong together where venue, instrument, side and the venue's own time are the same. A group is complete when the
instrument's next other trade arrives, or when nothing was added for `hold`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final

import msgspec

from consumers.whales.groups import MARK, MOST_FILLS, InstrumentState, average_price, check_fill, sum_fills
from contracts import subjects
from contracts.arithmetic.exact import EXACT, as_dollars, read_amount
from contracts.arithmetic.tiers import Tiers
from contracts.arithmetic.usd import UsdRates
from contracts.codec import fast
from contracts.market import Trade
from contracts.numbers import DAY_NS, time_of
from contracts.recent import Recent
from contracts.signals import Tier, WhaleTrade
from runtime.app.fold import Fault, fold_each

FastEvent = Any  # a struct of `contracts.codec.fast`: decimals are text

FastWhale: Final = fast(WhaleTrade)
MILLISECOND: Final = 1_000_000
SECOND: Final = 1_000_000_000
INSTRUMENTS: Final = 20_000  # subjects kept at least, those used last; at most twice as many
_MOST_SAVED: Final = 900_000  # bytes: a message of the bus holds a million
_SAVED_PRICES: Final = 1000  # of names of any length
_SAVED_FILLS: Final = 1000  # of open groups, in one saved document
_PRICE_EVERY: Final = 100 * MILLISECOND
Outputs = list[tuple[str, FastEvent]]
"""(subject, whale) pairs."""


@dataclass(frozen=True, slots=True)
class Adaptive:
    """Take the quantile of an instrument's own trade sizes of the last 24 h as its limit, never below `floor_usd`.

    `share` is (numerator, denominator), for example (999, 1000); below `samples` sizes the tier's limit holds.
    """

    share: tuple[int, int] = (999, 1000)
    samples: int = 1000
    floor_usd: Decimal = Decimal(10_000)


@dataclass(frozen=True, slots=True)
class WhaleRules:
    """USD limits by tier; `hold` in ns."""

    tiers: Tiers
    limits: Mapping[Tier, Decimal]
    hold: int = 200 * MILLISECOND
    adaptive: Adaptive | None = None

    @property
    def name(self) -> str:
        """The rule and its version, as signals carry it."""
        return "whale/1" if self.adaptive is None else "whale/1 adaptive {}/{}".format(*self.adaptive.share)


@dataclass(slots=True)
class WhaleCounts:
    """What was folded and what could not be decided, with its reason; `unvalued` and `emitted` count groups."""

    folded: int = 0
    duplicates: int = 0
    sideless: int = 0
    unsized: int = 0
    unvalued: int = 0
    emitted: int = 0
    old: int = 0  # printed more than a day ago
    cut: int = 0  # groups of more fills than a signal can name: published as several
    unsaved: int = 0  # open groups that a saved document had no room for


class Saved(msgspec.Struct):
    """Everything needed to go on after the stream's sequence `seq`: the open groups' fills by subject, and prices."""

    seq: int
    groups: dict[str, list[FastEvent]]
    prices: list[tuple[str, str, str, int]]


class WhaleDetector:
    """The open groups of every instrument."""

    def __init__(self, rules: WhaleRules, rates: UsdRates | None = None, instruments: int = INSTRUMENTS) -> None:
        self.rules = rules
        self.counts = WhaleCounts()
        self.seq = 0
        self._rates = rates or UsdRates()
        self._instruments: Recent[str, InstrumentState] = Recent(instruments)

    @property
    def forgotten(self) -> int:
        """How many instruments were dropped because others were traded meanwhile."""
        return self._instruments.dropped

    def fold(self, batch: Sequence[tuple[str, FastEvent]], seq: int, now: int) -> tuple[Outputs, Sequence[Fault]]:
        """Fold (subject, trade or ticker) pairs in the stream's order; give the whales, and what could not be folded.

        `seq` is the last one's, `now` ns UTC.
        """
        outputs: Outputs = []

        def fold(subject: str, event: FastEvent) -> None:
            instrument = self._instruments.get(subject) or self._instruments.put(
                subject, InstrumentState(subject, self.rules.tiers)
            )
            if not instrument.is_ticker:
                self._fold_trade(instrument, event, now, outputs)
                if instrument.tells_usd and event.ts_recv - instrument.priced >= _PRICE_EVERY:
                    self._take_price(instrument, event.price, event.ts_recv)
            elif event.last is not None and not instrument.is_left_out:
                self._take_price(instrument, event.last, event.ts_recv)

        faults = fold_each(batch, fold)
        self.counts.folded += len(batch) - len(faults)
        self.seq = seq
        return outputs, faults

    def tick(self, now: int) -> Outputs:
        """Close the groups that nothing was added to for `hold`; `now` ns UTC."""
        outputs: Outputs = []
        until = now - self.rules.hold
        for instrument in self._instruments.values():
            if instrument.fills and instrument.touched <= until:
                self._close(instrument, outputs)
        return outputs

    def save(self) -> bytes:
        """Give everything that `restore` needs, in one document that a bucket takes.

        Open groups that are more than that are left out, the oldest first, and counted.
        """
        groups: dict[str, list[FastEvent]] = {}
        room = _SAVED_FILLS
        for instrument in sorted(self._instruments.values(), key=lambda instrument: instrument.touched, reverse=True):
            if not instrument.fills:
                continue
            room -= len(instrument.fills)
            if room >= 0:
                groups[instrument.subject] = instrument.fills
            else:
                self.counts.unsaved += 1
        prices = self._rates.list_prices()
        document = msgspec.json.encode(Saved(seq=self.seq, groups=groups, prices=prices))
        if len(document) <= _MOST_SAVED:
            return document
        self.counts.unsaved += len(groups)
        return msgspec.json.encode(Saved(seq=self.seq, groups={}, prices=prices[-_SAVED_PRICES:]))

    def restore(self, document: bytes) -> int:
        """Take back what `save` gave; the sequence to go on after.

        Raises, with nothing taken back, msgspec.MsgspecError, SymbolSyntaxError or FigureError where it is not that.
        """
        saved = msgspec.json.decode(document, type=Saved)
        instruments: list[InstrumentState] = []
        for subject, fills in saved.groups.items():
            instrument = InstrumentState(subject, self.rules.tiers)
            instrument.fills = msgspec.convert(fills, list[fast(Trade)])
            for fill in instrument.fills:
                instrument.bound = check_fill(instrument.bound, fill.price, fill.amount)
                instrument.seen.add(fill.id)
            instruments.append(instrument)
        for _, _, price, _ in saved.prices:
            read_amount(price)
        for base, quote, price, ts in saved.prices:
            self._rates.on_price(base, quote, price, ts)
        for instrument in instruments:
            self._instruments.put(instrument.subject, instrument)
        self.seq = saved.seq
        return saved.seq

    def _fold_trade(self, instrument: InstrumentState, trade: FastEvent, now: int, outputs: Outputs) -> None:
        if not instrument.seen.add(trade.id):
            self.counts.duplicates += 1
            return
        try:
            self._add(instrument, trade, now, outputs)
        except ValueError:
            instrument.seen.discard(trade.id)
            raise

    def _add(self, instrument: InstrumentState, trade: FastEvent, now: int, outputs: Outputs) -> None:
        if len(trade.trade_id) > instrument.longest_id:
            raise ValueError("a whale that begins with this trade could not be named: its trade_id is too long")
        ts, side, fills = trade.ts_event, trade.side, instrument.fills
        old = now - time_of(ts, trade.ts_recv) > DAY_NS
        if side is None or trade.amount is None or old:
            if fills:
                self._close(instrument, outputs)
            self._count_left_out(trade)
            return
        joins = bool(fills) and ts == fills[0].ts_event and ts is not None and side == fills[0].side
        bound = check_fill(instrument.bound if joins else 0.0, trade.price, trade.amount)
        if fills and not joins:
            self._close(instrument, outputs)
        instrument.fills.append(trade)
        instrument.bound, instrument.touched = bound, now
        if len(instrument.fills) >= MOST_FILLS:
            self.counts.cut += 1
            self._close(instrument, outputs)

    def _count_left_out(self, trade: FastEvent) -> None:
        if trade.side is None:
            self.counts.sideless += 1
        elif trade.amount is None:
            self.counts.unsized += 1
        else:
            self.counts.old += 1

    def _take_price(self, instrument: InstrumentState, price: str, ts: int) -> None:
        instrument.priced = ts
        self._rates.on_price(instrument.base, instrument.quote, price, ts)

    def _close(self, instrument: InstrumentState, outputs: Outputs) -> None:
        fills, instrument.fills = instrument.fills, []
        bound, instrument.bound = instrument.bound, 0.0
        at = fills[-1].ts_recv
        if instrument.limit_at is None or not 0 <= at - instrument.limit_at < SECOND:
            self._refresh_limit(instrument, at)
        if instrument.rate is None:
            self.counts.unvalued += 1
            return
        adaptive = self.rules.adaptive is not None
        if not adaptive and bound < instrument.least:
            return
        amount, value = sum_fills(fills)
        usd = EXACT.multiply(value, instrument.rate.rate)
        if adaptive:
            instrument.sizes.add(int(usd), at)
        if usd >= instrument.limit:
            self.counts.emitted += 1
            outputs.append((subjects.WHALE + instrument.tail, self._whale(instrument, fills, amount, (value, usd))))

    def _refresh_limit(self, instrument: InstrumentState, at: int) -> None:
        rules = self.rules
        instrument.limit_at = at
        instrument.rate = self._rates.find(instrument.quote, at)
        instrument.limit = rules.limits[instrument.tier]
        adaptive = rules.adaptive
        if adaptive is not None and instrument.sizes.count >= adaptive.samples:
            instrument.limit = max(adaptive.floor_usd, Decimal(instrument.sizes.find_quantile(adaptive.share) or 0))
        instrument.least = 0 if instrument.rate is None else int(instrument.limit / instrument.rate.rate)

    def _whale(
        self, instrument: InstrumentState, fills: list[FastEvent], amount: Decimal, worth: tuple[Decimal, Decimal]
    ) -> FastEvent:
        value, usd = worth
        first, rate = fills[0], instrument.rate
        if rate is None:
            raise AssertionError("a group without a rate is not valued")
        return FastWhale(
            id=f"{instrument.tail}{MARK}{first.trade_id}",
            venue=first.venue,
            symbol=first.symbol,
            venue_symbol=first.venue_symbol,
            ts_event=first.ts_event,
            ts_recv=max(fill.ts_recv for fill in fills),
            sim=any(fill.sim for fill in fills),
            side=first.side,
            price=format(average_price(fills, amount, value), "f"),
            amount=format(amount, "f"),
            usd_value=as_dollars(usd),
            usd_rate=format(rate.rate, "f"),
            usd_rate_source=rate.source,
            tier=instrument.tier,
            threshold_usd=format(instrument.limit, "f"),
            trade_ids=[fill.id for fill in fills],
            rule=self.rules.name,
        )
