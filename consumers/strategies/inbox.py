"""Reads the stream of trading from where strategies had got to: their orders, refusals, signals, and trips."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Sequence
from typing import Final

from pydantic import ValidationError

from contracts import streams, subjects
from contracts.schema.routes import subject_text
from contracts.services.trading.events import OrderChanged, OrderFilled, TradingTripped
from contracts.services.trading.strategy_events import StrategyRefused, StrategySignalled
from runtime.app.resume import Mark, find_start
from runtime.nats.bus import Bus
from runtime.nats.lanes.reader import Watchers
from runtime.nats.streams.api import call, parse_rfc3339
from runtime.nats.streams.reader import Row, Start, StreamReader

Seen = OrderChanged | OrderFilled | StrategyRefused | StrategySignalled | TradingTripped
Place = tuple[int, int]
"""A message's number in the stream, and when the stream took it, ns UTC."""
_MODELS: Final[dict[str, type[Seen]]] = {
    f"{subjects.ORDER}changed.": OrderChanged,
    f"{subjects.ORDER}filled.": OrderFilled,
    f"{subjects.ORDER}tripped.": TradingTripped,
    f"{subjects.STRATEGY}refused.": StrategyRefused,
    f"{subjects.STRATEGY}signalled.": StrategySignalled,
}


class Inbox:
    """Hands `on_event` everything that strategies are to see, in the stream's order; `place` is the newest."""

    def __init__(
        self,
        bus: Bus,
        watchers: Watchers,
        *,
        on_event: Callable[[Seen, Place], None],
        on_other_stream: Callable[[], None],
    ) -> None:
        self._bus, self._watchers = bus, watchers
        self._on_event, self._on_other_stream = on_event, on_other_stream
        self._reader: StreamReader | None = None
        self.place: Place = (0, 0)
        self.failed: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    async def open(self, places: Iterable[Place]) -> None:
        """Read from behind the earliest of some places; with none of them what comes from now on."""
        end = await self._end()
        known = sorted(place for place in places if place[1])
        self.place = known[0] if known else end
        resumed = await find_start(self._bus, streams.TRADING, Mark(*self.place, exact=True)) if known else None
        if resumed is not None and resumed.missed is None:
            self._on_other_stream()
        self._reader = StreamReader(
            self._bus,
            streams.TRADING,
            tuple(f"{prefix}>" for prefix in _MODELS),
            on_messages=self._on_messages,
            on_gap=self._on_gap,
            failed=self.failed,
            start=Start(sequence=end[0] + 1) if resumed is None else resumed.start,
        )
        await self._reader.open()

    async def close(self) -> None:
        """Stop reading."""
        if self._reader is not None:
            await self._reader.close()
        self.failed.cancel()

    async def _end(self) -> Place:
        info = await call(self._bus, f"STREAM.INFO.{streams.TRADING}")
        state = info["state"]
        newest = state["last_ts"] if state["messages"] else info["ts"]
        return int(state["last_seq"]), parse_rfc3339(str(newest))

    def _on_messages(self, rows: Sequence[Row]) -> None:
        for row in rows:
            subject, position = subject_text(row.subject), row.position
            model = next(model for prefix, model in _MODELS.items() if subject.startswith(prefix))
            self.place = (position.stream_seq, position.time_ns)
            try:
                event = model.model_validate_json(row.payload)
            except ValidationError as error:
                self._watchers.on_bad(subject, row.payload, error)
                continue
            self._on_event(event, self.place)

    def _on_gap(self, missed: int) -> None:
        if not missed:
            self._on_other_stream()
        self._watchers.on_gap(missed)
