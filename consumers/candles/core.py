"""Folds trades into candles of every time frame. Pure: trades and the time go in, candles come out.

A trade is folded once, into the bar of its minute; `tick` merges those bars into all time frames and returns
the candles to publish. Sums are exact decimals, so the result does not depend on how trades were batched.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from decimal import localcontext
from operator import itemgetter
from typing import Any, Final

from consumers.candles.bars import Bar, fold_in_order, fold_trade, merge, open_bar
from consumers.candles.instrument import InstrumentBars, candle_of, read_saved, restore_bars, save_bars
from consumers.candles.rules import CandleCounts, CandleRules
from contracts import subjects
from contracts.arithmetic.exact import EXACT, FigureError
from contracts.codec import fast
from contracts.market import Candle
from contracts.recent import Recent
from contracts.timeframes import MINUTE, TIMEFRAMES, find_start
from runtime.app.fold import Fault, fold_each

FastEvent = Any  # a struct of `contracts.codec.fast`: decimals are text

FastCandle: Final = fast(Candle)
_MINUTE_BYTES: Final = 1330  # of the bar of a minute, with its decimals and ids
_BAR_BYTES: Final = 690  # of a longer one, which has half of its figures in common with those of minutes
_LONGEST: Final = max(TIMEFRAMES.values())
Outputs = list[tuple[str, FastEvent]]
"""(subject, candle) pairs."""


class CandleBook:
    """The candles of every instrument. `clock` is the latest time that it was given, ns UTC."""

    def __init__(self, rules: CandleRules | None = None) -> None:
        self.rules = rules or CandleRules()
        self.counts = CandleCounts()
        self.clock = 0
        self.seq = 0
        self._earliest, self._oldest = -self.rules.ahead, _LONGEST + self.rules.retention  # ages of trades, ns
        self._instruments: Recent[str, InstrumentBars] = Recent(self.rules.instruments)
        self._waiting: list[InstrumentBars] = []  # those of which trades wait for the end of their batch
        self._refused: dict[int, FigureError] = {}  # by `id(trade)`: which of those that waited could not be folded

    @property
    def forgotten(self) -> int:
        """How many instruments were dropped because others were traded meanwhile."""
        return self._instruments.dropped

    def fold(self, batch: Sequence[tuple[str, FastEvent]], seq: int) -> Sequence[Fault]:
        """Fold (subject, trade) pairs in the order of the stream; returns those that could not be.

        `seq` is the sequence of the last one. Trades that follow each other in a bar are added to it together.
        """
        with localcontext(EXACT):
            faults = fold_each(batch, self._fold_trade)
            for instrument in self._waiting:
                self._fold_waiting(instrument)
        self._waiting.clear()
        self.seq = max(self.seq, seq)
        if self._refused:
            refused, self._refused = self._refused, {}
            late = ((index, refused[id(trade)]) for index, (_, trade) in enumerate(batch) if id(trade) in refused)
            faults = sorted((*faults, *late), key=itemgetter(0))
        return faults

    def sizes(self) -> dict[str, int]:
        """Return the bytes of what is kept, by kind."""
        kept = {"trade_ids": 0, "bars": 0}
        for instrument in self._instruments.values():
            kept["trade_ids"] += instrument.seen.size()
            minutes = len(instrument.minutes) + len(instrument.bars["1m"])
            longer = sum(map(len, instrument.bars.values())) - len(instrument.bars["1m"])
            kept["bars"] += _MINUTE_BYTES * minutes + _BAR_BYTES * longer
        return kept

    def begin(self, now: int) -> None:
        """Start the clock with the first trade's arrival (ns UTC), so that it opens no candle that is long over."""
        self.clock = self.clock or now

    def _fold_trade(self, subject: str, trade: FastEvent) -> None:
        instrument = self._instruments.get(subject) or self._open(subject)
        if not instrument.seen.add(trade.id) and not self._is_free(instrument, trade.id):
            self.counts.duplicates += 1
            return
        ts, ts_recv = trade.ts_event, trade.ts_recv
        if ts is None:
            ts = ts_recv
        if trade.amount is None or not self._earliest <= ts_recv - ts <= self._oldest:
            self._leave_out(trade, ts)
            return
        if instrument.last < ts < instrument.until:  # as nearly every one does, it follows the last one in its minute
            waiting = instrument.waiting
            if not waiting:
                self._waiting.append(instrument)
            waiting.append(trade)
            instrument.last = ts
        else:
            self._fold_waiting(instrument)
            self._add(instrument, trade, ts)

    def _is_free(self, instrument: InstrumentBars, trade_id: str) -> bool:
        """Take an id once more where the trade of it, which waited, cannot be folded."""
        self._fold_waiting(instrument)
        return instrument.seen.add(trade_id)

    def _leave_out(self, trade: FastEvent, ts: int) -> None:
        if trade.amount is None:
            self.counts.unsized += 1
        elif ts > trade.ts_recv:
            self.counts.ahead += 1
        else:
            for timeframe in TIMEFRAMES:
                self._count_late(timeframe, 1)

    def _fold_waiting(self, instrument: InstrumentBars) -> None:
        """Fold the trades that wait, together; one by one where they are too much, to find out which of them is."""
        bar, trades = instrument.bar, instrument.waiting
        if bar is None or not trades:
            return
        instrument.waiting = []
        number = instrument.arrivals + len(trades)
        if fold_in_order(bar, trades, instrument.last, number):
            instrument.arrivals = number
            self.counts.folded += len(trades)
            return
        for trade in trades:
            try:
                self._add(instrument, trade, trade.ts_recv if trade.ts_event is None else trade.ts_event)
            except FigureError as error:
                self._refused[id(trade)] = error

    def _add(self, instrument: InstrumentBars, trade: FastEvent, ts: int) -> None:
        """Add one trade to the bar of its minute; FigureError, with the trade forgotten, where it cannot be summed."""
        minute, number = ts // MINUTE, instrument.arrivals + 1
        bar = instrument.minutes.get(minute)
        try:
            if bar is not None:
                fold_trade(bar, trade, ts, number)
            else:
                bar = instrument.minutes[minute] = open_bar(minute * MINUTE, trade, ts, number)
        except FigureError:
            instrument.seen.discard(trade.id)
            raise
        if bar.trades == 1:
            instrument.venue, instrument.symbol, instrument.venue_symbol = trade.venue, trade.symbol, trade.venue_symbol
            instrument.since = instrument.since or ts
        instrument.arrivals = number
        self.counts.folded += 1
        instrument.bar, instrument.last, instrument.until = bar, bar.close_ts, bar.start + MINUTE

    def remember(self, batch: Iterable[tuple[str, FastEvent]]) -> None:
        """Remember ids that were folded before a restart, so that a repeat is known as one."""
        for subject, trade in batch:
            (self._instruments.get(subject) or self._open(subject)).seen.add(trade.id)

    def tick(self, now: int, limit: int | None = None) -> Outputs:
        """Set the clock (ns UTC); return what is to be published: changed candles, and those that have just closed.

        Past about `limit` candles, the rest waits for the next tick.
        """
        outputs: Outputs = []
        self._settle()
        self.clock = max(self.clock, now)
        for instrument in self._instruments.values():
            for timeframe, bars in instrument.bars.items():
                if limit is not None and len(outputs) >= limit:
                    return outputs
                if bars:
                    self._tick_bars(instrument, timeframe, outputs)
        return outputs

    def list_current(self, tail: str, timeframe: str) -> list[FastEvent]:
        """List the candles of an instrument that are open or may still be amended, oldest first."""
        instrument = self._instruments.get(subjects.TRADE + tail)
        if instrument is None:
            return []
        self._settle()
        bars = instrument.bars[timeframe]
        return [candle_of(instrument, timeframe, bars[start]) for start in sorted(bars)]

    def find_since(self, tail: str) -> int | None:
        """Return when (ns UTC) an instrument's first trade was made: candles that start later are whole."""
        instrument = self._instruments.get(subjects.TRADE + tail)
        return None if instrument is None or not instrument.since else instrument.since

    def touch(self) -> None:
        """Publish every kept candle again with the next tick: some that were published may not have arrived."""
        for instrument in self._instruments.values():
            for bars in instrument.bars.values():
                for bar in bars.values():
                    bar.dirty = True

    def save(self) -> dict[str, bytes]:
        """Return the instruments that changed since the last call: tail -> document for `restore`.

        One of which nothing but ids of trades is known (`remember`) has none.
        """
        self._settle()
        changed = [one for one in self._instruments.values() if one.changed and one.symbol]
        for instrument in changed:
            instrument.changed = False
        return {instrument.tail: save_bars(instrument, self.seq) for instrument in changed}

    def restore(self, tail: str, document: bytes) -> int:
        """Restore one instrument; returns the sequence that it contains.

        Raises, with nothing restored, msgspec.MsgspecError or ValueError where it is not as `save` writes it.
        """
        saved = read_saved(tail, document)
        restore_bars(self._open(subjects.TRADE + tail), saved)
        self.seq = max(self.seq, saved.seq)
        return saved.seq

    def forget_seq(self) -> None:
        """Keep the candles but not the sequences they contain: the stream is another one now."""
        self.seq = 0
        self.save_again()

    def save_again(self) -> None:
        """Return every instrument with the next `save`: what was saved is lost, or names other sequences."""
        for instrument in self._instruments.values():
            instrument.changed = True

    def _open(self, subject: str) -> InstrumentBars:
        return self._instruments.put(subject, InstrumentBars(subject.removeprefix(subjects.TRADE), self.rules.remember))

    def _settle(self) -> None:
        """Merge the minutes folded since the last time into every time frame."""
        for instrument in self._instruments.values():
            if instrument.minutes:
                for bar in instrument.minutes.values():
                    self._settle_bar(instrument, bar)
                instrument.minutes.clear()
                instrument.bar, instrument.until = None, 0
                instrument.changed = True

    def _settle_bar(self, instrument: InstrumentBars, part: Bar) -> None:
        for timeframe, size in TIMEFRAMES.items():
            start = find_start(timeframe, part.start)
            if self.clock >= start + size + self.rules.retention:
                self._count_late(timeframe, part.trades)
                continue
            bar = instrument.bars[timeframe].get(start)
            if bar is None:
                instrument.bars[timeframe][start] = replace(part, start=start)
                continue
            if bar.closed:
                self.counts.amended += part.trades
            merge(bar, part)

    def _count_late(self, timeframe: str, trades: int) -> None:
        self.counts.too_late[timeframe] = self.counts.too_late.get(timeframe, 0) + trades

    def _tick_bars(self, instrument: InstrumentBars, timeframe: str, outputs: Outputs) -> None:
        rules, clock, size = self.rules, self.clock, TIMEFRAMES[timeframe]
        bars = instrument.bars[timeframe]
        for bar in list(bars.values()):
            if not bar.closed and clock >= bar.start + size + rules.grace:
                bar.closed = bar.dirty = True
                bar.published = 0
            if bar.dirty and clock - bar.published >= (rules.amended if bar.closed else rules.intervals[timeframe]):
                bar.dirty = False
                bar.published = clock
                instrument.changed = True
                outputs.append(
                    (f"{subjects.CANDLE}{timeframe}.{instrument.tail}", candle_of(instrument, timeframe, bar))
                )
            if clock >= bar.start + size + rules.retention and not bar.dirty:
                del bars[bar.start]
                instrument.changed = True


def fold_after(
    book: CandleBook, messages: Sequence[tuple[int, str, FastEvent]], known: Mapping[str, int], floor: int = 0
) -> Sequence[Fault]:
    """Fold (sequence, subject, trade) of a stretch that was partly folded before a restart; returns the faults.

    Everything up to `floor` was, and of some instruments more: `known` is subject -> sequence.
    """
    faults: list[Fault] = []
    for index, (seq, subject, trade) in enumerate(messages):
        if seq <= max(floor, known.get(subject, 0)):
            book.remember([(subject, trade)])
        else:
            faults += [(index, error) for _, error in book.fold([(subject, trade)], seq)]
    return faults
