"""Numbers, ages and times as they stand in messages, the same in both languages. Pure.

A figure is shown as the market core replied it, digits grouped by commas, at most 12 significant ones behind the point;
US dollars from one on are rounded to cents.
"""

from __future__ import annotations

from datetime import datetime, tzinfo
from decimal import ROUND_FLOOR, ROUND_HALF_EVEN, Context, Decimal
from typing import Final

NONE: Final = "n/a"
Figure = float | int | Decimal | str | None
_DIGITS: Final = 12
_CENT: Final = Decimal("0.01")
_WIDE: Final = Context(prec=80, rounding=ROUND_HALF_EVEN)
_EXACT: Final = 10.0  # seconds; below them with tenths
_STEPS: Final = ((60.0, 1.0, "s"), (3600.0, 60.0, "min"), (48 * 3600.0, 3600.0, "h"))


def exact(value: float | Decimal | str) -> Decimal:
    """Return a figure as the decimal that it was written as."""
    return Decimal(repr(value) if isinstance(value, float) else value)


def number(value: Figure) -> str:
    """Return a figure with grouped digits: `90,971.8`; `n/a` for none."""
    if value is None:
        return NONE
    found = exact(value)
    if not found.is_finite():
        return NONE
    places = max(0, min(_DIGITS - 1 - found.adjusted(), 60)) if found else 0
    rounded = found.quantize(Decimal(1).scaleb(-places), context=_WIDE)
    text = f"{rounded:,f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def usd(value: Figure) -> str:
    """Return US dollars: `$1,746,847.25`, cents from one dollar on."""
    if value is None:
        return NONE
    found = exact(value)
    if abs(found) >= 1:
        found = found.quantize(_CENT, context=_WIDE)
        return f"${found:,f}".replace("$-", "-$")
    return f"${number(found)}".replace("$-", "-$")


def share_of(value: Decimal) -> str:
    """Return percent of a whole, rounded down, so that what is not all of it never reads as 100: `99.99`."""
    return number(value.quantize(_CENT, ROUND_FLOOR))


def percent(value: Figure) -> str:
    """Return percent with a sign: `+2.25%`."""
    if value is None:
        return NONE
    text = number(value)
    return f"{text}%" if text.startswith("-") or text == "0" else f"+{text}%"


def rate(value: Figure) -> str:
    """Return a fraction as percent: 0.0001 is `+0.01%`."""
    return percent(None if value is None else _WIDE.multiply(exact(value), Decimal(100)))


def share(value: Figure) -> str:
    """Return a fraction from 0 to 1 as percent without a sign: `92%`."""
    return percent(None if value is None else _WIDE.multiply(exact(value), Decimal(100))).lstrip("+")


def span(seconds: float) -> str:
    """Return a length of time: `0.3 s`, `12 s`, `4 min`, `3 h`, `5 d`."""
    if seconds < _EXACT:
        return f"{max(0.0, seconds):.1f} s"
    for below, unit, name in _STEPS:
        if seconds < below:
            return f"{seconds / unit:.0f} {name}"
    return f"{seconds / 86_400:.0f} d"


def moment(at: datetime | None, zone: tzinfo) -> str:
    """Return a time of day with its date in a zone: `2026-11-21 20:00:34 UTC`; `n/a` for none."""
    if at is None:
        return NONE
    local = at.astimezone(zone)
    return f"{local:%Y-%m-%d %H:%M:%S} {zone_name(local)}"


def clock(at: datetime | None, zone: tzinfo) -> str:
    """Return a time of day in a zone: `20:00:34`; `n/a` for none."""
    return NONE if at is None else f"{at.astimezone(zone):%H:%M:%S}"


def zone_name(local: datetime) -> str:
    """Return what a local time's zone is called: `UTC`, `WIB`, `UTC+05:45` where it has no letters of its own."""
    name = local.tzname() or "UTC"
    if name[0].isalpha():
        return name
    return f"UTC{local:%z}"[:6] + ":" + f"{local:%z}"[3:5]
