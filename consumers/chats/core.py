"""Decides which chats an alert goes to, and as what message. Pure: an alert and subscriptions in, jobs out."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final
from zoneinfo import ZoneInfo

from contracts.alerts import Alert, AlertKind
from contracts.instrument import split_symbol
from contracts.services.chats import AlertFilter, Profile, Subscription
from contracts.services.market import past_url
from contracts.services.telegram.jobs import Priority, TelegramJob, alert_job_id
from contracts.services.telegram.operations import Button, SendMessage
from contracts.subjects import ALL_VENUES
from runtime.texts import alerts as texts
from runtime.texts.reader import Reader

SECOND_NS: Final = 1_000_000_000
FRESH_NS: Final = 900 * SECOND_NS  # an alert of everybody's is dropped rather than sent later
OWN_FRESH_NS: Final = 86_400 * SECOND_NS  # a price alert was promised to its owner
MOST_BUTTON_BYTES: Final = 64
PRIORITIES: Final[Mapping[AlertKind, Priority]] = {
    "price_alert": "urgent",
    "storm": "urgent",
    "whale": "normal",
    "liquidation": "normal",
    "cluster": "normal",
}


def wants(meant: AlertFilter, alert: Alert) -> bool:
    """Return whether a filter lets an alert through; one over all exchanges is of each of them."""
    return (
        (not meant.kinds or alert.alert in meant.kinds)
        and (not meant.symbols or bool({alert.symbol, split_symbol(alert.symbol)[0]} & set(meant.symbols)))
        and (not meant.tiers or alert.tier in meant.tiers)
        and (not meant.venues or alert.venue == ALL_VENUES or alert.venue in meant.venues)
    )


def is_awake(subscription: Subscription, now_ns: int) -> bool:
    """Return whether a chat gets alerts at a time (ns UTC)."""
    until = subscription.snoozed_until
    return subscription.active and (until is None or until.timestamp() * SECOND_NS <= now_ns)


def jobs_of(
    alert: Alert, subscriptions: Iterable[Subscription], now_ns: int, public_url: str = ""
) -> list[TelegramJob]:
    """Return the message for each chat that gets an alert of everybody's; none once it is too old.

    With our own address it links the page as it was.
    """
    if now_ns >= alert.fired_at + FRESH_NS:
        return []
    link = _past(alert, public_url)
    return [
        make_job(alert, one.chat_id, one.thread_id, Reader(one.language, ZoneInfo(one.zone)), now_ns=now_ns, link=link)
        for one in subscriptions
        if is_awake(one, now_ns) and wants(one.filter, alert)
    ]


def own_job(alert: Alert, profile: Profile, now_ns: int, public_url: str = "") -> TelegramJob | None:
    """Return the message of a price alert to the chat that its owner named; None where none is named."""
    if alert.telegram is None or now_ns >= alert.fired_at + OWN_FRESH_NS:
        return None
    reader = Reader(profile.language or "en", ZoneInfo(profile.zone or "UTC"))
    return make_job(alert, alert.telegram, None, reader, now_ns=now_ns, link=_past(alert, public_url))


def make_job(
    alert: Alert, chat_id: int, thread_id: int | None, reader: Reader, *, now_ns: int, link: str | None = None
) -> TelegramJob:
    """Return the message of an alert to a chat; the same alert makes the same job for it."""
    fresh = FRESH_NS if alert.owner is None else OWN_FRESH_NS
    return TelegramJob(
        id=alert_job_id(alert.id, chat_id, thread_id),
        chat_id=chat_id,
        thread_id=thread_id,
        priority=PRIORITIES.get(alert.alert, "low"),
        expires=alert.fired_at + fresh,
        digest=texts.line(alert, reader)[:300],
        operation=SendMessage(
            text=str(texts.alert(alert, reader, now_ns)),
            parse_mode="HTML",
            buttons=_buttons(alert, reader, link),
        ),
    )


def _buttons(alert: Alert, reader: Reader, link: str | None) -> list[list[Button]] | None:
    """Return the button that asks why, which the bot reads as `y|<id>`, and the link to the page as it was.

    Neither where the id is too long for one, and nothing is linked.
    """
    data = f"y|{alert.id}"
    fits = len(data.encode()) <= MOST_BUTTON_BYTES and "|" not in alert.id
    row = [Button(text=reader.plain("alert.why_button"), data=data)] if fits else []
    if link is not None:
        row.append(Button(text=reader.plain("alert.past_button"), url=link))
    return [row] if row else None


def _past(alert: Alert, public_url: str) -> str | None:
    return past_url(public_url, split_symbol(alert.symbol)[0], alert.fired_at) if public_url else None


def owner_user(alert: Alert) -> int | None:
    """Return the Telegram user whose price alert it is; None where the owner is somebody else."""
    kind, _, number = (alert.owner or "").partition(":")
    return int(number) if kind == "telegram" and number.isdigit() else None
