"""The composition of this face: from settings to one ASGI app with everything behind it. Nothing is decided here.

Longer than other files because it is the one place that names every part of the face.
"""

from __future__ import annotations

import asyncio
import signal
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from secrets import token_bytes
from typing import Any, Final

from fastapi import FastAPI
from prometheus_client import CollectorRegistry
from starlette.types import ASGIApp

from api.access import revocation
from api.access import routes as access_routes
from api.access.revocation import RevocationSources
from api.alerts import routes as alerts_routes
from api.analytics import routes as analytics_routes
from api.analytics.recorder import RequestRecorder
from api.analytics.routes import AnalyticsSources
from api.cache import routes as cache_routes
from api.cache.service import CacheService
from api.deadletters import routes as deadletters_routes
from api.feeds import routes as feeds_routes
from api.graphql import endpoint as graphql_endpoint
from api.graphql.endpoint import GraphQLEndpoint
from api.graphql.playground import Playground
from api.graphql.schema import make_schema
from api.graphql.sockets import Sockets
from api.graphql.view import GraphQLView
from api.http.access.addresses import Networks
from api.http.access.admission import AccessControl, AccessRules
from api.http.access.counters import BusLedger, Counters
from api.http.access.keys import Keyring
from api.http.access.limits import Limits, default_limits
from api.http.access.stored import StoredKeys
from api.http.app import make_app, with_cors
from api.http.connections import ConnectionLimits
from api.http.idempotency import IdempotencyMemory
from api.http.middleware import HttpMetrics, RequestLimits, RequestMiddleware
from api.http.routing import RouteTable
from api.market import routes as market_routes
from api.market.answers import MarketAnswers
from api.mcp import endpoint as mcp_endpoint
from api.mcp.alerts import AlertTools
from api.mcp.endpoint import McpEndpoint
from api.mcp.hosts import Hosts
from api.mcp.orders import OrderTools
from api.ops import documents, health
from api.ops.documents import DocumentSources
from api.ops.health import HealthSources
from api.pages import routes as page_routes
from api.pages.assets import read_assets
from api.pages.routes import PageSources
from api.sentiment import routes as sentiment_routes
from api.stream import endpoint
from api.stream.client import StreamServices
from api.stream.endpoint import StreamEndpoint
from api.stream.events import endpoint as events
from api.stream.events.endpoint import EventsEndpoint
from api.stream.events.event_log import EventLog
from api.stream.events.event_stream import EventServices
from api.stream.feed import StreamFeed
from api.stream.held import HeldElsewhere
from api.stream.hub import Hub, StreamMetrics
from api.stream.limits import KeyConnections, StreamLimits
from api.stream.symbols import Symbols
from api.trading import routes as trading_routes
from api.trading.sending import TradingSources
from api.v2 import routes as v2_routes
from api.webhooks import deliveries as webhook_deliveries
from api.webhooks import routes as webhooks_routes
from api.webhooks.routes import WebhookSources
from runtime import clock
from runtime.clients.command_client import CommandClient
from runtime.clients.market_client import MarketClient
from runtime.config.settings import AnalyticsSettings, ApiSettings
from runtime.credentials import make_vault
from runtime.logging import logs
from runtime.metrics import BusMetrics
from runtime.nats.bus import Bus, BusOptions
from runtime.nats.write_probe import WriteProbe
from runtime.tasks import end_tasks
from runtime.tracing.tracing import OFF, Tracing

ROUTERS: Final = (
    *market_routes.ROUTERS,
    sentiment_routes.router,
    access_routes.router,
    revocation.router,
    alerts_routes.router,
    cache_routes.router,
    analytics_routes.router,
    deadletters_routes.router,
    feeds_routes.router,
    *webhooks_routes.ROUTERS,
    *webhook_deliveries.ROUTERS,
    *v2_routes.ROUTERS,
    *trading_routes.ROUTERS,
    health.router,
    documents.router,
    page_routes.router,
    endpoint.router,
    graphql_endpoint.router,
    mcp_endpoint.router,
    events.router,
)
_LAST_SECONDS: Final = 2.0


