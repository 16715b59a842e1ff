"""Answers `cmd.v1.history.candles` and `cmd.v1.history.trades` from the venues' REST, within their budgets."""

from __future__ import annotations

from collections.abc import Generator, Mapping
from contextlib import contextmanager
from typing import Any, Final

import msgspec
from faststream.nats import NatsRouter

from contracts import codec, subjects
from contracts.errors import HydrophoneError, UnknownSymbolError, UnknownVenueError, VenueError
from contracts.instrument import Instrument
from contracts.services.candles import HistoryQuery, TradeHistoryQuery
from producers.connection.frames import UNDECODABLE
from producers.producer import Producer
from producers.rest.client import RestClient
from producers.rest.history import assemble, list_spans
from producers.venue import Decoded, History, Span, Unreadable
from runtime import clock
from runtime.app.commands import command

AT_ONCE: Final = 8  # requests of one kind: each is a call of a venue, or a few


class NoHistoryError(HydrophoneError):
    """The venue offers no such history."""

    code = "NOT_SUPPORTED"


class HistoryService:
    """The past of the venues that this process follows; `producers` by venue."""

    def __init__(self, producers: Mapping[str, Producer]) -> None:
        self._producers = producers

    async def answer_candles(self, query: HistoryQuery) -> bytes:
        """Return the reply, as the bytes of a HistoryReply; raise a HydrophoneError that says why there is none."""
        with _readable_answer():
            instrument, rest, history = self._find(query.venue, query.symbol)
            wanted = Span(query.timeframe, query.start_ts, query.end_ts, query.limit, clock.now_ns())
            candles: list[Decoded] = []
            for span in list_spans(history, wanted):
                answer = await rest.request(history.candles_call(instrument, span))
                rows = history.decode_candles(
                    answer.body, instrument, span.timeframe, ts_recv=answer.ts_recv, sim=answer.simulated
                )
                candles += _readable(rest, rows)
            return codec.encode({"candles": assemble(candles, wanted, instrument), "error": None})

    async def answer_trades(self, query: TradeHistoryQuery) -> bytes:
        """Return the reply, as the bytes of a TradeHistoryReply; raise a HydrophoneError that says why there is none.

        Venues give their newest trades only: a span that begins before them is not complete.
        """
        with _readable_answer():
            instrument, rest, history = self._find(query.venue, query.symbol)
            most = history.most_trades if query.start_ts or query.end_ts else min(history.most_trades, query.limit)
            answer = await rest.request(history.trades_call(instrument, most))
            rows = history.decode_trades(answer.body, instrument, ts_recv=answer.ts_recv, sim=answer.simulated)
            found = _readable(rest, rows)
            found.sort(key=lambda trade: (trade.ts_event or 0, len(trade.trade_id), trade.trade_id))
            return codec.encode(_chosen(found, query))

    def _find(self, venue: str, symbol: str) -> tuple[Instrument, RestClient, History]:
        producer = self._producers.get(venue)
        if producer is None:
            raise UnknownVenueError(f"Exchange {venue} is not followed here", supported_venues=sorted(self._producers))
        instrument = next((item for item in producer.listed if item.symbol == symbol), None)
        if instrument is None:
            symbols = sorted(item.symbol for item in producer.instruments)
            raise UnknownSymbolError(f"{venue} does not list {symbol}", supported_symbols=symbols)
        history = producer.venue.rest.history
        if history is None or producer.rest is None:
            raise NoHistoryError(f"{venue} offers no history", venue=venue)
        return instrument, producer.rest, history


@contextmanager
def _readable_answer() -> Generator[None]:
    """Raise VenueError where the venue's answer cannot be read."""
    try:
        yield
    except HydrophoneError:
        raise
    except (msgspec.MsgspecError, *UNDECODABLE) as error:
        raise VenueError(f"the venue's answer could not be read: {error}") from error


def _readable(rest: RestClient, rows: list[Decoded]) -> list[Decoded]:
    """Return the events; rows that could not be read are logged: of candles they show as holes."""
    rest.log_unreadable(row for row in rows if isinstance(row, Unreadable))
    return [row for row in rows if not isinstance(row, Unreadable)]


def _chosen(found: list[Decoded], query: TradeHistoryQuery) -> dict[str, Any]:
    start, end = query.start_ts or 0, query.end_ts
    inside = [item for item in found if start <= (item.ts_event or 0) and (end is None or (item.ts_event or 0) < end)]
    oldest = found[0].ts_event or 0 if found else None
    complete = oldest is not None and bool(query.start_ts) and oldest < start and len(inside) <= query.limit
    return {"trades": inside[-query.limit :], "complete": complete, "error": None}


def make_router(service: HistoryService) -> NatsRouter:
    """Return the handlers of the history commands."""
    router = NatsRouter()

    @router.subscriber(**command(subjects.HISTORY_CANDLES, "history", at_once=AT_ONCE))
    async def on_candles(query: HistoryQuery) -> bytes:
        """Replies with a venue's candles."""
        return await service.answer_candles(query)

    @router.subscriber(**command(subjects.HISTORY_TRADES, "history", at_once=AT_ONCE))
    async def on_trades(query: TradeHistoryQuery) -> bytes:
        """Replies with a venue's past trades."""
        return await service.answer_trades(query)

    return router
