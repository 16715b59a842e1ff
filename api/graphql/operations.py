"""One WebSocket of graphql-transport-ws: each operation is admitted like a request, each write has a time limit."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from starlette.websockets import WebSocket
from strawberry.asgi import ASGIWebSocketAdapter
from strawberry.exceptions import ConnectionRejectionError
from strawberry.http.exceptions import WebSocketDisconnected
from strawberry.subscriptions.protocols.graphql_transport_ws.handlers import BaseGraphQLTransportWSHandler
from strawberry.subscriptions.protocols.graphql_transport_ws.types import SubscribeMessage

from api.graphql.door import Door
from api.graphql.errors import as_graphql_error
from api.graphql.queries import Asked
from api.http.server import FrameSocket
from api.stream.fan_out import TRY_LATER
from contracts.errors import HydrophoneError, LimitReachedError

SEND_SECONDS: Final = 5.0
TOO_MANY: Final = 4429
MOST_MESSAGES: Final = 200
MESSAGES_SECONDS: Final = 10.0


@dataclass(slots=True, kw_only=True)
class SocketAsked(Asked):
    """What resolvers work with on one connection; `door` has the key that was shown."""

    door: Door
    connection_params: Mapping[str, Any] | None = None

    def check(self) -> None:
        """Raise ConnectionRejectionError unless the key of `connection_init`, or of the header, may."""
        try:
            refused = self.door.show(self.connection_params or {}).refused
        except LimitReachedError as error:
            refused = error
        if refused is not None:
            raise ConnectionRejectionError


class SocketAdapter(ASGIWebSocketAdapter):
    """Writes to a client that takes what is written, and closes the connection of one that does not."""

    ws: WebSocket

    async def send_json(self, message: Mapping[str, object]) -> None:
        """Send a message; raises WebSocketDisconnected where the client took nothing for a while."""
        try:
            async with asyncio.timeout(SEND_SECONDS):
                await super().send_json(message)
        except TimeoutError:
            connection: FrameSocket = self.ws.scope["hydrophone.connection"]
            connection.end(TRY_LATER, "too slow: try again later")
            raise WebSocketDisconnected from None


class Operations(BaseGraphQLTransportWSHandler[Any, None]):
    """The operations of one connection."""

    context: SocketAsked
    _began = 0.0
    _count = 0

    async def handle_message(self, message: Any) -> None:
        """Handle one message; more than so many in a while end the connection."""
        now = asyncio.get_running_loop().time()
        if now - self._began > MESSAGES_SECONDS:
            self._began, self._count = now, 0
        self._count += 1
        if self._count > MOST_MESSAGES:
            await self.websocket.close(TOO_MANY, "Too many messages")
            return
        if not isinstance(message, dict):
            await self.handle_invalid_message("A message is a JSON object")
            return
        await super().handle_message(message)  # type: ignore[arg-type]

    async def handle_subscribe(self, message: SubscribeMessage) -> None:
        """Begin an operation, where the key may."""
        payload: Any = message.get("payload")
        name: Any = message["id"]
        if not (isinstance(payload, dict) and isinstance(payload.get("query"), str) and isinstance(name, str)):
            await self.handle_invalid_message("The message has no id, or its payload no query")
            return
        if self.connection_acknowledged:
            refused = self.context.door.admit().refused or self._find_excess()
            if refused is not None:
                await self._refuse(name, refused)
                return
        await super().handle_subscribe(message)

    def _find_excess(self) -> HydrophoneError | None:
        most = self.max_subscriptions_per_connection
        if most is None or len(self.operations) < most:
            return None
        return LimitReachedError(f"At most {most} operations on a connection", maximum=most)

    async def _refuse(self, operation: str, error: HydrophoneError) -> None:
        refusal: Any = {"id": operation, "type": "error", "payload": [as_graphql_error(error)]}
        await self.send_message(refusal)
