"""Reads what alerts are made of, from where it was: tickers of the markets that rules need, signals, liquidations."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import Any, Final

import msgspec

from consumers.alerts.everybody import Everybody
from consumers.alerts.outbox import Outbox
from consumers.alerts.store import AlertStore, Fired, dump
from consumers.alerts.watching import Watchlist, ticker_pattern
from contracts import streams, subjects
from contracts.schema.routes import subject_text
from runtime import clock
from runtime.app.resume import Mark, find_start
from runtime.nats.bus import Bus
from runtime.nats.lanes.reader import OnBad, read_all, read_event
from runtime.nats.streams.api import call, parse_rfc3339
from runtime.nats.streams.reader import Row, Start, StreamReader

STATE_EVERY_NS: Final = 300_000_000_000  # of stream time: states are kept to explain from
MOST_PATTERNS: Final = 200  # markets that are named one by one; of more every ticker is read
PATTERNS: Final = {streams.SIGNALS: subjects.ALL_SIGNALS, streams.LIQUIDATIONS: subjects.ALL_LIQUIDATIONS}
OnMissed = Callable[[str, int], None]


async def find_end(bus: Bus, stream: str) -> tuple[int, int]:
    """Return the last message of a stream and when the stream took it, ns UTC."""
    info = await call(bus, f"STREAM.INFO.{stream}")
    state = info["state"]
    newest = state["last_ts"] if state["messages"] else info["ts"]
    return int(state["last_seq"]), parse_rfc3339(str(newest))


class Reading:
    """What the readers share: the bus, who counts bad messages and lost ones, and what fails with them."""

    def __init__(self, bus: Bus, on_bad: OnBad, on_missed: OnMissed) -> None:
        self.bus, self.on_bad, self.on_missed = bus, on_bad, on_missed
        self.failed: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    async def start_of(self, stream: str, seq: int, seq_ns: int) -> tuple[Start, bool]:
        """Return where to go on behind a message, and whether the stream is the one that was read."""
        resumed = await find_start(self.bus, stream, Mark(seq, seq_ns, exact=True))
        if resumed.missed != 0:
            self.on_missed(stream, resumed.missed or 0)
        return resumed.start, resumed.missed is not None

    def reader(
        self,
        stream: str,
        patterns: tuple[str, ...],
        start: Start,
        *,
        on_messages: Callable[[Sequence[Row]], None],
        on_gap: Callable[[int], None],
    ) -> StreamReader:
        """Return a reader of a stream."""
        return StreamReader(
            self.bus, stream, patterns, on_messages=on_messages, on_gap=on_gap, failed=self.failed, start=start
        )

    def decode(self, rows: Sequence[Row]) -> list[tuple[str, Any, Row]]:
        """Return the (subject, event, message) of those that can be read; the others go to `on_bad`."""
        events, faults = read_all(rows, read_event)
        bad = {index for index, _ in faults}
        for index, error in faults:
            self.on_bad(subject_text(rows[index].subject), rows[index].payload, error)
        good = (row for index, row in enumerate(rows) if index not in bad)
        found = [(subject, event, row) for (subject, event), row in zip(events, good, strict=True)]
        if self.bus.tracing.on:
            for _, event, row in found:
                self.bus.tracing.note(row.headers, event)
        return found


class PriceReader:
    """Folds tickers into the rules at work; made again where a market comes that it does not read."""

    def __init__(self, reading: Reading, watchlist: Watchlist, outbox: Outbox) -> None:
        self._reading, self._watchlist, self._outbox = reading, watchlist, outbox
        self._markets: frozenset[str] = frozenset()
        self._reader: StreamReader | None = None
        self._keep_at = 0
        self.folded = 0

    @property
    def is_open(self) -> bool:
        """Whether it reads: not as long as there is no rule."""
        return self._reader is not None

    async def begin(self, seq: int, seq_ns: int) -> None:
        """Go on behind a message that was read before."""
        start, same = await self._reading.start_of(streams.MARKET, seq, seq_ns)
        self._watchlist.on_read(seq, seq_ns)
        if not same:
            self._watchlist.on_other_stream()
        await self._open(start)

    async def ensure(self) -> None:
        """Read every market that the rules need from behind the last message."""
        if self._watchlist.markets <= self._markets and self._reader is not None:
            return
        await self.close()
        await self._open(Start(sequence=self._watchlist.seq + 1))

    async def close(self) -> None:
        """Stop reading."""
        if self._reader is not None:
            reader, self._reader = self._reader, None
            await reader.close()

    async def _open(self, start: Start) -> None:
        self._markets = self._watchlist.markets
        if not self._markets:
            return
        patterns = tuple(sorted(map(ticker_pattern, self._markets)))
        reader = self._reading.reader(
            streams.MARKET,
            patterns if len(patterns) <= MOST_PATTERNS else (subjects.ALL_TICKERS,),
            start,
            on_messages=self._on_messages,
            on_gap=self._on_gap,
        )
        await reader.open()
        self._reader = reader

    def _on_messages(self, rows: Sequence[Row]) -> None:
        watchlist, now = self._watchlist, clock.now_ns()
        for subject, ticker, row in self._reading.decode(rows):
            position = row.position
            for one in watchlist.fold(subject, ticker, position.stream_seq, now=now):
                state = dump(watchlist.state_of(one.watch.rule.id))
                self._outbox.add([Fired(one.alert, one.seq, None)], [state])
            if ticker.ts_recv >= self._keep_at:
                self._keep_at = ticker.ts_recv + STATE_EVERY_NS
                watchlist.on_read(position.stream_seq, position.time_ns)
                self._outbox.add([], [dump(watch) for watch in watchlist.states()])
        last = rows[-1].position
        watchlist.on_read(last.stream_seq, last.time_ns)
        self.folded += len(rows)

    def _on_gap(self, missed: int) -> None:
        if not missed:
            self._watchlist.on_other_stream()
        self._reading.on_missed(streams.MARKET, missed)


class EverybodyReader:
    """Folds one stream of signals or liquidations into alerts for everybody."""

    def __init__(self, reading: Reading, everybody: Everybody, outbox: Outbox, stream: str) -> None:
        self._reading, self._everybody, self._outbox = reading, everybody, outbox
        self._stream, self._pattern = stream, PATTERNS[stream]
        self._seq, self._seq_ns = 0, 0
        self._reader: StreamReader | None = None

    async def begin(self, store: AlertStore) -> None:
        """Go on from what was saved; with what comes from now on where nothing was."""
        self._seq, self._seq_ns, silences = await store.load_silences(self._stream)
        if self._seq_ns:
            start, _ = await self._reading.start_of(self._stream, self._seq, self._seq_ns)
        else:
            self._seq, self._seq_ns = await find_end(self._reading.bus, self._stream)
            start = Start(sequence=self._seq + 1)
        for key, silence in silences.items():
            self._everybody.silences.put(key, silence)
        reader = self._reading.reader(
            self._stream, (self._pattern,), start, on_messages=self._on_messages, on_gap=self._on_gap
        )
        await reader.open()
        self._reader = reader

    def saved(self) -> tuple[str, int, int, str]:
        """Return the arguments of `save_silences`, as they are now."""
        mine = {key: kept for key, kept in self._everybody.silences.items() if self._is_mine(key)}
        return self._stream, self._seq, self._seq_ns, msgspec.json.encode(mine).decode()

    async def close(self) -> None:
        """Stop reading."""
        if self._reader is not None:
            await self._reader.close()

    def _is_mine(self, key: str) -> bool:
        return key.startswith("liquidation.") == (self._stream == streams.LIQUIDATIONS)

    def _on_messages(self, rows: Sequence[Row]) -> None:
        now = clock.now_ns()
        for subject, event, row in self._reading.decode(rows):
            seq = row.position.stream_seq
            verdict = self._everybody.fold(subject, event, seq, now)
            if verdict is not None and verdict.alert is not None:
                self._outbox.add([Fired(verdict.alert, seq, None)])
        last = rows[-1].position
        self._seq, self._seq_ns = last.stream_seq, last.time_ns

    def _on_gap(self, missed: int) -> None:
        self._reading.on_missed(self._stream, missed)
