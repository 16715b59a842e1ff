"""A process's small HTTP endpoint: /metrics for Prometheus, /health/live and /health/ready for supervisors."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncGenerator
from http import HTTPStatus

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_LATEST

from runtime.health import Answer, Health

_READ_SECONDS = 5.0
_REQUEST_BYTES = 8192
_JSON = "application/json"


def respond(target: str, health: Health, registry: CollectorRegistry) -> tuple[HTTPStatus, str, bytes]:
    """The status, content type and body for a request's path."""
    path = target.partition("?")[0]
    if path == "/metrics":
        return HTTPStatus.OK, CONTENT_TYPE_LATEST, generate_latest(registry)
    if path == "/health/live":
        return _respond_health(health.live())
    if path == "/health/ready":
        return _respond_health(health.ready())
    return HTTPStatus.NOT_FOUND, _JSON, b'{"error":"only /metrics, /health/live and /health/ready are here"}'


def _respond_health(answer: Answer) -> tuple[HTTPStatus, str, bytes]:
    status = HTTPStatus.OK if answer.well else HTTPStatus.SERVICE_UNAVAILABLE
    return status, _JSON, json.dumps({"well": answer.well, "problems": dict(answer.problems)}).encode()


@contextlib.asynccontextmanager
async def monitor(host: str, port: int, health: Health, registry: CollectorRegistry) -> AsyncGenerator[int]:
    """Serve for as long as the block lasts; gives the port (0 takes a free one)."""

    async def on_connection(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            async with asyncio.timeout(_READ_SECONDS):
                request = await reader.readuntil(b"\r\n\r\n")
                method, target, _ = request.split(b"\r\n", 1)[0].decode("latin-1").split(" ", 2)
                status, kind, body = respond(target, health, registry)
                if method not in {"GET", "HEAD"}:
                    status, kind, body = HTTPStatus.METHOD_NOT_ALLOWED, _JSON, b"{}"
                head = f"HTTP/1.1 {status.value} {status.phrase}\r\nContent-Type: {kind}\r\n"
                head += f"Content-Length: {len(body)}\r\nConnection: close\r\n\r\n"
                writer.write(head.encode() + (b"" if method == "HEAD" else body))
                await writer.drain()
        except (TimeoutError, OSError, ValueError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            writer.transport.abort()  # no request that can be answered
        finally:
            writer.close()

    server = await asyncio.start_server(on_connection, host, port, limit=_REQUEST_BYTES)
    try:
        yield int(server.sockets[0].getsockname()[1])
    finally:
        server.close()
