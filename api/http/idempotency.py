"""`Idempotency-Key`: the same key and body within a day gives the first answer again, another body is a conflict.

The memory is a bucket that all replicas share. An answer may hold what is shown once only, so it is sealed with a key
made of the bearer token and the Idempotency-Key of the request: nothing that is kept opens it.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import os
import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Annotated, Final, Literal

import structlog
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from fastapi import Depends, Header, Request
from nats.errors import Error as NatsError
from nats.js.errors import KeyDeletedError, KeyNotFoundError, KeyWrongLastSequenceError
from nats.js.kv import KeyValue
from pydantic import BaseModel, ConfigDict

from api.http.access.keys import bearer_token
from api.http.responses import Reply
from contracts import streams
from contracts.errors import ConflictError, InvalidParameterError, NotReadyError
from runtime import clock
from runtime.nats.bus import Bus

_log = structlog.get_logger("idempotency")
NAME: Final = "Idempotency-Key"
REPLAYED: Final = (b"idempotent-replayed", b"true")
UNDER_WAY_NS: Final = 60_000_000_000  # after so long whoever began it has died
_SANE: Final = re.compile(r"[\x21-\x7e]{1,255}")
_NONCE_BYTES: Final = 12
_TIMEOUT: Final = 2.0
Make = Callable[[str | None], Awaitable[Reply]]
IdempotencyKey = Annotated[
    str | None,
    Header(alias=NAME, max_length=255, description="the same key and body within a day gives the first answer again"),
]


class Record(BaseModel):
    """What is kept of a request: a hash of its body, and its sealed answer once there is one."""

    model_config = ConfigDict(frozen=True)

    body: str
    state: Literal["begun", "done"]
    begun_ns: int
    status: int = 0
    sealed: str = ""


@dataclass(frozen=True, slots=True)
class Asked:
    """One request with an Idempotency-Key: its name in the bucket, a hash of its body, and what seals its answer."""

    name: str
    body: str
    seal: bytes


class IdempotencyMemory:
    """The answers of a day, in the IDEMPOTENCY bucket."""

    def __init__(self, bus: Bus) -> None:
        self._bus = bus
        self._bucket: KeyValue | None = None

    async def once(self, asked: Asked, make: Make) -> Reply:
        """Return what `make` gives, or gave to this request before.

        ConflictError where the key came with another body, or the first request is under way.
        """
        revision = await self._claim(asked)
        if isinstance(revision, Record):
            return _again(asked, revision)
        try:
            reply = await make(asked.name)
        except BaseException:
            await self._release(asked, revision)
            raise
        done = Record(
            body=asked.body, state="done", begun_ns=clock.now_ns(), status=reply.status, sealed=_sealed(asked, reply)
        )
        try:
            await (await self._open()).update(asked.name, done.model_dump_json().encode(), revision)
        except (NatsError, TimeoutError) as error:
            _log.warning("idempotency.not_kept", error=str(error) or type(error).__name__)
        return reply

    async def _claim(self, asked: Asked) -> int | Record:
        """Return the revision of our claim, or the record of who was first."""
        begun = Record(body=asked.body, state="begun", begun_ns=clock.now_ns()).model_dump_json().encode()
        try:
            bucket = await self._open()
            try:
                return await bucket.create(asked.name, begun)
            except KeyWrongLastSequenceError:
                entry = await bucket.get(asked.name)
            record = Record.model_validate_json(entry.value or b"")
            if record.state == "done" or clock.now_ns() - record.begun_ns < UNDER_WAY_NS or record.body != asked.body:
                return record
            return await bucket.update(asked.name, begun, entry.revision)
        except (KeyNotFoundError, KeyDeletedError, KeyWrongLastSequenceError):
            raise _under_way() from None
        except (NatsError, TimeoutError) as error:
            _log.warning("idempotency.unavailable", error=str(error) or type(error).__name__)
            raise NotReadyError("The memory of Idempotency-Key is not available", waiting_for=["bus"]) from None

    async def _release(self, asked: Asked, revision: int) -> None:
        """Forget a claim that came to nothing: the request may come again."""
        try:
            await (await self._open()).delete(asked.name, last=revision)
        except (NatsError, TimeoutError) as error:
            _log.warning("idempotency.not_released", error=str(error) or type(error).__name__)

    async def _open(self) -> KeyValue:
        if self._bucket is None:
            if not self._bus.connected:
                raise TimeoutError("the bus is away")
            self._bucket = await self._bus.jetstream(timeout=_TIMEOUT).key_value(streams.IDEMPOTENCY)
        return self._bucket


class OnceFor:
    """Makes the answer of a request once, where it has an Idempotency-Key; for the routes that create."""

    def __init__(self, request: Request) -> None:
        self._request = request
        self._memory: IdempotencyMemory = request.app.state.idempotency

    async def __call__(self, make: Make) -> Reply:
        """Return the answer; `make` takes a name of the request that stays the same, None without a key."""
        key = self._request.headers.get(NAME)
        if key is None:
            return await make(None)
        if _SANE.fullmatch(key) is None:
            raise InvalidParameterError(f"{NAME} must have 1 to 255 printable characters", parameter=NAME)
        return await self._memory.once(await self._asked(key), make)

    async def _asked(self, key: str) -> Asked:
        scope = self._request.scope
        who = scope["hydrophone.admission"].identity.uid
        text = "\n".join((who, scope["method"], scope["path"], key))
        token = bearer_token(self._request.headers.get("authorization", "").encode("latin-1")) or ""
        return Asked(
            name=hashlib.sha256(text.encode()).hexdigest()[:48],
            body=hashlib.sha256(await self._request.body()).hexdigest(),
            seal=hmac.digest(token.encode("latin-1"), f"idempotency\n{text}".encode(), "sha256"),
        )


Once = Annotated[OnceFor, Depends()]


def _under_way() -> ConflictError:
    return ConflictError(f"The first request with this {NAME} is under way: try again", parameter=NAME)


def _again(asked: Asked, record: Record) -> Reply:
    """Return the answer that was given before."""
    if record.body != asked.body:
        raise ConflictError(f"This {NAME} came with another body before", parameter=NAME)
    if record.state != "done":
        raise _under_way()
    sealed = base64.b64decode(record.sealed)
    try:
        body = AESGCM(asked.seal).decrypt(sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:], asked.name.encode())
    except InvalidTag:
        raise ConflictError(f"This {NAME} was used with another secret of the key", parameter=NAME) from None
    return Reply(record.status, body, headers=(REPLAYED,))


def _sealed(asked: Asked, reply: Reply) -> str:
    nonce = os.urandom(_NONCE_BYTES)
    return base64.b64encode(nonce + AESGCM(asked.seal).encrypt(nonce, reply.body, asked.name.encode())).decode()
