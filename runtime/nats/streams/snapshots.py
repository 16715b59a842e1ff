"""A whole stream as the server writes it down and takes it back: messages with sequences and times, and its durables.

https://docs.nats.io/reference/reference-protocols/nats_api_reference (STREAM.SNAPSHOT, STREAM.RESTORE). What is between
is the server's own form, compressed; it is not looked into.
"""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator, Callable, Iterable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, Final, cast

from nats.aio.msg import Msg
from nats.aio.subscription import Subscription
from nats.errors import TimeoutError as NatsTimeoutError

from runtime.nats.bus import Bus
from runtime.nats.streams.api import ApiRefusalError, call

CHUNK_BYTES: Final = 256 * 1024
_WAIT_SECONDS: Final = 30.0  # between two chunks, and for the server to take in a whole stream
_DONE: Final = "204"
_REFUSED: Final = 500


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What a stream was when it was saved: its configuration and state in the server's words."""

    config: Mapping[str, Any]
    state: Mapping[str, Any]


async def save_stream(bus: Bus, name: str, write: Callable[[bytes], object]) -> Snapshot:
    """Give the stream's bytes to `write` in order, while the stream is in use; what it holds is that of one moment.

    ApiRefusalError where the server refuses or breaks off, TimeoutError where it is silent for 30 s.
    """
    request = f"STREAM.SNAPSHOT.{name}"
    async with _inbox(bus) as inbox:
        wanted = {"deliver_subject": inbox.subject, "chunk_size": CHUNK_BYTES, "no_consumers": False, "jsck": False}
        answer = await call(bus, request, json.dumps(wanted).encode())
        while (chunk := await _next(inbox, name)).data:
            write(chunk.data)
            if chunk.reply:
                await chunk.respond(b"")  # the server goes on when enough of them are answered
        status = (chunk.headers or {}).get("Status", _DONE)
        if status != _DONE:
            words = (chunk.headers or {}).get("Description", "the snapshot was broken off")
            raise ApiRefusalError(request, int(status), words)
    return Snapshot(cast("Mapping[str, Any]", answer["config"]), cast("Mapping[str, Any]", answer["state"]))


async def restore_stream(bus: Bus, snapshot: Snapshot, chunks: Iterable[bytes]) -> Mapping[str, Any]:
    """Make a stream of what `save_stream` wrote, of at most CHUNK_BYTES each, and return the server's account of it.

    ApiRefusalError where the server has a stream of that name, or does not take it.
    """
    request = f"STREAM.RESTORE.{snapshot.config['name']}"
    body = json.dumps({"config": dict(snapshot.config), "state": dict(snapshot.state)}).encode()
    target = str((await call(bus, request, body))["deliver_subject"])
    for chunk in chunks:
        said = await bus.request(target, chunk, _WAIT_SECONDS)
        if said:
            return _read(request, said)
    return _read(request, await bus.request(target, b"", _WAIT_SECONDS))


def _read(request: str, said: bytes) -> Mapping[str, Any]:
    answer = cast("dict[str, Any]", json.loads(said))
    if error := answer.get("error"):
        raise ApiRefusalError(request, int(error.get("code", 0)), str(error.get("description", error)))
    if "config" not in answer:
        raise ApiRefusalError(request, _REFUSED, f"no account of the stream, but {said[:100]!r}")
    return answer


@asynccontextmanager
async def _inbox(bus: Bus) -> AsyncGenerator[Subscription]:
    subscription = await bus.client.subscribe(bus.client.new_inbox())
    try:
        yield subscription
    finally:
        await subscription.unsubscribe()


async def _next(inbox: Subscription, name: str) -> Msg:
    try:
        return await inbox.next_msg(timeout=_WAIT_SECONDS)
    except (TimeoutError, NatsTimeoutError) as error:
        raise TimeoutError(f"stream {name}: nothing more came of its snapshot within {_WAIT_SECONDS:g} s") from error
