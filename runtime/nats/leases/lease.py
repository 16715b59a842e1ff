"""Leases: who of several processes may act now, with a token that grows at every change of hands."""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from secrets import token_hex
from typing import Any, cast

import structlog
from nats.aio.subscription import Subscription
from nats.errors import Error as NatsError
from nats.js.errors import APIError

from contracts.streams import LEASES
from contracts.subjects import HEADER_MESSAGE_ID
from runtime import clock, retry
from runtime.nats.bus import Bus, NoAnswerError
from runtime.nats.deadletter import one_line
from runtime.nats.kv.mirror import Entry
from runtime.nats.leases.presence import Presence, serve
from runtime.nats.streams.api import ApiRefusalError, call
from runtime.nats.streams.config import BUCKET_PREFIX

_log = structlog.get_logger("leases")

_NOT_FOUND = 404
_WRONG_SEQUENCE = 10071
_EXPECTED = "Nats-Expected-Last-Subject-Sequence"
_MILLISECOND_NS = 1_000_000
_AGAIN = retry.Policy(wait_initial=0.1, wait_max=0.4, jitter=0.1)


@dataclass(frozen=True, slots=True)
class Grant:
    """What the bucket says: who holds the lease (None: nobody), its token, and the revision of that word.

    `ttl`: the holder's own (seconds, 0 where it gives none); `about`: what it says of its work.
    """

    holder: str | None
    token: int
    revision: int
    ttl: float = 0.0
    about: Mapping[str, Any] = field(default_factory=dict[str, Any])


def read_grant(body: bytes, revision: int) -> Grant:
    """Read a word of the bucket; ValueError or TypeError where it is none."""
    word = cast("dict[str, Any]", json.loads(body or b"{}"))
    return Grant(
        word.get("holder"), int(word.get("token", 0)), revision, float(word.get("ttl", 0.0)), word.get("about") or {}
    )


def read_entry(key: str, entry: Entry) -> Grant | None:
    """Read a lease of a mirrored bucket; one that cannot be read is logged, and None."""
    try:
        return read_grant(entry.value, entry.revision)
    except (ValueError, TypeError) as error:
        _log.error("lease.unreadable", key=key, error=one_line(error))
        return None


async def find_grant(bus: Bus, key: str, bucket: str = LEASES) -> Grant:
    """Read a lease from the server itself; token and revision are 0 where it was never held."""
    body = json.dumps({"last_by_subj": f"$KV.{bucket}.{key}"}).encode()
    try:
        answer = await call(bus, f"STREAM.MSG.GET.{BUCKET_PREFIX}{bucket}", body)
    except ApiRefusalError as error:
        if error.code == _NOT_FOUND and "message" in str(error):
            return Grant(None, 0, 0)
        raise
    message = cast("dict[str, Any]", answer["message"])
    return read_grant(base64.b64decode(message.get("data", "")), int(message["seq"]))


