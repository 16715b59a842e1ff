"""nats-py's connection below its public face: the one file that touches its internals, checked when a bus connects."""

# ruff: noqa: SLF001 - to hold all private access is what this file is for
from __future__ import annotations

import asyncio
from asyncio import StreamReader, StreamWriter
from typing import Any, cast

from nats.aio.client import Client
from nats.aio.subscription import Subscription
from nats.aio.transport import TcpTransport
from nats.protocol.parser import Parser

from runtime.nats.lanes.parser import Lane, LaneParser


class UnknownClientError(RuntimeError):
    """The installed nats-py is not built as this file expects; the message names what is missing."""


def check(client: Client) -> None:
    """Raise UnknownClientError unless the connected client has all that this file uses."""
    inner = cast("Any", client)
    if not isinstance(getattr(inner, "_transport", None), TcpTransport):
        raise UnknownClientError("nats-py: Client._transport is no TcpTransport; use a nats:// or tls:// URL")
    if not isinstance(getattr(inner._transport, "_io_writer", None), StreamWriter):
        raise UnknownClientError("nats-py: TcpTransport._io_writer is no asyncio.StreamWriter")
    reader = getattr(inner._transport, "_io_reader", None)
    if not isinstance(reader, StreamReader) or not {"_buffer", "_eof", "_exception"} <= vars(reader).keys():
        raise UnknownClientError("nats-py: TcpTransport._io_reader is no asyncio.StreamReader with its buffer")
    if not callable(getattr(inner, "_send_ping", None)):
        raise UnknownClientError("nats-py: Client has no _send_ping")
    if not callable(getattr(inner, "_send_unsubscribe", None)):
        raise UnknownClientError("nats-py: Client has no _send_unsubscribe")
    if not {"out_msgs", "out_bytes"} <= inner.stats.keys():
        raise UnknownClientError("nats-py: Client.stats has no out_msgs and out_bytes")


def read_whole(client: Client) -> None:
    """Have the connected client, and each of its connections to come, read all that is there at once.

    `StreamReader.read` copies what it gives twice, and then moves what it leaves.
    """
    transport = cast("Any", client)._transport

    async def read(_most: int) -> bytes:
        reader = transport._io_reader
        if not reader._buffer:
            return await reader.read(_most)  # waits, or says that there is no more
        data = bytes(reader._buffer)
        reader._buffer.clear()
        reader._maybe_resume_transport()
        return data

    transport.read = read


def open_lanes(client: Client) -> LaneParser:
    """Put the lane's parser before nats-py's own, once for each client; UnknownClientError when that has changed."""
    inner = cast("Any", client)
    present: object = getattr(inner, "_ps", None)
    if isinstance(present, LaneParser):
        return present
    if not isinstance(present, Parser) or not {"buf", "state", "nc"} <= vars(present).keys():
        raise UnknownClientError("nats-py: Client._ps is no Parser with buf, state and nc")
    parser = LaneParser(present, client.stats)
    inner._ps = parser
    return parser


async def subscribe(client: Client, subject: str, queue: str, lane: Lane) -> Subscription:
    """Subscribe with the lane as the receiver of every message from the very first."""
    lanes = open_lanes(client).lanes
    inner = cast("Any", client)
    if not isinstance(getattr(inner, "_sid", None), int):
        raise UnknownClientError("nats-py: Client._sid is no int")
    number = b"%d" % (inner._sid + 1)
    lanes[number] = lane
    subscription = cast("Subscription", await inner.subscribe(subject, queue=queue))
    if number != b"%d" % cast("Any", subscription)._id:
        del lanes[number]
        raise UnknownClientError("nats-py: a subscription's number is not the next one")
    return subscription


async def unsubscribe(client: Client, subscription: Subscription) -> None:
    """End a lane's subscription; what is under way to it is thrown away by the client."""
    open_lanes(client).lanes.pop(b"%d" % cast("Any", subscription)._id, None)
    if not client.is_closed:
        await subscription.unsubscribe()


async def withdraw(client: Client, subscription: Subscription) -> None:
    """Have the server send no more to a subscription, and return when all that it had sent is with the callback.

    nats-py's own `drain` may ask whether all is there before the server has read that it shall stop: its ping overtakes
    what it has still to write.
    """
    inner = cast("Any", subscription)
    await cast("Any", client)._send_unsubscribe(inner._id)
    await client.flush()
    await client.flush()
    await inner._pending_queue.join()


def _writer(client: Client) -> StreamWriter | None:
    transport = cast("Any", client)._transport
    return cast("StreamWriter | None", getattr(transport, "_io_writer", None))


def writable(client: Client) -> bool:
    """Whether bytes written now go to a server that took our CONNECT and our subscriptions."""
    writer = _writer(client)
    return client.is_connected and writer is not None and not writer.transport.is_closing()


def write(client: Client, commands: bytes, messages: int) -> None:
    """Write whole protocol commands at once, past the client's own buffer; only while `writable`."""
    cast("StreamWriter", _writer(client)).write(commands)
    client.stats["out_msgs"] += messages
    client.stats["out_bytes"] += len(commands)


def buffered(client: Client) -> int:
    """Bytes that were written and that the socket has not taken yet."""
    writer = _writer(client)
    return 0 if writer is None else writer.transport.get_write_buffer_size()


async def ping(client: Client) -> asyncio.Future[bool]:
    """Send a ping; the future is done when its pong is here. Never cancel it: a late pong would end the read loop."""
    pong: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
    await cast("Any", client)._send_ping(pong)
    return pong


def abort(client: Client) -> None:
    """Drop the socket with whatever is buffered: a close would wait for a frozen server to read it first."""
    writer = _writer(client)
    if writer is not None:
        writer.transport.abort()


def stuck_closing(client: Client) -> bool:
    """Whether the old socket is being closed and still waits for the server to read what was written."""
    writer = _writer(client)
    return writer is not None and writer.transport.is_closing() and writer.transport.get_write_buffer_size() > 0
