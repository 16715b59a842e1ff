"""The composition of this face: from settings to one ASGI app with everything behind it. Nothing is decided here."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, Final

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from prometheus_client import CollectorRegistry
from starlette.exceptions import HTTPException
from starlette.middleware.cors import CORSMiddleware
from starlette.routing import WebSocketRoute
from starlette.types import ASGIApp

from api.access.clients import Networks
from api.access.gate import Gate, GateRules, Limits, default_limits
from api.access.keys import MARKET_READ, FixedKeyring
from api.access.limits import LocalCounters
from api.catalog import market_endpoints, service_endpoints
from api.connections import ConnectionLimits
from api.documents import Documents, describe
from api.endpoints import Shortcuts, register, scope_finder
from api.front import Front, FrontLimits
from api.health import Health, Vitals
from api.market.asker import Asker
from api.metrics import HttpMetrics, StreamMetrics
from api.refusals import MethodNotAllowedError, NotFoundError, refusal
from api.stream.client import Surroundings
from api.stream.entrance import EntranceRules, StreamEntrance
from api.stream.feed import StreamFeed
from api.stream.hub import Hub
from api.stream.symbols import Symbols
from contracts.errors import HydrophoneError, InternalError, InvalidParameterError
from runtime import clock
from runtime.config.settings import ApiSettings
from runtime.logging import logs
from runtime.metrics import BusMetrics
from runtime.nats.bus import Bus, BusOptions
from runtime.nats.write_probe import WriteProbe

VERSION: Final = "1.0.0"
STREAM_PATH: Final = "/ws"
NOT_FOUND: Final = 404
METHOD_NOT_ALLOWED: Final = 405


def end_by_signal() -> None:
    """End this process as a supervisor would: with SIGTERM, so that the exit is clean but not zero."""
    signal.raise_signal(signal.SIGTERM)


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiOptions:
    """What a composition is made from; ages in nanoseconds."""

    settings: ApiSettings
    bus: BusOptions
    limits: Limits | None = None
    front: FrontLimits = field(default_factory=FrontLimits)
    entrance: EntranceRules = field(default_factory=EntranceRules)
    cache: bool = True
    asyncapi: Callable[[], bytes | None] = lambda: None
    on_failed: Callable[[], None] = end_by_signal


class Parts:
    """The parts that live as long as the process, and the tasks that keep them going."""

    def __init__(self, options: ApiOptions, registry: CollectorRegistry) -> None:
        self.options = options
        self.bus = Bus(options.bus, metrics=BusMetrics(registry))
        self.probe = WriteProbe(self.bus, "api")
        self.asker = Asker(self.bus, enabled=options.cache)
        self.hub = Hub(self.asker, StreamMetrics(registry))
        self.feed = StreamFeed(self.bus, self.hub.on_event)
        self._tasks: list[asyncio.Task[None]] = []
        self._stopping = False

    def start(self) -> None:
        """Connect and read in the background: answers begin before the bus is there."""
        self.bus.listen_reconnect(lambda: self.hub.on_gap("the bus was away"))
        self.bus.listen_drop(lambda _subject, count: self.hub.on_gap(f"{count} messages were lost on the way"))
        self._begin(self._run())

    async def stop(self) -> None:
        """Stop reading and leave the bus."""
        self._stopping = True
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self.asker.close()
        await self.bus.close(timeout=3.0)

    async def _run(self) -> None:
        await self.bus.connect()
        for work in (self.feed.run(), self.hub.prices.keep_asking(), self.probe.run()):
            self._begin(work)

    def _begin(self, work: Any) -> None:
        task = asyncio.get_running_loop().create_task(work)
        task.add_done_callback(self._on_done)
        self._tasks.append(task)

    def _on_done(self, task: asyncio.Task[None]) -> None:
        if self._stopping or task.cancelled() or task.exception() is None:
            return
        logs.get().critical("api.part_failed", exc_info=task.exception())
        self.options.on_failed()


def compose(options: ApiOptions) -> ASGIApp:
    """Make the app; the bus is connected when the app is started, not here."""
    registry = CollectorRegistry()
    parts = Parts(options, registry)
    app = make_app(parts)
    health = Health(_vitals(parts))
    documents = Documents(app, registry, options.asyncapi)
    endpoints = (*market_endpoints(parts.asker), *service_endpoints(health, documents))
    register(app, endpoints)
    scopes = {endpoint.path: endpoint.scope for endpoint in endpoints} | {STREAM_PATH: MARKET_READ}
    gate = make_gate(options.settings, options.limits, scope_finder(app, scopes))
    around = Surroundings(Symbols(parts.asker), parts.hub, parts.feed)
    app.router.routes.append(WebSocketRoute(STREAM_PATH, StreamEntrance(gate, around, options.entrance)))
    front = Front(app, gate, Shortcuts(endpoints), limits=options.front, metrics=HttpMetrics(registry))
    return with_cors(front, options.settings)


def make_app(parts: Parts) -> FastAPI:
    """FastAPI with our lifespan and refusals, and without its own pages."""

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncGenerator[None]:
        parts.start()
        yield
        await parts.stop()

    app = FastAPI(
        title="Hydrophone",
        version=VERSION,
        description="Crypto market data heard on many exchanges: prices, whale trades, liquidations, order books.",
        lifespan=lifespan,
        openapi_url=None,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
    )
    for kind in (HydrophoneError, HTTPException, RequestValidationError, Exception):
        app.add_exception_handler(kind, _on_exception)
    describe(app)
    return app


def with_cors(app: ASGIApp, settings: ApiSettings) -> ASGIApp:
    """Let the origins of the settings in; without any, browsers of other origins stay out."""
    if not settings.cors_origins:
        return app
    return CORSMiddleware(
        app,
        allow_origins=settings.cors_origins,
        allow_methods=settings.cors_methods or ("GET",),
        allow_headers=settings.cors_headers or ("Authorization",),
        expose_headers=("RateLimit-Limit", "RateLimit-Remaining", "RateLimit-Reset", "Retry-After"),
    )


def make_gate(settings: ApiSettings, limits: Limits | None, scope_of: Callable[[str], str]) -> Gate:
    """The gate of the settings."""
    keys = FixedKeyring(
        [key.get_secret_value() for key in settings.api_keys], [key.get_secret_value() for key in settings.admin_keys]
    )
    if settings.require_auth and not len(keys):
        logs.get().warning("api.no_keys", hint="set GPT_API_API_KEYS: every market route answers 401 until then")
    rules = GateRules(
        limits=limits or default_limits(settings.rate_limit_requests, settings.rate_limit_window),
        scope_of=scope_of,
        allowed=Networks(settings.ip_allowlist),
        proxies=Networks(settings.trusted_proxies),
        require_auth=settings.require_auth,
    )
    return Gate(rules, keys, LocalCounters())


def connection_limits(settings: ApiSettings) -> ConnectionLimits:
    """The bounds of connections that the settings stand for."""
    return ConnectionLimits(per_address=settings.connections_per_address, proxies=Networks(settings.trusted_proxies))


def _vitals(parts: Parts) -> Vitals:
    return Vitals(
        started_ns=clock.now_ns(),
        connected=lambda: parts.bus.connected,
        asker=parts.asker,
        clients=lambda: parts.hub.clients,
        write_problem=lambda: parts.probe.problem,
    )


async def _on_exception(request: Request, error: Exception) -> Response:
    reply = refusal(request.url.path, _as_refusal(request, error), clock.now_ns())
    headers = {name.decode(): value.decode() for name, value in reply.headers}
    return Response(reply.body, reply.status, headers, media_type=reply.content_type.decode())


def _as_refusal(request: Request, error: Exception) -> HydrophoneError:
    path, method = request.url.path, request.method
    if isinstance(error, HydrophoneError):
        return error
    if isinstance(error, HTTPException) and error.status_code == NOT_FOUND:
        return NotFoundError(f"There is no {path}", path=path)
    if isinstance(error, HTTPException) and error.status_code == METHOD_NOT_ALLOWED:
        allowed = [name.strip() for name in (error.headers or {}).get("Allow", "").split(",") if name]
        return MethodNotAllowedError(f"{method} is not supported here", method=method, allowed=allowed)
    if isinstance(error, RequestValidationError):
        faults = [{"parameter": ".".join(map(str, fault["loc"])), "fault": fault["msg"]} for fault in error.errors()]
        return InvalidParameterError("The request does not have the expected form", faults=faults)
    return InternalError("Something went wrong here")
