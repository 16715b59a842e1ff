"""`WS /ws`: who may subscribe, by header or by first message; everybody else is answered why not, and closed."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Mapping
from typing import Final

from fastapi import APIRouter, WebSocket
from starlette.types import Receive, Scope, Send

from api.http.access.admission import AccessControl, Admission
from api.http.access.keys import MARKET_READ, Identity, bearer_token, owner_of
from api.http.routing import requires
from api.http.server import ClientGoneError, FrameSocket
from api.stream import protocol
from api.stream.backlog import text_frame
from api.stream.client import KeyCheck, StreamClient, StreamServices
from api.stream.fan_out import POLICY, TRY_LATER
from api.stream.limits import KeyConnections, StreamLimits
from contracts.errors import HydrophoneError, NotReadyError, UnauthorizedError
from contracts.schema import literals
from contracts.schema.literals import SentAt
from runtime import clock
from runtime.logging import logs

SECOND_NS: Final = 1_000_000_000
router: Final = APIRouter()


@router.websocket("/ws", dependencies=[requires(MARKET_READ)])
async def stream(socket: WebSocket) -> None:
    """Serve one client."""
    await socket.app.state.stream(socket.scope, socket.receive, socket.send)


class StreamEndpoint:
    """`WS /ws` as an ASGI app."""

    def __init__(
        self, access: AccessControl, services: StreamServices, connections: KeyConnections, limits: StreamLimits
    ) -> None:
        self._access = access
        self._services = services
        self._connections = connections
        self._limits = limits
        self._log = logs.get("access")

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one client, or answer why not and close with 1008."""
        if (await receive())["type"] != "websocket.connect":
            return
        await send({"type": "websocket.accept"})
        socket: FrameSocket = scope["hydrophone.connection"]
        headers = dict(scope["headers"])
        admission = self._access.admit(scope, headers, clock.now_ns() / SECOND_NS)

        def check(key: str) -> Admission:
            return self._access.admit_token(key, scope["path"], admission.address, clock.now_ns() / SECOND_NS)

        client_id = secrets.token_hex(8)
        try:
            identity = admission.identity
            if admission.refused is not None:
                self._refuse_known(admission.refused, headers)
                self._greet(socket, client_id, authenticated=False)
                identity = await self._receive_key(socket, admission.refused, check)
            async with self._connections.take(identity):
                if admission.refused is None:
                    self._greet(socket, client_id, authenticated=True)
                else:
                    self._write(
                        socket, literals.encode({"type": "authenticated", "timestamp": SentAt()}, clock.now_ns())
                    )
                client = StreamClient(
                    socket, self._services, check, self._limits.subscriptions, owner=owner_of(identity)
                )
                await self._serve(client, client_id, identity, admission)
        except HydrophoneError as error:
            self._log.info("stream.refused", code=error.code, address=str(admission.address))
            self._refuse(socket, error)
        except ClientGoneError:
            return

    def _refuse_known(self, refused: HydrophoneError, headers: Mapping[bytes, bytes]) -> None:
        """Raise the refusal unless a key may still come as a message: one in the header was wrong."""
        if bearer_token(headers.get(b"authorization")) is not None or not isinstance(refused, UnauthorizedError):
            raise refused

    def _greet(self, socket: FrameSocket, client_id: str, *, authenticated: bool) -> None:
        greeting = {"client_id": client_id, "server_time": SentAt(), "authenticated": authenticated}
        fields = {"type": "connected", **greeting, "channels": protocol.CHANNELS, "timestamp": SentAt()}
        self._write(socket, literals.encode(fields, clock.now_ns()))

    async def _receive_key(self, socket: FrameSocket, refused: HydrophoneError, check: KeyCheck) -> Identity:
        try:
            async with asyncio.timeout(self._limits.auth_seconds):
                message = protocol.decode(protocol.read_fields(await socket.receive_text()))
        except TimeoutError:
            raise refused from None
        if not isinstance(message, protocol.Auth):
            raise UnauthorizedError(
                'A key is needed: send it in the Authorization header or first as {"type":"auth","key":…}',
                required_scope=MARKET_READ,
            )
        admission = check(message.key)
        if admission.refused is not None:
            raise admission.refused
        return admission.identity

    async def _serve(self, client: StreamClient, client_id: str, identity: Identity, admission: Admission) -> None:
        started = clock.monotonic()
        self._log.info("stream.opened", client=client_id, caller=identity.name, address=str(admission.address))
        await client.run()
        self._log.info(
            "stream.closed",
            client=client_id,
            seconds=round(clock.monotonic() - started, 3),
            dropped=client.outbox.backlog.dropped,
            conflated=client.outbox.backlog.conflated,
        )

    def _write(self, socket: FrameSocket, message: bytes) -> None:
        if not socket.ready:
            raise ClientGoneError
        socket.write_frames(text_frame(message))

    def _refuse(self, socket: FrameSocket, error: HydrophoneError) -> None:
        if socket.ready:
            self._write(socket, protocol.error_message(error, clock.now_ns()))
            socket.end(TRY_LATER if isinstance(error, NotReadyError) else POLICY, error.code)
