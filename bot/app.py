"""The composition of the bot: from options to a process that takes updates, and its end. Nothing is decided here."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Final, cast
from urllib.parse import urlsplit

import structlog
from prometheus_client import CollectorRegistry
from telegram import (
    BotCommand,
    BotCommandScope,
    BotCommandScopeAllChatAdministrators,
    BotCommandScopeAllGroupChats,
    BotCommandScopeDefault,
    Update,
)
from telegram.error import TelegramError
from telegram.ext import Application, ApplicationBuilder, ExtBot, Updater
from telegram.request import HTTPXRequest

from bot.access import Allowlist
from bot.commands import alerts, general
from bot.commands import market as market_commands
from bot.commands.alerts import ChatAlerts
from bot.commands.buttons import Buttons, OwnButtons
from bot.commands.inline import Inline
from bot.commands.updates import TracedUpdates
from bot.commands.visiting import Services, on_error
from bot.groups.automatic import running as automatic
from bot.groups.automatic.running import Automatic, Parts
from bot.groups.commands import listing
from bot.groups.making import WATCHING, make_groups
from bot.groups.undos import AskedUndos
from bot.market import Market
from bot.notify import notify_app
from bot.outbox import Outbox
from bot.pacing import Pacing
from bot.pages import Pages
from bot.profiles import Profiles
from bot.requests import PromptRequests
from bot.texts import menus as texts
from bot.texts.language import make_reader
from bot.trading.making import FIRST, BotTrading, TradingParts
from bot.trading.state import TraderState
from bot.web import listening, webhook_app
from runtime import clock
from runtime.clients.command_client import CommandClient
from runtime.clients.market_client import MarketClient
from runtime.credentials import make_vault
from runtime.drawing.thread import Drawing
from runtime.metrics import BusMetrics
from runtime.nats.bus import Bus, BusOptions
from runtime.nats.leases.standby import alone
from runtime.nats.telegram_jobs import publish_job
from runtime.texts.reader import LANGUAGES, Reader
from runtime.tracing.tracing import OFF, Tracing

App = Application[Any, Any, Any, Any, Any, Any]
_log = structlog.get_logger("bot")
ALLOWED_UPDATES: Final = ("message", "callback_query", "inline_query", "my_chat_member", *automatic.UPDATES)
AT_ONCE: Final = 64
SEEN: Final = -1  # the handler that sees every update, before any other has waited: what people wrote keeps its order
RETRY_SECONDS: Final = 3.0
CALL_SECONDS: Final = 20.0
POLL_SECONDS: Final = 10


@dataclass(frozen=True, slots=True)
class Webhook:
    """Where Telegram sends updates to, the secret that it proves itself with, and where this process listens."""

    url: str
    secret: str
    host: str
    port: int


@dataclass(frozen=True, slots=True)
class Internal:
    """Where programs beside the bot reach it, and the token that they prove themselves with."""

    token: str | None
    host: str
    port: int


@dataclass(frozen=True, slots=True, kw_only=True)
class BotOptions:
    """What a bot is made from; without a webhook it polls, without `secrets` no account at an exchange is linked.

    `refresh_seconds`: how long before its end a user token is refreshed. `speed`: so much faster than Telegram's runs
    the clock of the limits that are kept; 1 but for a simulated Telegram. `standby`: the group of which one bot polls.
    `tracing` ends with the bot.
    """

    bus: BusOptions
    token: str
    base_url: str
    webhook: Webhook | None = None
    allowlist: Allowlist = field(default_factory=lambda: Allowlist(frozenset(), frozenset()))
    docs_url: str | None = None
    internal: Internal | None = None
    now: Callable[[], float] = automatic.unix_now
    secrets: tuple[str, ...] = field(default=(), repr=False)
    refresh_seconds: int = 3600
    standby: str | None = None
    speed: float = 1.0
    tracing: Tracing = OFF


@asynccontextmanager
async def running(options: BotOptions) -> AsyncGenerator[App]:
    """Take updates for as long as the block lasts. The bus is connected in the background: its absence is said."""
    registry = CollectorRegistry()
    bus = Bus(options.bus, metrics=BusMetrics(registry), tracing=options.tracing)
    connecting = asyncio.create_task(bus.connect(), name="bus")
    drawing = Drawing()
    market = MarketClient(bus)
    application = make_application(options)
    beside = compose(application, bus, Core(Market(market), drawing), options)
    async with AsyncExitStack() as stack:
        stack.push_async_callback(bus.close, timeout=3.0)
        stack.push_async_callback(market.close)
        stack.callback(drawing.close)
        stack.callback(connecting.cancel)
        if (internal := options.internal) is not None:
            queue = partial(publish_job, bus)
            app = notify_app(internal.token, queue, lambda: bus.connected, registry, tracing=options.tracing)
            await stack.enter_async_context(listening(app, internal.host, internal.port))
        if options.standby is not None and options.webhook is None:
            await stack.enter_async_context(alone(bus, options.standby, connecting))
        await until_it_works(application.initialize)
        stack.push_async_callback(application.shutdown)
        for part in beside:
            await stack.enter_async_context(part.running())
        await application.start()
        stack.push_async_callback(application.stop)
        await stack.enter_async_context(_receiving(application, options))
        await until_it_works(lambda: announce(application.bot))
        _log.info("bot.ready", username=application.bot.username, webhook=options.webhook is not None)
        yield application


async def until_it_works(call: Callable[[], Awaitable[Any]]) -> None:
    """Call Telegram until it answers: that it is down for a while ends nothing here. A refused token is raised."""
    while True:
        try:
            await call()
        except TelegramError as error:
            if "token" in str(error).lower() or "unauthorized" in str(error).lower():
                raise
            _log.warning("bot.telegram_away", error=str(error))
            await clock.sleep(RETRY_SECONDS)
        else:
            return


def make_application(options: BotOptions) -> App:
    """Return python-telegram-bot's application over a bot whose messages are paced."""
    base = options.base_url.rstrip("/")
    bot: ExtBot[int] = ExtBot(
        options.token,
        base_url=f"{base}/bot",
        base_file_url=f"{base}/file/bot",
        request=_request(16),
        get_updates_request=_request(2),
        rate_limiter=Pacing(options.speed),
    )
    updates = TracedUpdates(AT_ONCE, options.tracing, ALLOWED_UPDATES)
    builder = ApplicationBuilder().bot(bot).concurrent_updates(updates)
    return (builder.updater(None) if options.webhook else builder).build()


