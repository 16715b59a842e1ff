"""Live books and trades of the instruments that accounts trade, read from the bus and handed to the venues."""

from __future__ import annotations

import base64
import json
from collections import defaultdict
from collections.abc import Sequence
from decimal import Decimal
from typing import Any, Final

import structlog

from consumers.execution.paper.venue import FRESH_NS
from consumers.execution.ports import AccountVenue
from contracts import streams, subjects
from contracts.instrument import make_instrument
from runtime import clock
from runtime.app.fold import Fault
from runtime.nats.bus import Bus
from runtime.nats.lanes.publisher import LaneReader
from runtime.nats.lanes.reader import UNDECODABLE, Watchers, read_event
from runtime.nats.streams.api import ApiRefusalError, call
from runtime.trading.figures import Print

_log = structlog.get_logger("execution")
_NOT_FOUND: Final = 404
_LIVE: Final = frozenset({"live", "sim"})


class LiveMarkets:
    """Hands books and trades to the venues that want them; `watchers` receive what cannot be read.

    A book counts where it is live and in the base coin; one that is older than a minute was nobody's to trade on.
    """

    def __init__(self, bus: Bus, watchers: Watchers) -> None:
        self._bus = bus
        self._reader = LaneReader(bus, watchers)
        self._venues: defaultdict[tuple[str, str], list[AccountVenue]] = defaultdict(list)
        self.failed = self._reader.failed

    async def watch(self, exchange: str, symbol: str, venue: AccountVenue) -> None:
        """Hand an instrument's book, as it is now and from now on, and its trades to a venue."""
        key = (exchange, symbol)
        if venue in self._venues[key]:
            return
        tail = make_instrument(exchange, symbol, symbol).tail
        if not self._venues[key]:
            wanted = (f"{subjects.TRADE}{tail}", f"{subjects.BOOK}{tail}")
            await self._reader.subscribe(wanted, read_event, self._on_batch)
        self._venues[key].append(venue)
        await self._hand_newest(f"{subjects.BOOK}{tail}", venue)

    def forget(self, venue: AccountVenue) -> None:
        """Hand nothing to a venue any more."""
        for venues in self._venues.values():
            if venue in venues:
                venues.remove(venue)

    async def close(self) -> None:
        """Stop reading."""
        await self._reader.close()

    async def _hand_newest(self, subject: str, venue: AccountVenue) -> None:
        """Hand the newest book of the stream over, where it is not too old."""
        body = json.dumps({"last_by_subj": subject}).encode()
        try:
            answer = await call(self._bus, f"STREAM.MSG.GET.{streams.BOOKS}", body)
        except ApiRefusalError as error:
            if error.code == _NOT_FOUND:
                return
            raise
        try:
            book = read_event(subject, base64.b64decode(answer["message"]["data"]))
        except UNDECODABLE as error:
            _log.warning("execution.bad_book", subject=subject, error=str(error))
            return
        if clock.now_ns() - book.ts_recv <= FRESH_NS:
            _hand(venue, book)

    def _on_batch(self, batch: Sequence[tuple[str, Any]]) -> Sequence[Fault]:
        for _, event in batch:
            for venue in self._venues.get((event.venue, event.symbol), ()):
                _hand(venue, event)
        return ()


def _hand(venue: AccountVenue, event: Any) -> None:
    """Hand a fast trade or book to a venue; a trade that was filled in filled nothing that rests now."""
    if event.kind == "trade":
        if event.amount is not None and not event.backfilled:
            venue.on_trade(event.symbol, Print(Decimal(event.price), Decimal(event.amount), event.side))
    elif event.quality in _LIVE and event.unit == "base":
        venue.on_book(event.symbol, _levels(event.bids), _levels(event.asks))


def _levels(levels: Sequence[tuple[str, str]]) -> list[tuple[Decimal, Decimal]]:
    return [(Decimal(price), Decimal(amount)) for price, amount in levels]
