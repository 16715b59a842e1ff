"""`cmd.v1.chats.<verb>`: how a Telegram user reads, and which alerts a Telegram chat gets."""

from __future__ import annotations

from typing import Annotated, Final, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from contracts.alerts import AlertKind
from contracts.commands import Command, command
from contracts.signals import Tier

QUEUE: Final = "chats"
MOST_NAMED: Final = 50  # symbols or exchanges of one subscription
MOST_SNOOZE_SECONDS: Final = 30 * 86_400

Language = Literal["en", "id"]
UserId = Annotated[int, Field(description="Telegram's id of the user")]
ChatId = Annotated[int, Field(description="Telegram's id of the chat")]
ThreadId = Annotated[int | None, Field(description="topic of a forum that messages go to; null for none")]
Zone = Annotated[str, Field(max_length=64, description="IANA name of the zone that times are shown in")]
Named = Annotated[str, Field(min_length=1, max_length=64)]


class ChatsModel(BaseModel):
    """What every request and reply is."""

    model_config = ConfigDict(frozen=True, strict=True, extra="ignore", cache_strings="keys")


class FindProfile(ChatsModel):
    """How a user reads."""

    user_id: UserId


class SaveProfile(ChatsModel):
    """Change how a user reads; what is left out stays."""

    user_id: UserId
    language: Language | None = Field(default=None, description="of what the bot says")
    zone: Zone | None = Field(default=None, description="IANA name of the zone that times are shown in")


class Profile(ChatsModel):
    """How a user reads; null where it was never chosen: Telegram's own language, and UTC."""

    user_id: UserId
    language: Language | None = None
    zone: Zone | None = None


class AlertFilter(ChatsModel):
    """Which alerts are meant: those that are in every list; an empty list means all."""

    kinds: Annotated[tuple[AlertKind, ...], Field(strict=False, description="kinds of alert")] = ()
    symbols: Annotated[
        tuple[Named, ...],
        Field(strict=False, max_length=MOST_NAMED, description="coins (`BTC`) or unified symbols (`BTC/USDT`)"),
    ] = ()
    tiers: Annotated[tuple[Tier, ...], Field(strict=False, description="tiers of coins")] = ()
    venues: Annotated[
        tuple[Named, ...], Field(strict=False, max_length=MOST_NAMED, description="CCXT's ids of exchanges")
    ] = ()


class FindSubscription(ChatsModel):
    """Which alerts a chat gets."""

    chat_id: ChatId
    thread_id: ThreadId = None


class SaveSubscription(FindSubscription):
    """Send alerts to a chat from now on, in place of what it got before."""

    filter: AlertFilter = Field(default=AlertFilter(), description="which alerts")
    language: Language = Field(default="en", description="of the messages")
    zone: Zone = "UTC"
    user_id: UserId


class DeleteSubscription(FindSubscription):
    """Send no more alerts to a chat."""


class SnoozeSubscription(FindSubscription):
    """Send no alerts to a chat for a while; those of the while are not sent later."""

    seconds: int = Field(ge=0, le=MOST_SNOOZE_SECONDS, description="0 ends it")


class Subscription(ChatsModel):
    """Which alerts a chat gets; `active` false where it gets none."""

    chat_id: ChatId
    thread_id: ThreadId = None
    active: bool
    filter: AlertFilter = Field(default=AlertFilter(), description="which alerts")
    language: Language = "en"
    zone: Zone = "UTC"
    snoozed_until: AwareDatetime | None = None


COMMANDS: Final[tuple[Command, ...]] = (
    command("chats.profile_find", FindProfile, Profile),
    command("chats.profile_save", SaveProfile, Profile),
    command("chats.subscription_find", FindSubscription, Subscription),
    command("chats.subscription_save", SaveSubscription, Subscription),
    command("chats.subscription_delete", DeleteSubscription, Subscription),
    command("chats.subscription_snooze", SnoozeSubscription, Subscription),
)
