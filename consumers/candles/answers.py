"""Answers `cmd.v1.candles.list` from the candles in memory, and reads those of before a restart from their stream."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import Any, Final

import structlog

from consumers.candles.core import CandleBook
from consumers.candles.gaps import Gaps
from consumers.candles.history import CandleHistory
from contracts import codec, subjects
from contracts.errors import SymbolSyntaxError, UnknownSymbolError
from contracts.instrument import make_instrument
from contracts.services.candles import CandlesQuery
from runtime import clock, retry
from runtime.app.serving import Serving
from runtime.nats.bus import Bus
from runtime.nats.lanes.reader import UNDECODABLE, read_event
from runtime.nats.streams.api import ApiRefusalError
from runtime.nats.streams.reader import ALL, Row, StreamReader

_log = structlog.get_logger("candles")
_UNTIL_THERE: Final = retry.Policy(wait_initial=0.1, wait_max=1.0, jitter=0.2)
_CLOSED: Final = b'"closed":true'
_TAIL_AT: Final = 4  # tokens before the tail: md, v1, candle, time frame


class CandleAnswers:
    """What is known of candles, closed and open; `loading` until those of before the restart are read."""

    def __init__(self, book: CandleBook, history: CandleHistory, gaps: Gaps) -> None:
        self.loading = True
        self._gaps = gaps
        self._book = book
        self._history = history

    def answer(self, query: CandlesQuery) -> bytes:
        """Return the reply to a query, as the bytes of a CandlesReply; raise UnknownSymbolError for what is no symbol.

        A thousand candles take a millisecond so; as pydantic models they would hold up the folding for seventy.
        """
        try:
            tail = make_instrument(query.venue, query.symbol, query.symbol).tail
        except SymbolSyntaxError as error:
            raise UnknownSymbolError(error.message, parameter="symbol") from error
        found = {candle.start_ts: candle for candle in self._history.list_candles(tail, query.timeframe)}
        found.update({candle.start_ts: candle for candle in self._book.list_current(tail, query.timeframe)})
        chosen = [found[start] for start in sorted(found) if _within(query, start)]
        reply: dict[str, Any] = {
            "candles": chosen[-query.limit :],
            "since_ts": self._book.find_since(tail),
            "gaps": self._gaps.list_spans(query.venue, query.symbol, clock.now_ns()),
            "loading": self.loading,
            "error": None,
        }
        return codec.encode(reply)


class CandleServer:
    """Serves the command that lists candles; those published before the restart are read meanwhile."""

    def __init__(self, bus: Bus, serving: Serving, answers: CandleAnswers, failed: asyncio.Future[None]) -> None:
        self._bus, self._serving, self._answers, self._failed = bus, serving, answers, failed
        self._reading: asyncio.Task[None] | None = None

    async def open(self, published: Sequence[str], history: CandleHistory) -> None:
        """Serve, and read what these streams hold into the history."""
        self._reading = asyncio.create_task(
            read_history(self._bus, published, history, self._failed), name="candle history"
        )
        self._reading.add_done_callback(self._on_read)
        await self._serving.open()

    async def close(self) -> None:
        """Stop both."""
        await self._serving.close()
        if self._reading is not None:
            self._reading.cancel()
            await asyncio.wait({self._reading})

    def _on_read(self, task: asyncio.Task[None]) -> None:
        if task.cancelled():
            return
        error = task.exception()
        self._answers.loading = error is not None
        if error is not None and not self._failed.done():
            self._failed.set_exception(error)


async def read_history(
    bus: Bus, published: Sequence[str], history: CandleHistory, failed: asyncio.Future[None]
) -> None:
    """Read every closed candle that these streams hold to their present ends."""
    unreadable = 0

    def on_rows(rows: Sequence[Row]) -> None:
        nonlocal unreadable
        for row in rows:
            if _CLOSED not in row.payload:
                continue  # an open one: what became of it follows
            try:
                subject = row.subject.decode()
                history.save(subject.split(".", _TAIL_AT)[_TAIL_AT], read_event(subject, row.payload))
            except (*UNDECODABLE, TypeError):
                unreadable += 1

    for stream in published:
        await _read_all(bus, stream, on_rows, failed)
    _log.info("candles.recalled", candles=len(history), unreadable=unreadable)


async def _read_all(
    bus: Bus, stream: str, on_rows: Callable[[Sequence[Row]], None], failed: asyncio.Future[None]
) -> None:
    done = asyncio.Event()

    def on_messages(rows: Sequence[Row]) -> None:
        on_rows(rows)
        if rows[-1].position.pending == 0:
            done.set()

    reader = StreamReader(
        bus, stream, (subjects.ALL_CANDLES,), on_messages=on_messages, on_gap=lambda _: None, failed=failed, start=ALL
    )
    try:
        await _open(reader)
        if reader.backlog:
            await done.wait()
    finally:
        await reader.close()


async def _open(reader: StreamReader) -> None:
    """Open it as soon as the stream is there: it may just have been deleted, and is made again within seconds."""
    for delay in retry.delays(_UNTIL_THERE):
        try:
            return await reader.open()
        except ApiRefusalError as error:
            _log.warning("candles.recall_waits", error=str(error))
        await clock.sleep(delay)
    raise AssertionError("delays never end")


def _within(query: CandlesQuery, start: int) -> bool:
    after = query.start_ts is None or start >= query.start_ts
    return after and (query.end_ts is None or start < query.end_ts)
