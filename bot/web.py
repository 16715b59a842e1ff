"""HTTP that the bot serves: the endpoint for programs beside it, and Telegram's updates in webhook mode."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager, nullcontext
from secrets import compare_digest
from typing import Any, Final, cast

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from runtime import clock

SECRET_HEADER: Final = "X-Telegram-Bot-Api-Secret-Token"  # noqa: S105  # a name
MOST_BYTES: Final = 1_000_000
GRACE_SECONDS: Final = 3


class TooLargeError(Exception):
    """A body of more bytes than are read."""


async def read_json(request: Request, most: int = MOST_BYTES) -> Any:
    """Return the body as JSON; ValueError where it is none, TooLargeError beyond so many bytes."""
    body = bytearray()
    async for part in request.stream():
        body += part
        if len(body) > most:
            raise TooLargeError
    return json.loads(bytes(body))


def same_secret(given: str | None, expected: str) -> bool:
    """Return whether a secret is the expected one, in a time that says nothing about it."""
    return given is not None and compare_digest(given.encode(), expected.encode())


def webhook_app(path: str, secret: str, take: Callable[[dict[str, Any]], Awaitable[None]]) -> Starlette:
    """Return the app that Telegram sends updates to: 403 without the secret, 200 once an update is taken."""

    async def receive(request: Request) -> Response:
        if not same_secret(request.headers.get(SECRET_HEADER), secret):
            return Response(status_code=403)
        try:
            update = await read_json(request)
        except TooLargeError:
            return Response(status_code=413)
        except ValueError:
            return Response(status_code=400)
        if not isinstance(update, dict):
            return Response(status_code=400)
        await take(cast("dict[str, Any]", update))
        return JSONResponse({"ok": True})

    return Starlette(routes=[Route(path, receive, methods=["POST"])])


class _Server(uvicorn.Server):
    """uvicorn without signal handlers: the process has its own."""

    def capture_signals(self) -> Any:
        """Capture nothing."""
        return nullcontext()


@asynccontextmanager
async def listening(app: Starlette, host: str, port: int) -> AsyncGenerator[int]:
    """Serve an app for as long as the block lasts; gives the port. OSError where it cannot be had."""
    config = uvicorn.Config(
        app,
        host=host,
        port=port,
        lifespan="off",
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=GRACE_SECONDS,
    )
    server = _Server(config)
    task = asyncio.create_task(server.serve(), name=f"http {port}")
    try:
        while not server.started:
            if task.done():
                raise OSError(f"{host}:{port} cannot be listened on")
            await clock.sleep(0.01)
        yield server.servers[0].sockets[0].getsockname()[1]
    finally:
        server.should_exit = True
        await asyncio.gather(task, return_exceptions=True)
