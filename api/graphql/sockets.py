"""Who may open a WebSocket of GraphQL: by header, or by `connection_init`; how many there may be."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Final

from starlette.websockets import WebSocket

from api.graphql.door import Door
from api.graphql.operations import SocketAsked
from api.graphql.view import GraphQLView
from api.http.access.admission import AccessControl
from api.http.access.keys import bearer_token
from api.http.errors import UnauthorizedError
from api.stream.client import StreamServices
from runtime import clock
from runtime.app.market_client import MarketClient
from runtime.logging import logs

SECOND_NS: Final = 1_000_000_000
POLICY: Final = 1008
TRY_LATER: Final = 1013
A_KEY: Final = 20
IN_ALL: Final = 2000


@dataclass(slots=True)
class Sockets:
    """Serves WebSockets of GraphQL."""

    view: GraphQLView
    access: AccessControl
    market: MarketClient
    stream: StreamServices
    _held: Counter[str] = field(default_factory=Counter[str])

    async def serve(self, socket: WebSocket) -> None:
        """Serve one client; a handshake that may not be is refused (403)."""
        headers = dict(socket.scope["headers"])
        admission = self.access.admit(socket.scope, headers, clock.now_ns() / SECOND_NS)
        token = bearer_token(headers.get(b"authorization"))
        refused = admission.refused
        name = admission.identity.uid
        late = isinstance(refused, UnauthorizedError) and token is None
        full = self._held.total() >= IN_ALL or (admission.identity.known and self._held[name] >= A_KEY)
        if full or (refused is not None and not late):
            logs.get("access").info("graphql.refused", code=refused.code if refused else "LIMIT_REACHED")
            await socket.close(TRY_LATER if full else POLICY)
            return
        door = Door(self.access, socket.scope["path"], admission, token)
        asked = SocketAsked(self.market, self.stream, door=door)
        self._held[name] += 1
        try:
            await self.view.run(socket, context=asked, root_value=None)
        finally:
            self._held[name] -= 1
            if not self._held[name]:
                del self._held[name]
