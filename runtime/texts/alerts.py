"""Texts of alerts as they are sent, and the line that stands for one among many. Pure."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Final

from contracts.alerts import Alert
from contracts.subjects import ALL_VENUES
from runtime.texts import figures
from runtime.texts.figures import number, usd
from runtime.texts.markup import Html, bold, code, fit, join, plain
from runtime.texts.reader import Reader

SECOND_NS: Final = 1_000_000_000


def alert(found: Alert, reader: Reader, now_ns: int) -> Html:
    """Return the message of one alert, as it is at a time (ns UTC)."""
    venue = found.venue
    where = (
        reader.say("alert.all_exchanges") if venue == ALL_VENUES else reader.say("alert.at_exchange", exchange=venue)
    )
    side = "" if found.side is None else reader.say(f"side.{found.side}")
    age = figures.span((now_ns - found.fired_at) / SECOND_NS)
    return fit(
        [
            reader.say(f"alert.{found.alert}", symbol=found.symbol),
            join([side, _usd(found), *_prices(found, reader), where]),
            *([reader.say("alert.note", note=found.note)] if found.note else []),
        ],
        [
            join([
                _time(found.fired_at, reader),
                reader.say("age.ago", age=age),
                reader.say("alert.stands_for", count=found.stands_for) if found.stands_for > 1 else "",
                reader.say("alert.tier", tier=found.tier) if found.tier else "",
                reader.say("alert.late") if found.late else "",
                reader.say("alert.test") if found.sim else "",
            ]),
            code(reader.say("alert.why", id=found.id)),
        ],
    )  # fmt: skip


def _usd(found: Alert) -> Html:
    return Html("") if found.usd_value is None else bold(usd(found.usd_value))


def _prices(found: Alert, reader: Reader) -> list[Html]:
    if found.alert != "price_alert":
        price = [] if found.price is None else [reader.say("alert.price", price=number(found.price))]
        limit = [] if found.threshold is None else [reader.say("alert.threshold", threshold=number(found.threshold))]
        return [*price, *limit]
    said = [] if found.condition is None else [_condition(found, reader)]
    if found.price is None:
        return said
    before = found.previous_price
    way = "none" if before is None else "up" if Decimal(found.price) >= Decimal(before) else "down"
    return [*said, reader.say(f"direction.{way}", previous=number(before), price=number(found.price))]


def _condition(found: Alert, reader: Reader) -> Html:
    return reader.say(f"condition.{found.condition}", value=number(found.threshold))


def line(found: Alert, reader: Reader) -> str:
    """Return one line of plain text that stands for an alert among many."""
    return plain(_row(found, reader))


def _row(found: Alert, reader: Reader) -> Html:
    icon = reader.plain(f"kind.{found.alert}").partition(" ")[0]
    shown = [
        "" if found.side is None else reader.say(f"side.{found.side}"),
        _usd(found),
        *_prices(found, reader),
        "" if found.venue == ALL_VENUES else found.venue,
    ]
    return reader.say(
        "alert.row", time=_clock(found.fired_at, reader), icon=icon, symbol=found.symbol, figures=join(shown)
    )


def _time(at_ns: int, reader: Reader) -> str:
    return reader.moment(datetime.fromtimestamp(at_ns / SECOND_NS, UTC))


def _clock(at_ns: int, reader: Reader) -> str:
    return reader.clock(datetime.fromtimestamp(at_ns / SECOND_NS, UTC))
