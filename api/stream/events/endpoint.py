"""`GET /events`: prices, whales, liquidations, alerts as server-sent events; a client that comes back misses none."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from typing import Annotated, Any, Final

from fastapi import APIRouter, Depends, Header, Query, Request, Response
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import StreamingResponse
from starlette.types import Receive, Scope, Send

from api.http.access.keys import MARKET_READ, owner_of
from api.http.errors import documented
from api.http.routing import requires
from api.http.validation import check_query
from api.stream import protocol
from api.stream.events.cursor import Places, UnknownCursorError, parse_cursor
from api.stream.events.event_log import CHANNELS
from api.stream.events.event_stream import EventServices, EventStream, Wanted
from api.stream.limits import KeyConnections, StreamLimits
from api.stream.symbols import Symbols
from api.stream.topics import EVENTS, ResolvedSymbol, Target, Topic, resolve_target
from contracts.errors import InvalidParameterError, LimitReachedError
from contracts.instrument import escape_token
from contracts.streams import OWN_ALERTS
from contracts.subjects import PRICE_ALERT

SUPPORTED: Final = (protocol.PRICE, protocol.WHALES, protocol.LIQUIDATIONS, protocol.ALERTS)
READY_SECONDS: Final = 20.0  # a browser that is answered 503 while this process starts would not come again
_EXAMPLE: Final = (
    "id: SIGNALS:41:1764139999123456789,LIQUIDATIONS:7:1764139998000000000\nevent: whale\n"
    'data: {"type":"whale","id":"binance.BTC.USDT.spot.whale.4021","symbol":"BTC/USDT","side":"buy",…}\n\n'
)
_ANSWERS: Final[dict[int | str, dict[str, Any]]] = {
    200: {
        "description": "Events without end, each a message as of `WS /ws` with its type as name",
        "content": {"text/event-stream": {"schema": {"type": "string"}, "example": _EXAMPLE}},
    },
    **documented(400, 401, 403, 404, 429, 500, 503),
}
router: Final = APIRouter(
    tags=["stream"], dependencies=[requires(MARKET_READ, timed=False), Depends(check_query)], responses=_ANSWERS
)


class EventsParameters(BaseModel):
    """What is wanted."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    channels: str | None = Field(
        default=None, max_length=100, description="with commas: price, whales, liquidations, alerts; default: all"
    )
    symbols: str | None = Field(
        default=None, max_length=4000, description="with commas; without, everything but prices", examples=["BTC,ETH"]
    )


@router.get("/events", operation_id="streamEvents", response_class=StreamingResponse)
async def events(
    request: Request,
    query: Annotated[EventsParameters, Query()],
    last_event_id: Annotated[str | None, Header(description="the id of the last event that was received")] = None,
) -> Response:
    """Prices, whale trades, liquidations and alerts as server-sent events.

    With `Last-Event-ID` everything but prices goes on behind that event; where that is not possible, a `gap` says so.
    """
    endpoint: EventsEndpoint = request.app.state.events
    return await endpoint.open(request, query, last_event_id)


class EventsEndpoint:
    """Opens streams of events."""

    def __init__(
        self, services: EventServices, symbols: Symbols, connections: KeyConnections, limits: StreamLimits
    ) -> None:
        self._services = services
        self._symbols = symbols
        self._connections = connections
        self._limits = limits

    async def open(self, request: Request, query: EventsParameters, last_id: str | None) -> Response:
        """Return the stream of a request; raises what is wrong with it, NotReadyError until the streams are read."""
        symbols = _words(query.symbols)
        channels = _channels(_words(query.channels), symbols)
        if len(channels) * len(symbols) > self._limits.subscriptions:
            most = self._limits.subscriptions
            raise LimitReachedError(f"At most {most} subscriptions a connection", limit="connection", maximum=most)
        await self._services.log.until_ready(READY_SECONDS)
        found = await asyncio.gather(*(self._symbols.find(symbol) for symbol in symbols))
        identity = request.scope["hydrophone.admission"].identity
        stream = EventStream(
            _wanted(channels, found, last_id, owner_of(identity)), self._services, self._limits.send_seconds
        )
        return Counted(stream, self._connections, identity)


class Counted(Response):
    """A stream that counts as a connection of its key; raises LimitReachedError before it begins."""

    def __init__(self, stream: EventStream, connections: KeyConnections, identity: Any) -> None:
        super().__init__()
        self._stream, self._connections, self._identity = stream, connections, identity

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve."""
        async with self._connections.take(self._identity):
            await self._stream(scope, receive, send)


def _words(text: str | None) -> tuple[str, ...]:
    return tuple(dict.fromkeys(word.strip() for word in (text or "").split(",") if word.strip()))


def _channels(given: tuple[str, ...], symbols: tuple[str, ...]) -> tuple[str, ...]:
    for name in given:
        if name not in SUPPORTED:
            raise protocol.unknown_channel(name, SUPPORTED)
    if protocol.PRICE in given and not symbols:
        raise InvalidParameterError("Prices are of symbols: name them", parameter="symbols")
    return given or (SUPPORTED if symbols else tuple(EVENTS))


def _wanted(channels: tuple[str, ...], found: list[ResolvedSymbol], last_id: str | None, owner: str) -> Wanted:
    prices: list[Target] = []
    topics: set[Topic] = set()
    subjects: defaultdict[str, set[str]] = defaultdict(set)
    for channel in channels:
        targets = [resolve_target(channel, "", symbol, owner) for symbol in found or (None,)]
        if channel == protocol.PRICE:
            prices += targets
            continue
        topics.update(topic for target in targets for topic in target.topics)
        stream = next(name for name, held in CHANNELS.items() if channel in held)
        own = [(OWN_ALERTS, PRICE_ALERT)] if channel == protocol.ALERTS and owner else []
        for held, prefix in [*((stream, prefix) for prefix in EVENTS[channel]), *own]:
            subjects[held].update(f"{prefix}*.{escape_token(symbol.base)}.>" for symbol in found)
            if not found:
                subjects[held].add(prefix + ">")
    places, gap = _places(last_id)
    return Wanted(
        prices=tuple(prices),
        events=frozenset(topics),
        subjects={stream: tuple(sorted(named)) for stream, named in subjects.items()},
        places=places,
        gap=gap,
    )


def _places(last_id: str | None) -> tuple[Places, str | None]:
    if not last_id:
        return {}, None
    try:
        return parse_cursor(last_id), None
    except UnknownCursorError:
        return {}, "the id is none that was given here"
