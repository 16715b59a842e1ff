"""The ASGI app: `/bot<token>/<method>` as Telegram has it, `/test/*`, and the page to chat on."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager, nullcontext, suppress
from pathlib import Path
from typing import Any, Final

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from bot.simulator.errors import ApiError, SilenceError
from bot.simulator.web import testing
from bot.simulator.web.requests import read_params
from bot.simulator.web.server import BotServer
from bot.simulator.world import Options
from runtime import clock

_PAGE: Final = Path(__file__).with_name("page")
_KINDS: Final = {"html": "text/html", "js": "text/javascript", "css": "text/css"}
_HEADERS: Final = {
    "Cache-Control": "no-cache",
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'"
    ),
    "X-Content-Type-Options": "nosniff",
}
_LOOK_SECONDS: Final = 0.2


def make_app(server: BotServer) -> Starlette:
    """Return the app of a server; it delivers to the webhook for as long as it lives."""

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncGenerator[None]:
        delivering = asyncio.create_task(server.deliver(), name="webhook")
        try:
            yield
        finally:
            delivering.cancel()
            with suppress(asyncio.CancelledError):
                await delivering

    routes = [
        Route("/bot{token}/{method}", _bot_endpoint(server), methods=["GET", "POST"]),
        Route("/file/bot{token}/files/{file_id}", _download(server), methods=["GET"]),
        *testing.make_routes(server),
        Route("/", _page_endpoint("index.html"), methods=["GET"]),
        *(Route(f"/{name}", _page_endpoint(name), methods=["GET"]) for name in ("chat.js", "chat.css")),
    ]
    return Starlette(routes=routes, lifespan=lifespan)


@asynccontextmanager
async def serving(
    options: Options, *, host: str = "127.0.0.1", port: int = 0, speed: float = 1.0
) -> AsyncGenerator[tuple[BotServer, str]]:
    """Serve for as long as the block lasts; gives the server and its URL. Port 0 takes a free one."""
    server = BotServer(options, speed=speed)
    config = uvicorn.Config(
        make_app(server),
        host=host,
        port=port,
        lifespan="on",
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=1,
    )
    serving_app = _Uvicorn(config)
    task = asyncio.create_task(serving_app.serve(), name="telegram test server")
    try:
        while not serving_app.started:
            if task.done():
                task.result()
                raise OSError(f"{host}:{port} cannot be served")
            await clock.sleep(0.01)
        place = serving_app.servers[0].sockets[0].getsockname()
        yield server, f"http://{place[0]}:{place[1]}"
    finally:
        serving_app.should_exit = True
        await task


class _Uvicorn(uvicorn.Server):
    """uvicorn without signal handlers of its own: its owner ends it."""

    def capture_signals(self) -> Any:
        """Capture nothing."""
        return nullcontext()


def _bot_endpoint(server: BotServer) -> Callable[[Request], Any]:
    async def respond(request: Request) -> Response:
        try:
            params = await read_params(request)
            result = await server.call(request.path_params["token"], request.path_params["method"], params)
        except ApiError as error:
            return JSONResponse(error.body(), error.code)
        except SilenceError as silence:
            return await _say_nothing(request, silence.seconds)
        return JSONResponse({"ok": True, "result": result})

    return respond


async def _say_nothing(request: Request, seconds: float) -> Response:
    """Wait until the client gives up, or the time is over."""
    deadline = clock.monotonic() + seconds
    while clock.monotonic() < deadline and not await request.is_disconnected():
        await clock.sleep(_LOOK_SECONDS)
    return JSONResponse(ApiError(504, "Gateway Timeout").body(), 504)


def _download(server: BotServer) -> Callable[[Request], Any]:
    async def respond(request: Request) -> Response:
        file = server.world.files.find(request.path_params["file_id"])
        if file is None or file.data is None:
            return JSONResponse(ApiError(404, "Not Found").body(), 404)
        return Response(file.data, media_type="application/octet-stream")

    return respond


def _page_endpoint(name: str) -> Callable[[Request], Any]:
    kind = _KINDS[name.rpartition(".")[2]]

    async def respond(_: Request) -> Response:
        content = await asyncio.to_thread((_PAGE / name).read_bytes)
        return Response(content, media_type=f"{kind}; charset=utf-8", headers=_HEADERS)

    return respond
