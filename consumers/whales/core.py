"""Merges one aggressor's fills and decides which of them are whales. Pure: trades and the time go in, signals come out.

Fills belong together where venue, instrument, side and the venue's own time are the same. A group is complete when the
instrument's next other trade arrives, or when nothing was added for `hold`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import Any, Final

from msgspec import UNSET

from consumers.whales import saving
from consumers.whales.groups import HOUR_NS, MARK, MOST_FILLS, InstrumentState, average_price, check_fill, sum_fills
from consumers.whales.rules import SECOND, WhaleCounts, WhaleRules
from contracts import subjects
from contracts.arithmetic.exact import EXACT, as_dollars
from contracts.arithmetic.usd import UsdRates
from contracts.codec import fast
from contracts.numbers import DAY_NS, time_of
from contracts.recent import Recent
from contracts.signals import WhaleTrade
from runtime.app.explaining.trace import Trace
from runtime.app.fold import Fault, fold_each

FastEvent = Any  # a struct of `contracts.codec.fast`: decimals are text

FastWhale: Final = fast(WhaleTrade)
INSTRUMENTS: Final = 20_000  # subjects kept at least, those used last; at most twice as many
Outputs = list[tuple[str, FastEvent]]
"""(subject, whale) pairs."""


class WhaleDetector:
    """The open groups of every instrument."""

    def __init__(
        self,
        rules: WhaleRules,
        rates: UsdRates | None = None,
        instruments: int = INSTRUMENTS,
        *,
        trace: Trace | None = None,
    ) -> None:
        self.rules = rules
        self.counts = WhaleCounts()
        self.seq = 0
        self._since = 0  # trades made before that are too old, ns UTC
        self._rates = rates or UsdRates()
        self._trace = trace
        self._hour = self._saved_hour = 0  # the newest hour (since 1970) that sizes are of, and until which are saved
        self._instruments: Recent[str, InstrumentState] = Recent(instruments)
        self._late: Recent[str, InstrumentState] = Recent(instruments)  # the open groups of trades that were filled in

    @property
    def forgotten(self) -> int:
        """How many instruments were dropped because others were traded meanwhile."""
        return self._instruments.dropped

    def sizes(self) -> dict[str, int]:
        """Return the bytes of what is kept, by kind."""
        streamed, late = list(self._instruments.values()), self._late.values()
        ids = sum(one.seen.size() for one in (*streamed, *late))
        return {"trade_ids": ids, "sizes": sum(one.sizes.size() for one in streamed)}

    def fold(self, batch: Sequence[tuple[str, FastEvent]], seq: int, now: int) -> tuple[Outputs, Sequence[Fault]]:
        """Fold (subject, trade or ticker) pairs in the stream's order; give the whales, and what could not be folded.

        `seq` is the last one's, `now` ns UTC.
        """
        outputs: Outputs = []
        self._since = now - DAY_NS
        find, fold_trade = self._instruments.get, self._fold_trade

        def fold(subject: str, event: FastEvent) -> None:
            instrument = find(subject) or self._open(subject)
            if not instrument.is_ticker:
                if event.backfilled:
                    self._fold_late(subject, event, now, outputs)
                    return
                fold_trade(instrument, event, now, outputs)
            if instrument.tells_price and not instrument.priced_since <= event.ts_recv < instrument.priced_until:
                self._take_price(instrument, event)

        faults = fold_each(batch, fold)
        self.counts.folded += len(batch) - len(faults)
        self.seq = seq
        return outputs, faults

    def take_price(self, subject: str, event: FastEvent) -> None:
        """Take the price that a trade or ticker tells, and nothing else of it; one that was filled in tells none."""
        if getattr(event, "backfilled", False):
            return
        instrument = self._open(subject)
        if instrument.tells_price and not instrument.priced_since <= event.ts_recv < instrument.priced_until:
            self._take_price(instrument, event)

    def tick(self, now: int, among: Iterable[str] | None = None) -> Outputs:
        """Close the groups (of some subjects only) that nothing was added to for `hold`; `now` ns UTC."""
        outputs: Outputs = []
        until = now - self.rules.hold
        for known in (self._instruments, self._late):
            for instrument in known.values() if among is None else filter(None, map(known.get, among)):
                if instrument.fills and instrument.touched <= until:
                    self._close(instrument, outputs)
        return outputs

    def save(self) -> bytes:
        """Give what `restore` needs and changes all the time, in one document that a bucket takes."""
        written = saving.write(
            (self.seq, self._hour), self._instruments.values(), self._late.values(), self._rates.list_prices()
        )
        self.counts.unsaved += written.unsaved
        return written.body

    def save_hours(self) -> dict[str, bytes]:
        """Give the sizes of the hours that ended since the last call, each under its key; none without adaptive."""
        found: dict[str, bytes] = {}
        for hour in saving.closed_hours(self._saved_hour or self._hour, self._hour):
            written = saving.write_hour(hour, self._instruments.values())
            self.counts.unsaved += written.unsaved
            found[saving.hour_key(hour)] = written.body
        self._saved_hour = self._hour
        return found

    def restore_hour(self, document: bytes) -> None:
        """Take back what `save_hours` gave, before `restore`; raises, with nothing taken back, as that does."""
        saved = saving.read_hour(document, self.rules.tiers)
        for subject, counts in saved.counts.items():
            self._open(subject).sizes.restore({saved.hour: counts})

    def restore(self, document: bytes) -> int:
        """Take back what `save` gave; the sequence to go on after.

        Raises, with nothing taken back, msgspec.MsgspecError, SymbolSyntaxError or FigureError where it is not that.
        """
        read = saving.read(document, self.rules.tiers)
        for base, quote, price, ts in read.prices:
            self._rates.on_price(base, quote, price, ts)
        for instrument in read.instruments:
            before = self._instruments.get(instrument.subject)
            if before is not None:
                instrument.sizes = before.sizes
            if instrument.limit_at is None:
                self._refresh_limit(instrument, instrument.fills[0].ts_recv)
            self._set_least(instrument)
            self._instruments.put(instrument.subject, instrument)
        for instrument in read.late:
            instrument.sizes = self._open(instrument.subject).sizes
            if instrument.limit_at is None:
                self._refresh_limit(instrument, instrument.fills[0].ts_recv)
            self._set_least(instrument)
            self._late.put(instrument.subject, instrument)
        for subject, slots in read.sizes.items():
            self._open(subject).sizes.restore(dict(slots))
            self._hour = self._saved_hour = max(self._hour, *(hour for hour, _ in slots))
        self.seq = read.seq
        return read.seq

    def _open(self, subject: str) -> InstrumentState:
        return self._instruments.get(subject) or self._instruments.put(
            subject, InstrumentState(subject, self.rules.tiers)
        )

    def _fold_trade(self, instrument: InstrumentState, trade: FastEvent, now: int, outputs: Outputs) -> None:
        if not instrument.seen.add(trade.id):
            self.counts.duplicates += 1
            return
        ts, side, amount, since, fills = trade.ts_event, trade.side, trade.amount, self._since, instrument.fills
        try:
            if len(trade.trade_id) > instrument.longest_id:
                raise ValueError("a whale that begins with this trade could not be named: its trade_id is too long")
            late = trade.ts_recv < since or ts is None or ts < since
            if side is None or amount is None or (late and time_of(ts, trade.ts_recv) < since):
                if fills:
                    self._close(instrument, outputs)
                self._count_left_out(trade)
                return
            joins = fills and ts == fills[0].ts_event and ts is not None and side == fills[0].side
            bound = check_fill(instrument.bound if joins else 0.0, trade.price, amount)
        except ValueError:
            instrument.seen.discard(trade.id)
            raise
        if not joins:
            if fills and instrument.bound >= instrument.least:  # else it is surely below the limit, as nearly all are
                self._close(instrument, outputs)
            if not instrument.limit_since <= trade.ts_recv < instrument.limit_until:
                self._refresh_limit(instrument, trade.ts_recv)
            fills = instrument.fills = []
        fills.append(trade)
        instrument.bound, instrument.touched = bound, now
        if len(fills) >= MOST_FILLS:
            self.counts.cut += 1
            self._close(instrument, outputs)

    def _fold_late(self, subject: str, trade: FastEvent, now: int, outputs: Outputs) -> None:
        """Fold a trade that was filled in, into a group of its own kind: the open one of the stream stays as it is."""
        instrument = self._instruments.get(subject) or self._open(subject)
        if not instrument.seen.add(trade.id):
            self.counts.duplicates += 1
            return
        late = self._late.get(subject)
        if late is None:
            late = self._late.put(subject, InstrumentState(subject, self.rules.tiers))
            late.sizes = instrument.sizes
        try:
            self._fold_trade(late, trade, now, outputs)
        except ValueError:
            instrument.seen.discard(trade.id)
            raise

    def _count_left_out(self, trade: FastEvent) -> None:
        if trade.side is None:
            self.counts.sideless += 1
        elif trade.amount is None:
            self.counts.unsized += 1
        else:
            self.counts.old += 1

    def _take_price(self, instrument: InstrumentState, event: FastEvent) -> None:
        """Take a ticker's last price, or a trade's: of trades the first of each tenth of a second is asked for."""
        price = event.last if instrument.is_ticker else event.price
        if price is not None:
            if not instrument.is_ticker:
                instrument.keep_price(event.ts_recv)
            self._rates.on_price(instrument.base, instrument.quote, price, event.ts_recv)

    def _close(self, instrument: InstrumentState, outputs: Outputs) -> None:
        fills, instrument.fills = instrument.fills, []
        bound, instrument.bound = instrument.bound, 0.0
        at = fills[-1].ts_recv
        if instrument.rate is None:
            self.counts.unvalued += 1
            return
        if bound < instrument.least:
            return
        amount, value = sum_fills(fills)
        usd = EXACT.multiply(value, instrument.rate.rate)
        if self.rules.adaptive is not None:
            instrument.sizes.add(int(usd), at)
            self._hour = max(self._hour, at // HOUR_NS)
        reached = usd >= instrument.limit
        if self._trace is not None:
            when = time_of(fills[0].ts_event, at)
            self._trace.compare("usd_value", (usd, ">=", instrument.limit), when, holds=reached)
        if reached:
            self.counts.emitted += 1
            outputs.append((subjects.WHALE + instrument.tail, self._whale(instrument, fills, amount, (value, usd))))

    def _refresh_limit(self, instrument: InstrumentState, at: int) -> None:
        rules = self.rules
        instrument.keep_limit(at // SECOND)
        instrument.rate = self._rates.find(instrument.quote, at)
        instrument.limit = rules.limits[instrument.tier]
        adaptive = rules.adaptive
        if adaptive is not None and instrument.sizes.count >= adaptive.samples:
            instrument.limit = max(adaptive.floor_usd, Decimal(instrument.sizes.find_quantile(adaptive.share) or 0))
        self._set_least(instrument)

    def _set_least(self, instrument: InstrumentState) -> None:
        """Set what need not be summed exactly; nothing while comparisons are traced, or sizes counted."""
        rate = None if self._trace is not None or self.rules.adaptive is not None else instrument.rate
        instrument.least = 0 if rate is None else int(instrument.limit / rate.rate)

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
            late=True if first.backfilled else UNSET,
        )
