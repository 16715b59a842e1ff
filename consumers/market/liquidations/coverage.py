"""How much of a window each exchange's liquidations were received: from `cmd.v1.market.coverage`, kept for a while."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Iterable
from decimal import Decimal
from typing import Any, Final

import msgspec
import structlog

from consumers.market.candles.history import Asking
from consumers.market.liquidations.map import Coverage
from contracts import subjects
from contracts.arithmetic.exact import FINE
from contracts.schema.literals import decimal_number
from runtime.clients.ttl_cache import TtlCache
from runtime.nats.bus import NoAnswerError

KEPT_SECONDS: Final = 15.0
FAILED_SECONDS: Final = 5.0
SECONDS: Final = 0.15  # an answer waits no longer for it: it is null then
MOST_SYMBOLS: Final = 16  # of one map
_MILLISECOND: Final = 1_000_000
_PLACES: Final = Decimal("0.01")
_log = structlog.get_logger("market")


class Seconds(msgspec.Struct, frozen=True):
    """What of a span was received, seconds; of `unknown` ones something may lack."""

    live: int
    sampled: int
    filled: int
    unknown: int


class Covered(msgspec.Struct, frozen=True):
    """One instrument's coverage, as far as it is used here; without `since` nothing is known of it."""

    venue: str
    symbol: str
    since: str | None
    totals: Seconds


class _Reply(msgspec.Struct, frozen=True):
    venues: list[Covered] = msgspec.field(default_factory=list[Covered])


class CoverageSource:
    """Asks for the coverage of liquidations; what does not come in time, or is refused, is not known."""

    def __init__(self, bus: Asking) -> None:
        self._bus = bus
        self._kept = TtlCache()
        self._decoder = msgspec.json.Decoder(_Reply)

    async def find(self, symbols: Iterable[str], start_ns: int, name: str) -> Coverage:
        """Return each venue's coverage from a time (ns UTC) until now; `name` is what it is kept by."""

        async def fetch() -> Coverage:
            chosen = sorted(set(symbols))[:MOST_SYMBOLS]
            found = await asyncio.gather(*(self._ask(symbol, start_ns) for symbol in chosen))
            return merge(row for rows in found for row in rows)

        return await self._kept.get(
            f"coverage.{name}", fetch, lambda coverage: KEPT_SECONDS if coverage else FAILED_SECONDS
        )

    async def close(self) -> None:
        """End what is under way."""
        await self._kept.close()

    async def _ask(self, symbol: str, start_ns: int) -> list[Covered]:
        query = {"symbol": symbol, "channel": "liquidation", "step": "1d", "from": str(start_ns // _MILLISECOND)}
        try:
            body = await self._bus.request(f"{subjects.MARKET_COMMAND}coverage", msgspec.json.encode(query), SECONDS)
            return self._decoder.decode(body).venues
        except NoAnswerError:
            return []
        except msgspec.MsgspecError as error:
            _log.error("reply.undecodable", subject="coverage", error=str(error))
            return []


def merge(rows: Iterable[Covered]) -> Coverage:
    """Return the coverage of each venue over its instruments: seconds of all of them, percent of those. Pure."""
    by_venue: defaultdict[str, list[Seconds]] = defaultdict(list)
    for row in rows:
        if row.since is not None:
            by_venue[row.venue].append(row.totals)
    return {venue: _fields(seconds) for venue, seconds in by_venue.items()}


def _fields(seconds: list[Seconds]) -> dict[str, Any]:
    unknown, sampled = sum(one.unknown for one in seconds), sum(one.sampled for one in seconds)
    received = sum(one.live + one.filled for one in seconds) + sampled
    share = FINE.divide(Decimal(100 * received), Decimal(max(received + unknown, 1)))
    percent = decimal_number(share.quantize(_PLACES, context=FINE))
    return {"percent": percent, "sampled_seconds": sampled, "unknown_seconds": unknown}
