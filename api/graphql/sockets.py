"""Who may open a WebSocket of GraphQL: by header, or by `connection_init`; as many as of `/ws` there may be."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from starlette.websockets import WebSocket

from api.graphql.door import Door
from api.graphql.operations import SocketAsked
from api.graphql.view import GraphQLView
from api.http.access.admission import AccessControl
from api.http.access.keys import bearer_token
from api.stream.client import StreamServices
from api.stream.fan_out import POLICY
from api.stream.limits import KeyConnections
from contracts.errors import HydrophoneError, UnauthorizedError
from runtime import clock
from runtime.clients.market_client import MarketClient
from runtime.logging import logs

SECOND_NS: Final = 1_000_000_000


@dataclass(slots=True)
class Sockets:
    """Serves WebSockets of GraphQL."""

    view: GraphQLView
    access: AccessControl
    market: MarketClient
    stream: StreamServices
    connections: KeyConnections

    async def serve(self, socket: WebSocket) -> None:
        """Serve one client; a handshake that may not be is refused (403)."""
        headers = dict(socket.scope["headers"])
        admission = self.access.admit(socket.scope, headers, clock.now_ns() / SECOND_NS)
        token = bearer_token(headers.get(b"authorization"))
        refused = admission.refused
        try:
            if refused is not None and (token is not None or not isinstance(refused, UnauthorizedError)):
                raise refused
            async with self.connections.take(admission.identity) as held:
                path = socket.scope["path"]
                door = Door(self.access, path, admission, token, lambda identity: self.connections.add(identity, held))
                asked = SocketAsked(self.market, self.stream, door=door)
                await self.view.run(socket, context=asked, root_value=None)
        except HydrophoneError as error:
            logs.get("access").info("graphql.refused", code=error.code, address=str(admission.address))
            await socket.close(POLICY)
