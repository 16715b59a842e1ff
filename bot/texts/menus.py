"""Texts of menus, help, language and zone. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final, Literal

from runtime.texts.markup import Html, fit
from runtime.texts.reader import LANGUAGES, Reader

Topic = Literal["market", "alerts", "trading", "general"]


@dataclass(frozen=True, slots=True)
class CommandWords:
    """A command as it is listed: where, what follows it, and an example of what does."""

    name: str
    topic: Topic
    arguments: tuple[str, ...] = ()
    example: str = ""


COMMANDS: Final = (
    CommandWords("price", "market", ("symbol",), "BTC/USDT"),
    CommandWords("raw", "market", ("symbol",), "BTC"),
    CommandWords("raw_orderbook", "market", ("symbol",), "BTC/USDT"),
    CommandWords("whale", "market", ("symbol",), "BTC"),
    CommandWords("liq", "market", ("symbol",), "BTC"),
    CommandWords("liqmap", "market", ("symbol", "window"), "BTC 24h"),
    CommandWords("spread", "market", ("symbol",), "BTC"),
    CommandWords("chart", "market", ("symbol", "timeframe"), "BTC 1h"),
    CommandWords("sentiment", "market", ("text",), "Bitcoin reserves fall"),
    CommandWords("subscribe", "alerts", ("filters",), "whale BTC"),
    CommandWords("unsubscribe", "alerts"),
    CommandWords("alerts", "alerts"),
    CommandWords("alerts_status", "alerts"),
    CommandWords("alerts_on_w", "alerts"),
    CommandWords("alerts_off_w", "alerts"),
    CommandWords("alert", "alerts", ("alert",), "BTC above 100000"),
    CommandWords("why", "alerts", ("id",), "1f0c9a4be1d27c35"),
    CommandWords("snooze", "alerts", ("snooze",), "1f0c9a4be1d27c35 2h"),
    CommandWords("trade", "trading", ("trade",), "buy 0.01 BTC/USDT at 60000"),
    CommandWords("orders", "trading", ("all",), "all"),
    CommandWords("portfolio", "trading", ("currency",), "IDR"),
    CommandWords("paper", "trading"),
    CommandWords("strategy", "trading", ("strategy",), "grid BTC/USDT lower=60000 upper=70000 levels=11 amount=0.01"),
    CommandWords("backtest", "trading", ("strategy", "span"), "dca BTC/USDT amount=0.01 interval_seconds=1h 1d"),
    CommandWords("link", "trading", ("venue",), "indodax"),
    CommandWords("unlink", "trading", ("account",), "indodax"),
    CommandWords("kill", "trading"),
    CommandWords("resume", "trading"),
    CommandWords("start", "general"),
    CommandWords("help", "general"),
    CommandWords("status", "general"),
    CommandWords("language", "general", ("language",), "id"),
    CommandWords("timezone", "general", ("zone",), "Asia/Jakarta"),
)
BY_NAME: Final = {command.name: command for command in COMMANDS}


def start(name: str, reader: Reader) -> Html:
    """Return the text of `/start`."""
    return reader.say("menu.start", name=name)


def help_text(username: str, url: str | None, reader: Reader) -> Html:
    """Return the text of `/help`: every command with what it gives; `url` is where the documents are."""
    parts = [reader.say("help.head")]
    topics: tuple[Topic, ...] = ("market", "alerts", "trading", "general")
    for topic in topics:
        rows = [_row(command, reader) for command in COMMANDS if command.topic == topic]
        parts += [Html(""), reader.say(f"help.{topic}"), *rows]
    tail = [Html(""), reader.say("help.group_commands"), Html(""), reader.say("help.symbols", username=username)]
    return fit(parts, [*tail, reader.say("help.link", url=url)] if url else tail)


def _row(command: CommandWords, reader: Reader) -> Html:
    arguments = arguments_of(command, reader)
    return reader.say(
        "help.row",
        command=command.name,
        arguments=f" {arguments}" if arguments else "",
        what=reader.say(f"command.{command.name}"),
    )


def arguments_of(command: CommandWords, reader: Reader) -> str:
    """Return what follows a command, in words."""
    return " ".join(reader.plain(f"argument.{name}") for name in command.arguments)


def command_list(reader: Reader) -> tuple[tuple[str, str], ...]:
    """Return each command with its description, for Telegram's own list of commands."""
    return tuple((command.name, reader.plain(f"command.{command.name}")) for command in COMMANDS)


def settings(zone: str, reader: Reader) -> Html:
    """Return the text of the settings menu."""
    return reader.say("menu.settings", language=LANGUAGES[reader.language], zone=zone)


def zone_set(zone: str, now: datetime, reader: Reader) -> Html:
    """Return that a zone was set, with the time there."""
    return reader.say("zone.set", zone=zone, time=reader.clock(now))