def end_by_signal() -> None:
    """End this process as a supervisor would: with SIGTERM, so that the exit is clean but not zero."""
    signal.raise_signal(signal.SIGTERM)


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiOptions:
    """What a composition is made from; without a pepper there are only the keys of the settings.

    `warm` are symbols to ask for at the start, `secrets` what keys of exchanges are sealed with.
    """

    settings: ApiSettings
    bus: BusOptions
    pepper: bytes | None = None
    limits: Limits | None = None
    requests: RequestLimits = field(default_factory=RequestLimits)
    stream: StreamLimits | None = None
    cache: bool = True
    analytics: AnalyticsSettings = field(default_factory=lambda: AnalyticsSettings.model_validate({}))
    webhooks: bool = True
    secrets: tuple[str, ...] = field(default=(), repr=False)
    tracing: Tracing = OFF
    internal_token: str | None = field(default=None, repr=False)
    cache_ttl: int = 300
    warm: tuple[str, ...] = ()
    asyncapi: Callable[[], bytes | None] = lambda: None
    on_failed: Callable[[], None] = end_by_signal


class Parts:
    """The parts that live as long as the process, and the tasks that keep them going."""

    def __init__(self, options: ApiOptions, registry: CollectorRegistry) -> None:
        self.options = options
        self.bus = Bus(options.bus, metrics=BusMetrics(registry), tracing=options.tracing)
        self.probe = WriteProbe(self.bus, "api")
        self.counters = Counters(BusLedger(self.bus))
        self.stored = None if options.pepper is None else StoredKeys(options.pepper)
        self.market = MarketClient(self.bus, enabled=options.cache)
        self.cache = CacheService(self.bus, self.market, registry, options.cache_ttl)
        self.hub = Hub(self.market, StreamMetrics(registry))
        self.feed = StreamFeed(self.bus, self.hub.on_event)
        self.recorder = RequestRecorder(self.bus, registry) if options.analytics.enabled else None
        self.commands = CommandClient(self.bus)
        secret = options.pepper or token_bytes()
        own = (AlertTools(self.commands, secret), OrderTools(self.commands, secret))
        self.mcp = McpEndpoint(self.market, own, Hosts.of(options.settings.public_url, options.settings.cors_origins))
        self.log = EventLog(self.bus, self.hub.fan_out)
        self.stream_limits = options.stream or StreamLimits(connections_per_key=options.settings.connections_per_key)
        self.elsewhere = HeldElsewhere(self.bus)
        self.connections = KeyConnections(self.stream_limits, self.elsewhere)
        self._tasks: list[asyncio.Task[None]] = []
        self._stopping = False

    @asynccontextmanager
    async def lifespan(self, _app: FastAPI) -> AsyncGenerator[None]:
        """Connect and read in the background: answers begin before the bus is there. Leave the bus at the end."""
        self.bus.listen_reconnect(lambda: self.hub.on_gap("the bus was away"))
        self.bus.listen_drop(lambda _subject, count: self.hub.on_gap(f"{count} messages were lost on the way"))
        self._begin(self._run())
        async with self.mcp.running():
            yield
        self._stopping = True
        await end_tasks(self._tasks)
        if self.recorder is not None:
            with suppress(TimeoutError):  # what is left then is lost with this process, as it would be by a kill
                async with asyncio.timeout(_LAST_SECONDS):
                    await self.recorder.flush()
        await self.counters.close()
        await self.cache.close()
        await self.bus.close(timeout=3.0)

    async def _run(self) -> None:
        await self.bus.connect()
        closing = self.hub.keep_closing_slow(self.stream_limits.send_seconds)
        for work in (self.feed.run(), self.log.run(), closing, self.hub.prices.keep_refreshing()):
            self._begin(work)
        own = (self.cache.run(), self.cache.warm_up(self.options.warm))
        held = self.elsewhere.run(self.connections.count)
        for work in (self.probe.run(), self.counters.run(), held, *own):
            self._begin(work)
        if self.recorder is not None:
            self._begin(self.recorder.run())
        if self.stored is not None:
            self._begin(self.stored.follow(self.bus))

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
    app = make_app(ROUTERS, parts.lifespan)
    table = RouteTable(app.routes)
    access = make_access(options, parts, table)
    app.state.commands, app.state.bus = parts.commands, parts.bus
    recorder, export = parts.recorder, options.analytics.export_format
    app.state.analytics = AnalyticsSources(
        None if recorder is None else app.state.commands, export, parts.cache.fetched
    )
    app.state.webhooks = WebhookSources(app.state.commands if options.webhooks else None)
    app.state.revocation = RevocationSources(options.internal_token)
    app.state.trading = TradingSources(make_vault(options.secrets))
    app.state.idempotency = IdempotencyMemory(parts.bus)
    answers = app.state.market = MarketAnswers(parts.market)
    app.state.cache = parts.cache
    app.state.health = HealthSources(
        started_ns=clock.now_ns(),
        connected=lambda: parts.bus.connected,
        market=parts.market,
        by_class=parts.cache.by_class,
        clients=lambda: parts.hub.clients,
        write_problem=lambda: parts.probe.problem,
    )
    app.state.documents = DocumentSources(registry)
    assets = read_assets()
    app.state.pages = PageSources(
        assets=assets,
        asyncapi=options.asyncapi,
        public_url=options.settings.public_url,
        needs_key=options.settings.require_auth,
    )
    add_streams(app, parts, access)
    app.state.mcp = parts.mcp
    middleware = RequestMiddleware(
        app,
        access=access,
        routes=table,
        shortcut=answers.find,
        limits=options.requests,
        metrics=HttpMetrics(registry),
        record=None if recorder is None else recorder.record,
        tracing=options.tracing,
    )
    served = Playground(middleware, assets.addresses()) if options.settings.debug else middleware
    return with_cors(served, options.settings)


