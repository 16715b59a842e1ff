"""Asks the bus for candles: ours of the candles consumer, a venue's own of the producers; kept, and asked for once."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final, Protocol, TypeVar

import msgspec
import structlog

from consumers.market.candles.bars import CHUNK, Chunk, Own, Row
from consumers.market.candles.fetched import FAILED_SECONDS, RECENT_SECONDS, STATIC_SECONDS, FetchCache
from contracts import subjects
from contracts.instrument import Instrument
from contracts.services.candles import MOST_ROWS
from runtime.nats.bus import NoAnswerError

OWN_KEPT_SECONDS: Final = 1.0
OWN_SECONDS: Final = 2.0
HISTORY_SECONDS: Final = 10.0
NO_ANSWER: Final = "NO_ANSWER"
T = TypeVar("T")
_log = structlog.get_logger("market")


class Asking(Protocol):
    """The bus, for requests."""

    async def request(self, subject: str, payload: bytes, timeout: float) -> bytes:
        """Give the reply's body; NoAnswerError after `timeout` seconds."""
        ...


class Failed(msgspec.Struct, frozen=True):
    """Why there is no answer."""

    code: str
    message: str


class _OwnReply(msgspec.Struct, frozen=True):
    candles: list[Row] = msgspec.field(default_factory=list[Row])
    since_ts: int | None = None
    gaps: list[tuple[int, int]] = msgspec.field(default_factory=list[tuple[int, int]])
    loading: bool = False
    error: Failed | None = None


class _PastReply(msgspec.Struct, frozen=True):
    candles: list[Row] = msgspec.field(default_factory=list[Row])
    error: Failed | None = None


@dataclass(frozen=True, slots=True)
class OwnAnswer:
    """Our own candles, or why there are none; `loading` while those of before a restart are still read."""

    own: Own
    loading: bool = False
    failed: Failed | None = None


@dataclass(frozen=True, slots=True)
class PastAnswer:
    """A venue's candles by start, or why there are none."""

    rows: dict[int, Row]
    failed: Failed | None = None


class CandleSource:
    """Where candles come from; no method raises for a missing answer or a refusal: both are given as failed."""

    def __init__(self, bus: Asking, cache: FetchCache) -> None:
        self._bus, self._cache = bus, cache
        self._own = msgspec.json.Decoder(_OwnReply)
        self._past = msgspec.json.Decoder(_PastReply)

    async def find_own(self, item: Instrument, timeframe: str, end_ts: int | None = None) -> OwnAnswer:
        """Ask for our own candles of an instrument, up to, but not with, a start (ns UTC); None for the newest."""
        query = {"venue": item.venue, "symbol": item.symbol, "timeframe": timeframe, "limit": MOST_ROWS}
        query |= {} if end_ts is None else {"end_ts": end_ts}

        async def fetch() -> OwnAnswer:
            reply = await self._ask(subjects.CANDLES_LIST, query, self._own.decode, OWN_SECONDS)
            if isinstance(reply, Failed) or reply.error is not None:
                return OwnAnswer(Own(), failed=reply if isinstance(reply, Failed) else reply.error)
            rows = {row.start_ts: row for row in reply.candles}
            return OwnAnswer(Own(rows, reply.since_ts, tuple(reply.gaps)), reply.loading)

        return await self._cache.get(
            f"own_candles.{item.tail}.{timeframe}.{end_ts or ''}", fetch, lambda _: OWN_KEPT_SECONDS
        )

    async def find_past(self, item: Instrument, timeframe: str, chunk: Chunk, now_ns: int) -> PastAnswer:
        """Ask for a stretch of a venue's own candles; a closed one is kept for an hour, a growing one for seconds."""
        query = {
            "venue": item.venue,
            "symbol": item.symbol,
            "timeframe": timeframe,
            "start_ts": chunk.start,
            "end_ts": chunk.end,
            "limit": CHUNK,
        }

        async def fetch() -> PastAnswer:
            reply = await self._ask(subjects.HISTORY_CANDLES, query, self._past.decode, HISTORY_SECONDS)
            if isinstance(reply, Failed) or reply.error is not None:
                return PastAnswer({}, reply if isinstance(reply, Failed) else reply.error)
            return PastAnswer({row.start_ts: row for row in reply.candles})

        def keep_for(answer: PastAnswer) -> float:
            if answer.failed is not None:
                return FAILED_SECONDS
            return STATIC_SECONDS if chunk.is_closed(now_ns) else RECENT_SECONDS

        key = f"market_data.{item.tail}.ohlc.{timeframe}.{chunk.start}.{chunk.is_closed(now_ns)}"
        return await self._cache.get(key, fetch, keep_for)

    async def _ask(
        self, subject: str, query: Mapping[str, object], decode: Callable[[bytes], T], seconds: float
    ) -> T | Failed:
        try:
            return decode(await self._bus.request(subject, msgspec.json.encode(query), seconds))
        except NoAnswerError as error:
            return Failed(NO_ANSWER, str(error))
        except msgspec.MsgspecError as error:
            _log.error("reply.undecodable", subject=subject, error=str(error))
            return Failed("BAD_REPLY", f"{subject}: the reply could not be read")
