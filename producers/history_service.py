"""Answers `cmd.v1.history.candles` and `cmd.v1.history.trades` from the venues' REST, within their budgets."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import msgspec
from pydantic import ValidationError

from contracts import codec
from contracts.commands import HistoryQuery, TradeHistoryQuery
from contracts.errors import HydrophoneError, InvalidParameterError, UnknownSymbolError, UnknownVenueError, VenueError
from contracts.instrument import Instrument
from producers.connection.frames import UNDECODABLE
from producers.producer import Producer
from producers.rest.client import RestClient
from producers.rest.history import assemble, list_spans
from producers.venue import Decoded, History, Span, Unreadable
from runtime import clock
from runtime.nats.commands import failure


class NoHistoryError(HydrophoneError):
    """The venue offers no such history."""

    code = "NOT_SUPPORTED"


class HistoryService:
    """The past of the venues that this process follows; `producers` by venue."""

    def __init__(self, producers: Mapping[str, Producer]) -> None:
        self._producers = producers

    async def answer_candles(self, body: bytes) -> bytes:
        """Return the reply to a HistoryQuery, as the bytes of a HistoryReply."""
        try:
            query = HistoryQuery.model_validate_json(body)
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
        except FAILURES as error:
            return _refusal(error)

    async def answer_trades(self, body: bytes) -> bytes:
        """Return the reply to a TradeHistoryQuery, as the bytes of a TradeHistoryReply.

        Venues give their newest trades only: a span that begins before them is not complete.
        """
        try:
            query = TradeHistoryQuery.model_validate_json(body)
            instrument, rest, history = self._find(query.venue, query.symbol)
            most = history.most_trades if query.start_ts or query.end_ts else min(history.most_trades, query.limit)
            answer = await rest.request(history.trades_call(instrument, most))
            rows = history.decode_trades(answer.body, instrument, ts_recv=answer.ts_recv, sim=answer.simulated)
            found = _readable(rest, rows)
            found.sort(key=lambda trade: (trade.ts_event or 0, len(trade.trade_id), trade.trade_id))
            return codec.encode(_chosen(found, query))
        except FAILURES as error:
            return _refusal(error)

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


FAILURES: Final = (ValidationError, HydrophoneError, msgspec.MsgspecError, *UNDECODABLE)


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


def _refusal(error: Exception) -> bytes:
    if isinstance(error, ValidationError):
        fault = error.errors()[0]
        return failure("INVALID_PARAMETER", fault["msg"], parameter=".".join(map(str, fault["loc"])))
    if isinstance(error, VenueError | InvalidParameterError | HydrophoneError):
        return failure(error.code, error.message, **error.details)
    return failure("VENUE_ERROR", f"the venue's answer could not be read: {error}")