def add_streams(app: FastAPI, parts: Parts, access: AccessControl) -> None:
    """Put the endpoints of `/ws`, `/events` and `/graphql` where their routes find them."""
    symbols, limits = Symbols(parts.market), parts.stream_limits
    connections = parts.connections
    if parts.stored is not None:
        parts.stored.listen_refused(connections.on_refused)
    services = StreamServices(symbols, parts.hub, parts.feed)
    app.state.stream = StreamEndpoint(access, services, connections, limits)
    events_services = EventServices(parts.hub, parts.feed, parts.log)
    app.state.events = EventsEndpoint(events_services, symbols, connections, limits)
    view = GraphQLView(make_schema(), parts.options.settings.cors_origins)
    sockets = Sockets(view, access, parts.market, services, connections)
    app.state.graphql = GraphQLEndpoint(view, parts.market, sockets)


def make_access(options: ApiOptions, parts: Parts, table: RouteTable) -> AccessControl:
    """Make the access control of the settings, with the keys of the store and the counters that replicas share."""
    settings = options.settings
    keys = Keyring(
        [key.get_secret_value() for key in settings.api_keys], [key.get_secret_value() for key in settings.admin_keys]
    )
    if settings.require_auth and not len(keys):
        logs.get().warning("api.no_keys", hint="set GPT_API_API_KEYS: every market route answers 401 until then")
    rules = AccessRules(
        limits=options.limits or limits_of(settings),
        scope_of=lambda path: table.find(path).scope,
        keyed=lambda path: table.find(path).keyed,
        allowed=Networks(settings.ip_allowlist),
        proxies=Networks(settings.trusted_proxies),
        require_auth=settings.require_auth,
    )
    return AccessControl(rules, keys, parts.counters, parts.stored)


def limits_of(settings: ApiSettings) -> Limits:
    """Return the limits that the settings stand for."""
    return default_limits(
        settings.rate_limit_requests,
        settings.rate_limit_window,
        address=settings.rate_limit_ip,
        anonymous=settings.rate_limit_anonymous,
        everybody=settings.rate_limit_global,
    )


def connection_limits(settings: ApiSettings) -> ConnectionLimits:
    """Return the bounds of connections that the settings stand for."""
    return ConnectionLimits(per_address=settings.connections_per_address, proxies=Networks(settings.trusted_proxies))