def next_token(previous: int, now: int) -> int:
    """A token that is larger than any before, also when the bucket was lost: milliseconds UTC, or the previous + 1."""
    return max(previous + 1, now // _MILLISECOND_NS)


class Lease:
    """One lease, wanted by one process; `ttl` in seconds is how long a silent holder keeps it.

    Others take it at once when the holder is not connected any more (`presence`), else when its word did not
    change for `ttl` by their own clock. The holder stops believing in it after two thirds of that without a renewal, so
    clocks need not agree, and when its connection breaks. `on_lost` is called when a held lease ends unasked; `about()`
    is what the holder says of its work.
    """

    def __init__(
        self,
        bus: Bus,
        key: str,
        *,
        on_lost: Callable[[], None],
        ttl: float = 10.0,
        bucket: str = LEASES,
        about: Callable[[], Mapping[str, Any]] = dict,
    ) -> None:
        self._bus, self._key, self._bucket = bus, key, bucket
        self._on_lost, self._ttl, self._about = on_lost, ttl, about
        self._me = token_hex(8)
        self._presence = Presence(bus)
        self._served: Subscription | None = None
        self._grant: Grant | None = None
        self._believed_until = 0.0
        self._cut = asyncio.Event()
        self._renewer: asyncio.Task[None] | None = None
        self.before = Grant(None, 0, 0)
        bus.listen_disconnect(self._cut.set)

    @property
    def held(self) -> bool:
        """Whether we may act right now; ask before each act."""
        return self._grant is not None and not self._cut.is_set() and clock.monotonic() < self._believed_until

    @property
    def token(self) -> int:
        """The fencing token to send along with each act; 0 while the lease is not held."""
        return self._grant.token if self._grant is not None and self.held else 0

    @property
    def is_own(self) -> bool:
        """Whether the word `before` ours was ours too: the lease was lost to nobody."""
        return self.before.holder == self._me

    async def is_taken(self) -> bool:
        """Whether the bucket says that another process holds it.

        NatsError, NoAnswerError or ApiRefusalError where that is not known.
        """
        return (await find_grant(self._bus, self._key, self._bucket)).holder not in {None, self._me}

    async def acquire(self) -> int:
        """Wait until the lease is ours and keep it renewed; the token. `before` is then the word that was replaced."""
        seen: Grant | None = None
        since = clock.monotonic()
        delays = retry.delays(_AGAIN)
        while True:
            began = clock.monotonic()
            try:
                if self._served is None:
                    self._served = await serve(self._bus, self._me)
                grant = await find_grant(self._bus, self._key, self._bucket)
                if seen is None or grant.revision != seen.revision:
                    seen, since = grant, began
                if await self._is_free(grant, began - since) and (mine := await self._take(grant)):
                    self.before = grant
                    return self._begin(mine, began)
            except (NatsError, NoAnswerError, ApiRefusalError) as error:
                _log.warning("lease.waiting", key=self._key, error=str(error))
                seen = None  # how long the word stood unchanged is not known
            await clock.sleep(min(next(delays), self._ttl / 5))

    async def release(self) -> None:
        """Give it back, so that the next one need not wait."""
        if self._renewer is not None:
            self._renewer.cancel()
        held, grant, self._grant = self.held, self._grant, None
        if grant is not None and held:
            await self._write(None, grant.token, grant.revision)
        if self._served is not None and not self._bus.client.is_closed:
            await self._served.unsubscribe()
        self._served = None

    async def _is_free(self, grant: Grant, unchanged: float) -> bool:
        if grant.holder in {None, self._me} or unchanged >= self._ttl:
            return True
        return await self._presence.is_gone(grant.holder or "")

    async def _take(self, grant: Grant) -> Grant | None:
        self._cut.clear()  # a break from here on ends what is written now
        return await self._write(self._me, next_token(grant.token, clock.now_ns()), grant.revision)

    def _begin(self, grant: Grant, began: float) -> int:
        self._grant = grant
        self._believed_until = began + self._ttl * 2 / 3
        self._renewer = asyncio.create_task(self._renew(), name=f"lease {self._key}")
        _log.info("lease.held", key=self._key, token=grant.token)
        return grant.token

    async def _renew(self) -> None:
        while self._grant is not None and self.held:
            with suppress(TimeoutError):
                async with asyncio.timeout(self._ttl / 6):
                    await self._cut.wait()
            if not self.held:
                break
            began = clock.monotonic()
            try:
                renewed = await self._write(self._me, self._grant.token, self._grant.revision)
            except (NatsError, NoAnswerError, ApiRefusalError) as error:
                _log.warning("lease.renewal_failed", key=self._key, error=str(error))
                continue
            if renewed is None:
                break
            self._grant = renewed
            self._believed_until = began + self._ttl * 2 / 3
        self._grant = None
        _log.warning("lease.lost", key=self._key)
        self._on_lost()

    async def _write(self, holder: str | None, token: int, revision: int) -> Grant | None:
        """Write our word over the one of `revision`; None when somebody else was faster."""
        nonce = token_hex(8)
        word = {"holder": holder, "token": token, "nonce": nonce, "ttl": self._ttl, "about": self._about()}
        headers = {_EXPECTED: str(revision), HEADER_MESSAGE_ID: f"lease.{self._key}.{nonce}"}
        try:
            ack = await self._bus.jetstream(timeout=min(2.0, self._ttl / 4)).publish(
                f"$KV.{self._bucket}.{self._key}",
                json.dumps(word).encode(),
                stream=BUCKET_PREFIX + self._bucket,
                headers=headers,
            )
        except APIError as error:
            if error.err_code == _WRONG_SEQUENCE:
                found = await find_grant(self._bus, self._key, self._bucket)
                return found if holder is not None and found.holder == holder and found.token == token else None
            raise
        return Grant(holder, token, ack.seq)
