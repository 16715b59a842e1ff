"""Whether the bus and the document server of this machine answer: asked when they start, and of one that runs."""

from __future__ import annotations

import asyncio
import struct
import urllib.request
from typing import Final

from runtime.servers.document_user import USER

HOST: Final = "127.0.0.1"
_HEADER_BYTES: Final = 16
_PRINCIPAL: Final = f"admin.{USER}".encode() + b"\x00"


def _text(name: bytes, value: bytes) -> bytes:
    return b"\x02" + name + b"\x00" + struct.pack("<i", len(value)) + value


# {hello: 1, saslSupportedMechs: "admin.<user>", $db: "admin"} as BSON: how a user may sign in is read from the store,
# so that a server whose store stands still does not answer. https://www.mongodb.com/docs/manual/reference/command/hello/
_HELLO_FIELDS: Final = (
    b"\x10hello\x00\x01\x00\x00\x00" + _text(b"saslSupportedMechs", _PRINCIPAL) + _text(b"$db", b"admin\x00")
)
_HELLO_BSON: Final = struct.pack("<i", 4 + len(_HELLO_FIELDS) + 1) + _HELLO_FIELDS + b"\x00"
# One OP_MSG (2013) of https://www.mongodb.com/docs/manual/reference/mongodb-wire-protocol/
_HELLO: Final = struct.pack("<iiiiIB", _HEADER_BYTES + 5 + len(_HELLO_BSON), 1, 0, 2013, 0, 0) + _HELLO_BSON


async def nats_answers(port: int, monitor_port: int) -> None:
    """Returns when the bus on these loopback ports accepts clients and JetStream is ready; OSError before."""
    reader, writer = await asyncio.open_connection(HOST, port)
    try:
        line = await reader.readline()
    finally:
        writer.close()
    if not line.startswith(b"INFO "):
        raise OSError(f"port {port} does not speak the bus's protocol")
    await asyncio.to_thread(_jetstream_answers, monitor_port)


def _jetstream_answers(monitor_port: int) -> None:
    with urllib.request.urlopen(f"http://{HOST}:{monitor_port}/healthz", timeout=2.0):
        return


async def documents_answer(port: int) -> None:
    """Returns when the document server on this loopback port has read from its store; OSError or IncompleteReadError.

    It waits for as long as the server keeps it waiting.
    """
    reader, writer = await asyncio.open_connection(HOST, port)
    try:
        writer.write(_HELLO)
        await reader.readexactly(_HEADER_BYTES)
    finally:
        writer.close()