def _request(connections: int) -> HTTPXRequest:
    return HTTPXRequest(
        connection_pool_size=connections, connect_timeout=5.0, read_timeout=CALL_SECONDS, pool_timeout=CALL_SECONDS
    )


@dataclass(frozen=True, slots=True)
class Core:
    """The market core, and what draws its answers."""

    market: Market
    drawing: Drawing


def compose(application: App, bus: Bus, core: Core, options: BotOptions) -> tuple[Automatic, BotTrading, AskedUndos]:
    """Add every handler; return what goes on beside the updates: in groups, of trading, what the API asks for."""
    requests = PromptRequests(CommandClient(bus), lambda: bus.connected)
    services = Services(
        bot=application.bot,
        outbox=Outbox(application.bot, requests),
        pages=Pages(core.market, core.drawing, lambda: bus.connected),
        profiles=Profiles(requests),
        requests=requests,
        allowlist=options.allowlist,
        docs_url=options.docs_url,
    )
    chat = ChatAlerts(services)
    given = TradingParts(core.market, TraderState(bus), make_vault(options.secrets), options.refresh_seconds)
    trading, groups = BotTrading(services, given), make_groups(services)
    buttons = Buttons(services, chat, OwnButtons(trading.presses(), trading.menus()))
    parts = Parts(groups.given.telegram, groups.given.deeds, groups.given.standings)
    of_groups = Automatic(bus, services, parts, options.now)
    application.add_handlers([
        *groups.answering,
        *market_commands.make_handlers(services),
        *general.make_handlers(services),
        *alerts.make_handlers(services, chat),
        *trading.handlers(),
        *of_groups.handlers(),
        buttons.handler(),
        Inline(services).handler(),
        general.make_last(services),
    ])  # fmt: skip
    application.add_handlers(groups.watching, group=WATCHING)
    application.add_handler(of_groups.watcher(), group=SEEN)
    application.add_handler(trading.first(), group=FIRST)
    application.add_error_handler(on_error)
    return of_groups, trading, AskedUndos(bus, requests, groups.given.telegram, groups.given.deeds)


@asynccontextmanager
async def _receiving(application: App, options: BotOptions) -> AsyncGenerator[None]:
    webhook = options.webhook
    if webhook is None:
        updater = cast("Updater", application.updater)
        await updater.start_polling(
            timeout=POLL_SECONDS, bootstrap_retries=-1, allowed_updates=ALLOWED_UPDATES, error_callback=_on_poll_error
        )
        try:
            yield
        finally:
            await updater.stop()
        return

    async def take(update: dict[str, Any]) -> None:
        await application.update_queue.put(Update.de_json(update, application.bot))

    app = webhook_app(urlsplit(webhook.url).path or "/", webhook.secret, take)
    async with listening(app, webhook.host, webhook.port):
        await until_it_works(
            lambda: application.bot.set_webhook(
                webhook.url, secret_token=webhook.secret, allowed_updates=list(ALLOWED_UPDATES)
            )
        )
        yield


def _on_poll_error(error: TelegramError) -> None:
    _log.warning("bot.poll_failed", error=str(error))


async def announce(bot: ExtBot[int]) -> None:
    """Tell Telegram the commands by who may use them where, in each language; English where a user has another one."""
    scopes: tuple[tuple[BotCommandScope, Callable[[Reader], Iterable[tuple[str, str]]]], ...] = (
        (BotCommandScopeDefault(), texts.command_list),
        (BotCommandScopeAllGroupChats(), listing.of_groups),
        (BotCommandScopeAllChatAdministrators(), listing.of_administrators),
    )
    for language in LANGUAGES:
        code = "" if language == "en" else language
        for scope, listed in scopes:
            commands = [BotCommand(name, what) for name, what in listed(make_reader(language))]
            await bot.set_my_commands(commands, scope=scope, language_code=code)
