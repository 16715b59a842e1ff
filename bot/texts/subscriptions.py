"""Texts of what a chat gets: its subscription with its filters. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from contracts.services.chats import AlertFilter, Subscription
from runtime.texts.markup import Html, fit
from runtime.texts.reader import Reader


def subscription(found: Subscription, reader: Reader, now: datetime) -> Html:
    """Return which alerts a chat gets at a time."""
    if not found.active:
        return reader.say("subscription.none")
    until = found.snoozed_until
    silent = [snoozed(until, reader)] if until is not None and until > now else []
    return fit([reader.say("subscription.on"), *_filter(found.filter, reader), *silent])


def _filter(meant: AlertFilter, reader: Reader) -> list[Html]:
    kinds = [reader.plain(f"kind.{kind}") for kind in meant.kinds]
    lists: tuple[tuple[str, Sequence[str]], ...] = (
        ("subscription.kinds", kinds),
        ("subscription.symbols", meant.symbols),
        ("subscription.tiers", meant.tiers),
        ("subscription.venues", meant.venues),
    )
    everything = reader.plain("subscription.all")
    return [reader.say(key, names=", ".join(names) or everything) for key, names in lists]


def snoozed(until: datetime, reader: Reader) -> Html:
    """Return until when a chat is left alone."""
    return reader.say("subscription.snoozed", time=reader.moment(until))
