"""`WS /ws`: who may subscribe, by header or by first message; everybody else is answered why not, and closed."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Any, Final

from fastapi import APIRouter, WebSocket
from starlette.types import Receive, Scope, Send

from api.http.access.admission import AccessControl, Admission
from api.http.access.keys import MARKET_READ, bearer_token
from api.http.errors import UnauthorizedError
from api.http.routing import requires
from api.http.server import ClientGoneError, FrameSocket
from api.stream import protocol
from api.stream.client import POLICY, TRY_LATER, KeyCheck, StreamClient, StreamServices
from api.stream.send_queue import text_frame
from contracts.errors import HydrophoneError, NotReadyError
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


@dataclass(frozen=True, slots=True)
class StreamLimits:
    """How long a key is waited for and a write may take, in seconds, and how many clients there may be."""

    auth_seconds: float = 10.0
    send_seconds: float = 5.0
    most_clients: int = 2000


class StreamEndpoint:
    """`WS /ws` as an ASGI app."""

    def __init__(self, access: AccessControl, services: StreamServices, limits: StreamLimits) -> None:
        self._access = access
        self._services = services
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

        try:
            caller = await self._admit(socket, admission, bearer_token(headers.get(b"authorization")), check)
        except HydrophoneError as error:
            self._log.info("stream.refused", code=error.code, address=str(admission.address))
            await self._refuse(socket, error)
        except (ClientGoneError, TimeoutError):
            return
        else:
            client = StreamClient(socket, self._services, check, self._limits.send_seconds)
            await self._serve(client, caller, admission)

    async def _admit(self, socket: FrameSocket, admission: Admission, token: str | None, check: KeyCheck) -> str:
        """Greet the client and return the name of its key; a HydrophoneError says why it may not stay."""
        refused = admission.refused
        if self._services.hub.clients >= self._limits.most_clients:
            raise NotReadyError("There are too many clients", waiting_for=["fewer clients"])
        if refused is not None and (token is not None or not isinstance(refused, UnauthorizedError)):
            raise refused
        await self._send(socket, {"type": "connected", "authenticated": refused is None, "channels": protocol.CHANNELS})
        if refused is None:
            return admission.identity.name
        return await self._receive_key(socket, refused, check)

    async def _receive_key(self, socket: FrameSocket, refused: HydrophoneError, check: KeyCheck) -> str:
        try:
            async with asyncio.timeout(self._limits.auth_seconds):
                message = protocol.decode(await socket.receive_text())
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
        await self._send(socket, {"type": "authenticated"})
        return admission.identity.name

    async def _serve(self, client: StreamClient, caller: str, admission: Admission) -> None:
        started = clock.monotonic()
        self._log.info("stream.opened", client=client.name, caller=caller, address=str(admission.address))
        await client.run()
        self._log.info(
            "stream.closed",
            client=client.name,
            seconds=round(clock.monotonic() - started, 3),
            dropped=client.queue.dropped,
            conflated=client.queue.conflated,
        )

    async def _send(self, socket: FrameSocket, fields: dict[str, Any]) -> None:
        await self._write(socket, literals.encode({**fields, "timestamp": SentAt()}, clock.now_ns()))

    async def _write(self, socket: FrameSocket, message: bytes) -> None:
        async with asyncio.timeout(self._limits.send_seconds):
            await socket.write_frames(text_frame(message))

    async def _refuse(self, socket: FrameSocket, error: HydrophoneError) -> None:
        try:
            await self._write(socket, protocol.error_message(error, clock.now_ns()))
        except (ClientGoneError, TimeoutError):
            return
        socket.end(TRY_LATER if isinstance(error, NotReadyError) else POLICY, error.code)
