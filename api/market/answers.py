"""Market requests as HTTP answers; what a URL means is remembered: a known one is neither routed nor validated."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Awaitable
from dataclasses import dataclass
from typing import Annotated, Final

from fastapi import Depends, Request, Response

from api.http.responses import Reply
from api.market import formats
from api.market.formats import Format
from contracts.services.market import MarketQuery
from runtime.clients.market_client import MarketClient, encode_query
from runtime.clients.market_reply import CoreAnswer

MOST_REMEMBERED: Final = 4096
LONGEST_REMEMBERED: Final = 512  # bytes of a query


@dataclass(frozen=True, slots=True)
class MarketRequest:
    """What a URL means: the core's verb, the body of its request, and the format of the answer."""

    verb: str
    body: bytes
    format: Format


class MarketAnswers:
    """Answers market requests; `find` is the short way for a URL whose parameters were valid before."""

    def __init__(self, client: MarketClient, most: int = MOST_REMEMBERED) -> None:
        self._client = client
        self._most = most
        self._remembered: OrderedDict[tuple[str, bytes], MarketRequest] = OrderedDict()

    def __len__(self) -> int:
        return len(self._remembered)

    def find(self, path: str, query: bytes, now_ns: int) -> Reply | Awaitable[Reply] | None:
        """Return the answer to a known URL, at once where it is kept; None for one that has to be read first."""
        request = self._remembered.get((path, query))
        if request is None:
            return None
        self._remembered.move_to_end((path, query))
        cached = self._client.find_cached(request.verb, request.body)
        if cached is None:
            return self.request(request, now_ns)
        return _reply(cached, request.format, now_ns)

    async def request(self, request: MarketRequest, now_ns: int) -> Reply:
        """Return the answer to a request; raises the core's error."""
        answer = await self._client.request(request.verb, request.body)
        return _reply(answer, request.format, now_ns)

    def remember(self, path: str, query: bytes, request: MarketRequest) -> None:
        """Remember what a URL means whose parameters are valid."""
        if len(query) > LONGEST_REMEMBERED:
            return
        self._remembered[path, query] = request
        if len(self._remembered) > self._most:
            self._remembered.popitem(last=False)


def _reply(answer: CoreAnswer, format_: Format, now_ns: int) -> Reply:
    body, tag = formats.render_tagged(answer, format_, now_ns)
    return Reply(200, body, tag=tag)


class Responder:
    """Answers the request of a route, whose parameters are valid."""

    def __init__(self, request: Request) -> None:
        self._answers: MarketAnswers = request.app.state.market
        self._scope = request.scope

    async def __call__(self, verb: str, query: MarketQuery, format_: Format) -> Response:
        """Return the core's answer to a query, in a format."""
        request = MarketRequest(verb, encode_query(query), format_)
        if (notes := self._scope.get("hydrophone.notes")) is not None:
            notes.cached = False
        self._answers.remember(self._scope["path"], self._scope["query_string"], request)
        return (await self._answers.request(request, self._scope["hydrophone.now_ns"])).as_response()


Answer = Annotated[Responder, Depends()]
