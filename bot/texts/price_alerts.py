"""Texts of price alerts: the list of a user's own, one that is to be made, one that was changed. Pure."""

from __future__ import annotations

from typing import Final

from contracts.services.alerts import AlertPage, PriceAlert, PriceRule
from contracts.services.replies.market import PriceReply
from runtime.texts import figures
from runtime.texts.figures import number
from runtime.texts.markup import Html, fit
from runtime.texts.reader import Reader

SHOWN: Final = 15  # of a list


def listed(page: AlertPage, reader: Reader) -> Html:
    """Return a user's price alerts."""
    if not page.items:
        return reader.say("price_alerts.none")
    rows = [_row(one, reader) for one in page.items]
    rest = page.total - len(rows)
    more = [reader.say("market.more", count=rest)] if rest > 0 else []
    return fit([reader.say("price_alerts.head", count=page.total), *rows], more)


def created(found: PriceAlert, reader: Reader) -> Html:
    """Return that a price alert was made."""
    return fit([reader.say("price_alerts.created"), _row(found, reader)])


def _row(found: PriceAlert, reader: Reader) -> Html:
    return reader.say(
        "price_alerts.row",
        state=reader.say(f"state.{found.state}"),
        symbol=found.symbol,
        condition=_condition(found, reader),
        repeat=reader.say("price_alerts.repeat" if found.repeat else "price_alerts.once"),
        id=found.id,
    )


def confirm(rule: PriceRule, price: PriceReply, reader: Reader) -> Html:
    """Return the question whether a price alert is meant, with the price as it is now."""
    return reader.say(
        "price_alerts.confirm",
        symbol=price.symbol,
        price=number(price.price),
        quote=price.quote,
        repeat=reader.say("rule.repeat" if rule.repeats else "rule.once"),
        condition=_condition(rule, reader),
    )


def _condition(meant: PriceAlert | PriceRule, reader: Reader) -> Html:
    return reader.say(
        f"rule.{meant.condition}",
        value=number(meant.value),
        window=figures.span(float(meant.window_seconds or 0)),
        interval=figures.span(float(meant.interval_seconds or 0)),
    )


def snoozed(found: PriceAlert, reader: Reader) -> Html:
    """Return until when a price alert is silent."""
    if found.snoozed_until is None:
        return reader.say("price_alerts.woken", id=found.id)
    return reader.say("price_alerts.snoozed", id=found.id, time=reader.moment(found.snoozed_until))
