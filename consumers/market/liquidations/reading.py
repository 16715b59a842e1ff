"""Reads the liquidations that the stream holds and follows it; asks once a minute what it has dropped."""

from __future__ import annotations

import asyncio
import json
from base64 import b64decode
from collections.abc import Sequence
from typing import Final

import structlog

from consumers.market.liquidations.history import LONGEST, MINUTE, LiquidationHistory
from contracts import subjects
from contracts.instrument import escape_token
from contracts.numbers import time_of
from runtime import clock
from runtime.app.fold import fold_each
from runtime.app.resume import Start
from runtime.nats.bus import Bus, NoAnswerError
from runtime.nats.lanes.reader import UNDECODABLE, Batch, read_event
from runtime.nats.streams.api import NOT_FOUND, ApiRefusalError, call
from runtime.nats.streams.past import scan_past
from runtime.nats.streams.reader import Row, StreamReader

_log = structlog.get_logger("market")
_AGAIN_SECONDS: Final = 1.0  # while the stream is not there
_LOOK_SECONDS: Final = 60.0


class LiquidationReader:
    """Keeps a history as the stream is, from before the stream is there until it is closed."""

    def __init__(self, bus: Bus, stream: str, history: LiquidationHistory) -> None:
        self._bus, self._stream, self._history = bus, stream, history
        self._at_end = False  # all of the past was handed over
        self._looked = False  # the stream was asked what it has dropped

    async def run(self) -> None:
        """Read for ever; raises what ends the reading."""
        failed: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        reader = StreamReader(
            self._bus,
            self._stream,
            (subjects.ALL_LIQUIDATIONS,),
            on_messages=self._on_rows,
            on_gap=_on_gap,
            failed=failed,
            start=Start(time_ns=clock.now_ns() - LONGEST * MINUTE),
        )
        try:
            await self._open(reader)
            await self._look()
            self._looked = True
            self._answer_from(at_end=reader.backlog == 0)
            while True:
                await asyncio.wait((failed,), timeout=_LOOK_SECONDS)
                if failed.done():
                    failed.result()
                await self._look()
        finally:
            await reader.close()
            failed.cancel()

    async def read_span(self, base: str, span: tuple[int, int]) -> None:
        """Read a base's liquidations that the stream took in a span (ns UTC), as they were at its end.

        TimeoutError names the stream.
        """
        subject = f"{subjects.LIQUIDATION}*.{escape_token(base)}.>"
        await scan_past(self._bus, self._stream, (subject,), span, on_rows=self._on_rows)
        self._history.look(span[1], await self._find_start())
        self._history.is_whole = True

    async def _open(self, reader: StreamReader) -> None:
        while True:
            try:
                await reader.open()
            except ApiRefusalError as error:
                if error.code != NOT_FOUND:
                    raise
                await clock.sleep(_AGAIN_SECONDS)
            except NoAnswerError:
                await clock.sleep(_AGAIN_SECONDS)
            else:
                return

    async def _look(self) -> None:
        """Drop what is too old, and what the stream does not hold any more: after a restart it would not be here."""
        try:
            start = await self._find_start()
        except (ApiRefusalError, NoAnswerError, *UNDECODABLE) as error:
            _log.warning("liquidations.unknown_start", stream=self._stream, error=str(error))
            start = None
        self._history.look(clock.now_ns(), start)

    async def _find_start(self) -> int | None:
        """Return the time of the oldest liquidation that the stream holds, where it has dropped any."""
        state = (await call(self._bus, f"STREAM.INFO.{self._stream}"))["state"]
        first = int(state["first_seq"])
        if first <= 1 or not int(state["messages"]):
            return None
        found = await call(self._bus, f"STREAM.MSG.GET.{self._stream}", json.dumps({"seq": first}).encode())
        event = read_event(found["message"]["subject"], b64decode(found["message"]["data"]))
        return time_of(event.ts_event, event.ts_recv)

    def _on_rows(self, rows: Sequence[Row]) -> None:
        batch = Batch(rows, read_event, _on_bad)
        batch.refuse(fold_each(batch.events, self._history.fold))
        self._answer_from(at_end=rows[-1].position.pending == 0)

    def _answer_from(self, *, at_end: bool) -> None:
        """Have the history be whole once all was read, and what the stream lacks at its beginning was taken away."""
        self._at_end = self._at_end or at_end
        self._history.is_whole = self._history.is_whole or (self._at_end and self._looked)


def _on_bad(_subject: str, _payload: bytes, _error: Exception) -> None:
    """What cannot be read or summed is kept as a dead letter by the cache, which reads the same stream."""


def _on_gap(messages: int) -> None:
    _log.warning("liquidations.missed", messages=messages)
