"""Decides which messages of an owner's orders go to the owner's chat. Pure: events and a profile in, jobs out."""

from __future__ import annotations

from typing import Final
from zoneinfo import ZoneInfo

from contracts.services.chats import Profile
from contracts.services.telegram.jobs import Priority, TelegramJob
from contracts.services.telegram.operations import SendMessage
from contracts.services.trading.events import (
    AccountEvent,
    ForeignOrder,
    OrderChanged,
    OrderFilled,
    TradingTripped,
)
from runtime.texts import orders as texts
from runtime.texts.markup import Html, plain
from runtime.texts.order_phrases import PHRASES
from runtime.texts.reader import Reader

FRESH_NS: Final = 86_400 * 1_000_000_000  # what is older is not said any more
_LONGEST_LINE: Final = 300


def owner_chat(owner: str) -> int | None:
    """Return the private chat of an owner, which has the user's id; None where the owner is nobody on Telegram."""
    kind, _, number = owner.partition(":")
    return int(number) if kind == "telegram" and number.isdecimal() else None


def job_of(event: AccountEvent, profile: Profile, now_ns: int) -> TelegramJob | None:
    """Return the message of an event to its owner; None where it is not worth one, too old, or nobody's on Telegram.

    The same event makes the same job, and an order is said to be rejected once.
    """
    chat_id = owner_chat(event.owner)
    if chat_id is None or now_ns >= event.ts + FRESH_NS:
        return None
    reader = Reader(profile.language or "en", ZoneInfo(profile.zone or "UTC"), PHRASES)
    said = _said(event, reader)
    if said is None:
        return None
    name, priority, text = said
    return TelegramJob(
        id=f"order.{name}"[-128:],
        chat_id=chat_id,
        priority=priority,
        expires=event.ts + FRESH_NS,
        digest=plain(text.partition("\n")[0])[:_LONGEST_LINE],
        operation=SendMessage(text=str(text), parse_mode="HTML"),
    )


def _said(event: AccountEvent, reader: Reader) -> tuple[str, Priority, Html] | None:
    """Return the name, the priority and the text of an event's message."""
    match event:
        case OrderFilled():
            return event.id, "normal", texts.filled(event, reader)
        case OrderChanged(status="rejected"):
            return f"{event.order_id}.rejected", "normal", texts.rejected(event, reader)
        case ForeignOrder():
            return event.id, "normal", texts.foreign(event, reader)
        case TradingTripped():
            return event.id, "urgent", texts.tripped(event, reader)
        case _:
            return None
