"""The keyboards below messages: which buttons, and what each carries. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from bot.page import Button, Page, Rows, Visit, button, row, rows
from bot.texts import menus
from contracts.services.market import LONGEST_SYMBOL
from runtime.texts.reader import LANGUAGES, Reader

MENU: Final = "m"
SYMBOL: Final = "s"
QUESTION: Final = "q"
CHART: Final = "c"
DEPTH: Final = "d"
MAP: Final = "lm"
LANGUAGE: Final = "l"
ZONE: Final = "z"
COINS: Final = ("BTC", "ETH", "SOL", "XRP", "BNB", "DOGE")
TIMEFRAMES: Final = ("5m", "15m", "1h", "4h", "1d")
MAP_WINDOWS: Final = ("1h", "4h", "24h", "7d", "30d")
MAP_WINDOW: Final = "24h"
ZONES: Final = ("UTC", "Asia/Jakarta", "Asia/Makassar", "Asia/Jayapura", "Asia/Singapore", "Europe/London")
TRADING: Final = ("portfolio", "trading", "strategies")
MENUS: Final = ("start", "market", "alerts", "settings", "help", "status")
_QUESTIONS: Final = ("price", "raw", "book", "whale", "liq", "spread")


def start(visit: Visit) -> Page:
    """Return the menu that everything is reached from."""
    reader = visit.reader
    entry = [_menu(name, reader) for name in ("market", "alerts", *TRADING, "settings", "status", "help")]
    return Page(menus.start(visit.name, reader), _pairs(entry))


def menu(name: str, visit: Visit) -> Page:
    """Return a menu by its name: one of those without data of their own."""
    reader = visit.reader
    back = row(_menu("start", reader, "back"))
    if name == "market":
        coins = [button(coin, SYMBOL, coin) for coin in COINS]
        return Page(reader.say("menu.market"), (*_pairs(coins, 3), back))
    if name == "settings":
        return Page(menus.settings(visit.zone, reader), (*language_rows(), *zone_rows(), back))
    return Page(reader.say(f"menu.{name}"), rows(back))


def symbol(name: str, reader: Reader) -> Page:
    """Return the menu of one symbol."""
    return Page(reader.say("menu.symbol", symbol=name), symbol_rows(name, reader))


def symbol_rows(name: str, reader: Reader) -> Rows:
    """Return a button for each question about a symbol."""
    asked = [button(reader.plain(f"button.{verb}"), QUESTION, verb, name) for verb in _QUESTIONS]
    asked += [
        button(reader.plain("button.chart"), CHART, name, "1h"),
        button(reader.plain("button.depth"), DEPTH, name),
        button(reader.plain("button.liqmap"), MAP, name, MAP_WINDOW),
    ]
    return (*_pairs(asked), *rows(row(_menu("market", reader, "back"))))


def answer_rows(verb: str, name: str, reader: Reader, exchange: str = "") -> Rows:
    """Return the buttons below an answer: the same question again, and the others about the symbol."""
    more = (exchange,) if exchange else ()
    return rows(
        row(
            button(reader.plain("button.refresh"), QUESTION, verb, name, *more),
            button(reader.plain("button.chart"), CHART, name, "1h"),
            button(reader.plain("button.depth"), DEPTH, name) if verb == "book" else None,
            button(reader.plain("button.liqmap"), MAP, name, MAP_WINDOW) if verb == "liq" else None,
        ),
        row(button(f"⬅️ {name}", SYMBOL, name)),
    )


def chart_rows(name: str, timeframe: str, reader: Reader) -> Rows:
    """Return the buttons below a chart: other time frames, and the same again."""
    frames = row(*(button(f"• {frame}" if frame == timeframe else frame, CHART, name, frame) for frame in TIMEFRAMES))
    return rows(frames, row(button(reader.plain("button.refresh"), CHART, name, timeframe)))


def depth_rows(name: str, reader: Reader) -> Rows:
    """Return the button below a chart of depth."""
    return rows(row(button(reader.plain("button.refresh"), DEPTH, name)))


def map_rows(name: str, window: str, reader: Reader) -> Rows:
    """Return the buttons below a liquidation map: other windows, and the same again."""
    windows = row(*(button(f"• {one}" if one == window else one, MAP, name, one) for one in MAP_WINDOWS))
    again = button(reader.plain("button.refresh"), MAP, name, window)
    return rows(windows, row(again, button(reader.plain("button.liq"), QUESTION, "liq", name)))


def candidate_rows(action: str, arguments: Sequence[str], found: Sequence[str]) -> Rows:
    """Return a button for each symbol that may have been meant, which asks the same of it."""
    return _pairs([button(name, action, *arguments, name) for name in found if len(name) <= LONGEST_SYMBOL])


def coin_rows(action: str, *arguments: str) -> Rows:
    """Return a button for each well-known coin, which asks of it what was asked without a symbol."""
    return _pairs([button(coin, action, *arguments, coin) for coin in COINS], 3)


def status_rows(reader: Reader) -> Rows:
    """Return the buttons below the status."""
    again = button(reader.plain("button.refresh"), MENU, "status")
    return rows(row(again, _menu("start", reader, "back")))


def back_rows(reader: Reader) -> Rows:
    """Return the button that leads back to the first menu."""
    return rows(row(_menu("start", reader, "back")))


def language_rows() -> Rows:
    """Return a button for each language, in that language."""
    return rows(row(*(button(name, LANGUAGE, code) for code, name in LANGUAGES.items())))


def zone_rows() -> Rows:
    """Return a button for each zone that is offered."""
    return _pairs([button(name, ZONE, name) for name in ZONES])


def _menu(name: str, reader: Reader, label: str = "") -> Button | None:
    return button(reader.plain(f"button.{label or name}"), MENU, name)


def _pairs(found: Sequence[Button | None], wide: int = 2) -> Rows:
    there = row(*found)
    return tuple(there[at : at + wide] for at in range(0, len(there), wide))
