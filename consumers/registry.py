"""Every consumer, one line each: `consumers/<name>/making.py` makes it, and is imported only where it runs."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from importlib import import_module
from typing import TYPE_CHECKING, Final

from runtime.config.settings import Settings

if TYPE_CHECKING:  # the launcher reads the names only, and takes no FastStream into its memory for that
    from runtime.app.service import Consumer


def _make(name: str, settings: Settings) -> Consumer:
    """Import a consumer and what it needs, and make it."""
    made: Consumer = import_module(f"consumers.{name}.making").make(settings)
    return made


_NAMES: Final = (
    "books",
    "cache",
    "candles",
    "coverage",
    "market",
    "whales",
    "access",
    "alerts",
    "chats",
    "clusters",
    "storms",
    "community",
    "detectors",
    "deadletters",
    "telegram",
    "analytics",
    "webhooks",
    "execution",
    "portfolio",
    "backtests",
    "strategies",
)
CONSUMERS: Final[dict[str, Callable[[Settings], Consumer]]] = {name: partial(_make, name) for name in _NAMES}

BY_ITSELF: Final = frozenset({"books"})  # runs only where it is named, in a process of its own
NEED_DOCUMENTS: Final[frozenset[str]] = frozenset(  # left out, with a line in the log, where MONGO_URL is not set
    {
        "access",
        "alerts",
        "analytics",
        "backtests",
        "chats",
        "community",
        "execution",
        "portfolio",
        "strategies",
        "webhooks",
    }
)
NEED_TELEGRAM: Final = frozenset({"telegram"})  # left out, with a line in the log, where TELEGRAM_BOT_TOKEN is not set
