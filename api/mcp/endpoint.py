"""`POST /mcp`: streamable HTTP without sessions, so that any copy of this service answers any request."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from typing import Any, Final

from fastapi import APIRouter, Request, Response
from mcp.server.streamable_http_manager import StreamableHTTPSessionManager
from starlette.types import Message, Receive, Scope, Send

from api.http.access.keys import MARKET_READ
from api.http.errors import documented
from api.http.routing import requires
from api.mcp.hosts import Hosts
from api.mcp.numbers import unmark_bytes
from api.mcp.server import ToolServer
from api.mcp.steps import OwnTools
from runtime.clients.market_client import MarketClient

_LENGTH: Final = b"content-length"
_CALL: Final = (
    '{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"get_price","arguments":{"symbol":"BTC"}}}'
)
_REFUSED: Final[dict[int | str, dict[str, Any]]] = {
    status: {"description": f"{why}, as the protocol says it", "model": dict[str, Any]}
    for status, why in ((400, "No such message"), (406, "No such form of answer"), (415, "No such form of body"))
}
router: Final = APIRouter(
    tags=["mcp"],
    dependencies=[requires(MARKET_READ, keyed=True)],
    responses=documented(401, 403, 429, 500, 503, 504),
)


class McpEndpoint:
    """The MCP server as an ASGI app; it works within `running`."""

    def __init__(self, market: MarketClient, own: Sequence[OwnTools], hosts: Hosts) -> None:
        self._hosts = hosts
        server = ToolServer(market, own).make()
        self._manager = StreamableHTTPSessionManager(server, json_response=True, stateless=True)

    @asynccontextmanager
    async def running(self) -> AsyncGenerator[None]:
        """Answer requests meanwhile."""
        async with self._manager.run():
            yield

    def check(self, scope: Scope) -> None:
        """Raise ForbiddenError for another host's name or page."""
        self._hosts.check(dict(scope["headers"]))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request, numbers with all their digits."""
        await self._manager.asgi_app(scope, receive, ExactAnswer(send).send)


class ExactAnswer:
    """The way out: an answer is sent whole, with the numbers in the place of their marks."""

    def __init__(self, send: Send) -> None:
        self._send = send
        self._start: Message = {}
        self._body: list[bytes] = []

    async def send(self, message: Message) -> None:
        """Keep what comes until it is whole, and send it."""
        if message["type"] == "http.response.start":
            self._start = message
            return
        self._body.append(message.get("body", b""))
        if message.get("more_body"):
            return
        body = unmark_bytes(b"".join(self._body))
        headers = [header for header in self._start.get("headers", ()) if header[0].lower() != _LENGTH]
        await self._send(
            {**self._start, "status": int(self._start["status"]), "headers": [*headers, (_LENGTH, b"%d" % len(body))]}
        )
        await self._send({"type": "http.response.body", "body": body})


class Passed(Response):
    """A response that another ASGI app makes."""

    def __init__(self, app: McpEndpoint) -> None:
        super().__init__()
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let the app answer."""
        await self._app(scope, receive, send)


@router.post(
    "/mcp",
    operation_id="postMcp",
    response_model=dict[str, Any],
    responses={202: {"description": "A notification, which has no answer"}, **_REFUSED},
    openapi_extra={
        "requestBody": {
            "required": True,
            "content": {"application/json": {"schema": {"type": "object"}, "examples": {"call": {"value": _CALL}}}},
        }
    },
)
async def post(request: Request) -> Response:
    """The Model Context Protocol over streamable HTTP.

    Tools that read the market; for a key that may write alerts also why one came, and price alerts in two steps.
    """
    endpoint: McpEndpoint = request.app.state.mcp
    endpoint.check(request.scope)
    return Passed(endpoint)
