"""`python -m bot`: the Telegram face as one process, with the settings of the environment."""

from __future__ import annotations

import signal
import sys

from runtime.app import entry

if __name__ == "__main__":
    entry.begin(without=entry.EXTRAS - entry.HTTP_SERVER)

import asyncio

import uvloop
from pydantic import SecretStr

from bot.access import Allowlist
from bot.app import BotOptions, Internal, Webhook, running
from runtime.config import settings
from runtime.config.options import bus_options
from runtime.config.settings import BotSettings, Settings
from runtime.logging import logs
from runtime.tracing.exporting import make_tracing


def main(arguments: list[str]) -> int:
    """Serve until a signal; 2 when the settings or the command line are wrong."""
    if arguments:
        print("usage: python -m bot (everything is a setting: docs/settings.md)", file=sys.stderr)
        return 2
    try:
        found = settings.load()
        options = bot_options(found)
    except (settings.SettingsError, ValueError) as error:
        print(error, file=sys.stderr)
        return 2
    logs.configure(
        logs.LogConfig(part="bot", level=found.logs.level, directory=found.logs.directory, secrets=found.secrets())
    )
    for warning in found.warnings:
        logs.get().warning("settings.unused", text=warning)
    if found.bot.internal_webhook is not None:
        logs.get().info("bot.internal_webhook", url=found.bot.internal_webhook)
    return uvloop.run(serve(options))


def bot_options(found: Settings) -> BotOptions:
    """Return what a bot is made from; ValueError where there is no token, or no bus is named."""
    bus, bot, token = bus_options(found.bus, "bot"), found.bot, found.telegram.token
    if token is None:
        raise ValueError("TELEGRAM_BOT_TOKEN is not set: @BotFather gives one, and `make demo` needs none")
    return BotOptions(
        bus=bus,
        token=token.get_secret_value(),
        base_url=found.telegram.api_base_url,
        webhook=_webhook(bot),
        allowlist=Allowlist(frozenset(bot.allowed_ids), frozenset(bot.admin_ids)),
        docs_url=bot.core_url,
        internal=_internal(bot),
        secrets=found.trading.secrets,
        refresh_seconds=found.trading.token_refresh,
        standby=found.parts.standby,
        tracing=make_tracing(found.traces, "bot"),
    )


def _webhook(bot: BotSettings) -> Webhook | None:
    if bot.webhook_url is None:
        return None
    secret: SecretStr = bot.webhook_secret or SecretStr("")
    return Webhook(bot.webhook_url, secret.get_secret_value(), *bot.webhook_place)


def _internal(bot: BotSettings) -> Internal:
    """Return where programs reach the bot, and their token."""
    token = bot.internal_token or bot.core_token
    plain = None if token is None else token.get_secret_value()
    return Internal(plain, bot.internal_host, bot.internal_port)


async def serve(options: BotOptions) -> int:
    """Run until SIGINT or SIGTERM, which also end the waiting for Telegram; 1 where it fails before that."""
    stopping, started = asyncio.Event(), asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stopping.set)

    async def keep() -> None:
        async with running(options):
            started.set()
            await stopping.wait()

    serving, stopped = asyncio.create_task(keep()), asyncio.create_task(stopping.wait())
    await asyncio.wait({serving, stopped}, return_when=asyncio.FIRST_COMPLETED)
    stopped.cancel()
    if not started.is_set():
        serving.cancel()
    (failed,) = await asyncio.gather(serving, return_exceptions=True)
    if isinstance(failed, Exception):
        logs.get().critical("bot.failed", exc_info=failed)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(entry.run(main))
