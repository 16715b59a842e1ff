"""Reads what people write behind alert commands: filters, spans, conditions, moments. Pure."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from decimal import Decimal, InvalidOperation
from typing import Final, cast, get_args

from contracts.alerts import ALERT_KINDS, AlertKind, Condition
from contracts.services.alerts import PriceRule
from contracts.services.chats import AlertFilter
from contracts.signals import Tier

WHALES: Final[tuple[AlertKind, ...]] = ("whale", "cluster")
WORDS: Final[dict[str, tuple[AlertKind, ...]]] = {
    "whales": WHALES,
    "paus": WHALES,
    "liq": ("liquidation", "storm"),
    "liquidations": ("liquidation", "storm"),
    "likuidasi": ("liquidation", "storm"),
    "storms": ("storm",),
    "badai": ("storm",),
    "funding": ("funding_extreme",),
    "oi": ("interest_jump",),
    "volume": ("volume_spike",),
}
TIERS: Final[tuple[Tier, ...]] = get_args(Tier)
CONDITIONS: Final[dict[str, Condition]] = {
    "above": "above",
    "over": "above",
    "atas": "above",
    ">": "above",
    "below": "below",
    "under": "below",
    "bawah": "below",
    "<": "below",
    "crosses": "crosses",
    "change": "change",
    "every": "every",
}
REPEAT: Final = {"repeat", "repeating", "ulang", "berulang"}
CHANGE_SECONDS: Final = 3600
_UNITS: Final = {"s": 1, "m": 60, "min": 60, "h": 3600, "j": 3600, "d": 86_400, "w": 604_800}
_SPAN: Final = re.compile(r"([0-9]{1,6})(s|m|min|h|j|d|w)")
_CLOCK: Final = re.compile(r"([01]?[0-9]|2[0-3]):([0-5][0-9])(?::([0-5][0-9]))?")


def read_filter(words: Sequence[str], venues: Collection[str]) -> AlertFilter:
    """Return which alerts are meant by words in any order: kinds, tiers, exchanges; any other word is a symbol."""
    kinds: list[AlertKind] = []
    tiers: list[Tier] = []
    named: list[str] = []
    symbols: list[str] = []
    for word in (part for one in words for part in one.split(",") if part):
        lower = word.lower()
        if lower in WORDS:
            kinds += WORDS[lower]
        elif lower in ALERT_KINDS:
            kinds.append(cast("AlertKind", lower))
        elif lower in TIERS:
            tiers.append(lower)
        elif lower in venues:
            named.append(lower)
        else:
            symbols.append(word.upper())
    found = (tuple(dict.fromkeys(one)) for one in (kinds, symbols, tiers, named))
    return AlertFilter.model_validate(dict(zip(("kinds", "symbols", "tiers", "venues"), found, strict=True)))


def with_whales(meant: AlertFilter) -> AlertFilter:
    """Return a filter that lets whale alerts through."""
    kinds = () if not meant.kinds else tuple(dict.fromkeys((*meant.kinds, *WHALES)))
    return meant.model_copy(update={"kinds": kinds})


def without_whales(meant: AlertFilter) -> AlertFilter | None:
    """Return a filter that lets no whale alert through; None where it would let none through at all."""
    named = meant.kinds or tuple(cast("AlertKind", kind) for kind in ALERT_KINDS)
    kinds = tuple(kind for kind in named if kind not in WHALES)
    return meant.model_copy(update={"kinds": kinds}) if kinds else None


def read_span(word: str) -> int | None:
    """Return the seconds of `90s`, `30m`, `2h`, `1d`; None for anything else."""
    found = _SPAN.fullmatch(word.lower())
    return None if found is None else int(found[1]) * _UNITS[found[2]]


def read_rule(words: Sequence[str]) -> PriceRule | None:
    """Return the price alert that is meant by `BTC above 100000 repeat`; None where it means nothing.

    Without a word for it the direction is left open: `condition` is `crosses`. `BTC change 5 1h`: percent and span;
    `BTC every 1h`: a price at an interval. Raises pydantic's ValidationError for values outside of what may be.
    """
    if len(words) < 2:  # noqa: PLR2004  # a symbol and a figure at least
        return None
    symbol, *rest = words
    repeat = any(word.lower() in REPEAT for word in rest)
    rest = [word for word in rest if word.lower() not in REPEAT]
    condition = CONDITIONS.get(rest[0].lower()) if rest else None
    figures = rest[1:] if condition else rest
    fields: dict[str, object] = {"symbol": symbol, "condition": condition or "crosses", "repeat": repeat or None}
    span = next((seconds for word in figures if (seconds := read_span(word)) is not None), None)
    value = next((text for word in figures if (text := read_price(word)) is not None), None)
    if condition == "every":
        return None if span is None else PriceRule.model_validate({**fields, "interval_seconds": span})
    if value is None:
        return None
    if condition == "change":
        return PriceRule.model_validate({**fields, "value": value, "window_seconds": span or CHANGE_SECONDS})
    return PriceRule.model_validate({**fields, "value": value})


def read_price(word: str) -> str | None:
    """Return a price as plain decimal text: `100,000` and `100k` are 100000; None for anything else."""
    text = word.lower().lstrip("$").rstrip("%").replace(",", "").replace("_", "")
    scale = {"k": 3, "m": 6}.get(text[-1:], 0)
    try:
        found = Decimal(text[:-1] if scale else text).scaleb(scale)
    except InvalidOperation:
        return None
    return format(found.normalize(), "f") if found.is_finite() and found > 0 else None


def read_moment(word: str, now: datetime) -> datetime | None:
    """Return the last moment of a time of day, or so long ago, before `now`: `14:05`, `30m`; None for anything else."""
    if (seconds := read_span(word)) is not None:
        return now - timedelta(seconds=seconds)
    found = _CLOCK.fullmatch(word)
    if found is None:
        return None
    hour, minute, second = (int(part or 0) for part in found.groups())
    at = now.replace(hour=hour, minute=minute, second=second, microsecond=0)
    return at if at <= now else at - timedelta(days=1)
