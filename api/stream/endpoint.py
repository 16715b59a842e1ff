"""The entrance of the stream: who may come in, by header or by first message; everybody else hears why not."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from functools import partial
from typing import Any, Final

from fastapi import APIRouter, WebSocket
from starlette.types import Receive, Scope, Send

from api.http.access.addresses import Address
from api.http.access.admission import AccessControl, AccessRequest, Admission
from api.http.access.keys import MARKET_READ, bearer_token
from api.http.errors import UnauthorizedError
from api.http.routing import requires
from api.http.server import FrameSocket
from api.stream import protocol
from api.stream.client import POLICY, TRY_LATER, ClientGoneError, KeyCheck, StreamClient, StreamServices
from api.stream.send_queue import text_frame
from contracts.errors import HydrophoneError, NotReadyError
from contracts.schema import literals
from contracts.schema.literals import SentAt
from runtime import clock
from runtime.logging import logs

SECOND_NS: Final = 1_000_000_000
RECEIVE: Final = "websocket.receive"
router: Final = APIRouter()


@dataclass(frozen=True, slots=True)
class StreamLimits:
    """How long a key is waited for and a write may take, in seconds, and how many clients there may be."""

    auth_seconds: float = 10.0
    send_seconds: float = 5.0
    most_clients: int = 2000


class AsgiSocket:
    """A client's socket: messages come in through ASGI, frames that are made already go straight to the connection."""

    def __init__(self, receive: Receive, connection: FrameSocket) -> None:
        self._receive = receive
        self._connection = connection

    async def receive(self) -> str | None:
        """Take the next text, None for a binary message; ClientGoneError at the end."""
        message = await self._receive()
        if message["type"] != RECEIVE:
            raise ClientGoneError
        text: str | None = message.get("text")
        return text

    async def write(self, frames: bytes) -> None:
        """Write whole frames once there is room; ClientGoneError when nobody is there."""
        if not await self._connection.write_frames(frames):
            raise ClientGoneError

    def end(self, code: int, reason: str) -> None:
        """Close without waiting for anybody."""
        self._connection.end(code, reason)


class StreamEndpoint:
    """`WS /ws` as an ASGI app."""

    def __init__(self, access: AccessControl, services: StreamServices, rules: StreamLimits) -> None:
        self._access = access
        self._services = services
        self._rules = rules
        self._log = logs.get("access")

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let one client in, or tell it why not and close with 1008."""
        if (await receive())["type"] != "websocket.connect":
            return
        await send({"type": "websocket.accept"})
        socket = AsgiSocket(receive, scope["hydrophone.connection"])
        headers = dict(scope["headers"])
        peer = scope["client"][0] if scope.get("client") else None
        admission = self._access.admit(AccessRequest(scope["path"], peer, headers), clock.now_ns() / SECOND_NS)
        check = partial(self._check_key, scope["path"], admission.address)
        try:
            name = await self._admit(socket, admission, bearer_token(headers.get(b"authorization")), check)
        except HydrophoneError as error:
            self._log.info("stream.refused", code=error.code, address=str(admission.address))
            await self._turn_away(socket, error)
        except (ClientGoneError, TimeoutError):
            return
        else:
            await self._converse(StreamClient(socket, self._services, check, self._rules.send_seconds), name, admission)

    def _check_key(self, path: str, address: Address | None, key: str) -> Admission:
        return self._access.admit_token(key, path, address, clock.now_ns() / SECOND_NS)

    async def _admit(self, socket: AsgiSocket, admission: Admission, token: str | None, check: KeyCheck) -> str:
        """Greet the client and give the name of its key; a HydrophoneError says why it may not stay."""
        refused = admission.refused
        if self._services.hub.clients >= self._rules.most_clients:
            raise NotReadyError("There are too many clients", waiting_for=["fewer clients"])
        if refused is not None and (token is not None or not isinstance(refused, UnauthorizedError)):
            raise refused
        await self._say(socket, {"type": "connected", "authenticated": refused is None, "channels": protocol.CHANNELS})
        if refused is None:
            return admission.identity.name
        return await self._hear_key(socket, refused, check)

    async def _hear_key(self, socket: AsgiSocket, refused: HydrophoneError, check: KeyCheck) -> str:
        try:
            async with asyncio.timeout(self._rules.auth_seconds):
                said = protocol.decode(await socket.receive())
        except TimeoutError:
            raise refused from None
        if not isinstance(said, protocol.Auth):
            raise UnauthorizedError(
                'A key is needed: send it in the Authorization header or first as {"type":"auth","key":…}',
                required_scope=MARKET_READ,
            )
        shown = check(said.key)
        if shown.refused is not None:
            raise shown.refused
        await self._say(socket, {"type": "authenticated"})
        return shown.identity.name

    async def _converse(self, client: StreamClient, name: str, admission: Admission) -> None:
        started = clock.monotonic()
        self._log.info("stream.opened", client=client.name, caller=name, address=str(admission.address))
        await client.run()
        self._log.info(
            "stream.closed",
            client=client.name,
            seconds=round(clock.monotonic() - started, 3),
            dropped=client.queue.dropped,
            conflated=client.queue.conflated,
        )

    async def _say(self, socket: AsgiSocket, fields: dict[str, Any]) -> None:
        payload = literals.encode({**fields, "timestamp": SentAt()}, clock.now_ns())
        async with asyncio.timeout(self._rules.send_seconds):
            await socket.write(text_frame(payload))

    async def _turn_away(self, socket: AsgiSocket, error: HydrophoneError) -> None:
        try:
            async with asyncio.timeout(self._rules.send_seconds):
                await socket.write(text_frame(protocol.error_message(error, clock.now_ns())))
        except (ClientGoneError, TimeoutError):
            return
        code = TRY_LATER if isinstance(error, NotReadyError) else POLICY
        socket.end(code, error.code)


@router.websocket("/ws", dependencies=[requires(MARKET_READ)])
async def stream(socket: WebSocket) -> None:
    """Converse with one client."""
    await socket.app.state.stream(socket.scope, socket.receive, socket.send)
