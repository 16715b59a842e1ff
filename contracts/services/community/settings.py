"""Settings of a group: messages, log, moderation, language; what is absent in a change stays as it is."""

from __future__ import annotations

import re
from typing import Annotated, Any, Final, Literal

from pydantic import AfterValidator, AwareDatetime, Field

from contracts.services.community.groups import (
    ChangeModel,
    ChatId,
    Custom,
    GroupId,
    Language,
    Permission,
    Permissions,
    WriteModel,
)

PLACEHOLDERS: Final = frozenset({"name", "mention", "group", "count", "rules"})
MEMBER_PERMISSIONS: Final[tuple[Permission, ...]] = ("post_links", "post_media")
LONGEST_MUTE: Final = 366 * 86_400  # seconds; Telegram takes more than 366 days for ever
_PLACEHOLDER: Final = re.compile(r"\{([^{}]*)\}")
_ThreadId = Annotated[int, Field(gt=0, le=2**31)]
MediaKind = Literal[
    "photo", "video", "animation", "sticker", "voice", "video_note", "audio", "document", "poll", "location",
    "contact", "game", "dice", "story", "forward",
]  # fmt: skip
Word = Annotated[str, Field(min_length=1, max_length=64)]


def _known(template: str) -> str:
    unknown = {found for found in _PLACEHOLDER.findall(template) if found not in PLACEHOLDERS}
    if unknown:
        known = " ".join(f"{{{name}}}" for name in sorted(PLACEHOLDERS))
        raise ValueError(f"there is no {{{min(unknown)}}}: a template may have {known}")
    return template


Template = Annotated[
    str,
    Field(max_length=1000, description="may have {name} {mention} {group} {count} {rules}"),
    AfterValidator(_known),
]


class Flood(WriteModel):
    """Too many messages of one member."""

    enabled: bool = Field(default=False, description="whether it acts")
    messages: Annotated[int, Field(ge=2, le=100)] = Field(default=6, description="so many may come")
    seconds: Annotated[int, Field(ge=1, le=600)] = Field(default=5, description="within so many seconds")


class Captcha(WriteModel):
    """What new members have to do before they may write."""

    enabled: bool = Field(default=False, description="whether it acts")
    kind: Literal["button", "sum"] = Field(default="button", description="press a button, or add two numbers")
    seconds: Annotated[int, Field(ge=15, le=3600)] = Field(default=120, description="within so many seconds")
    join_requests: bool = Field(default=True, description="also before a request to join is approved")


class Raid(WriteModel):
    """Many joins in a short time."""

    enabled: bool = Field(default=False, description="whether it acts")
    joins: Annotated[int, Field(ge=3, le=1000)] = Field(default=20, description="so many joins")
    seconds: Annotated[int, Field(ge=10, le=600)] = Field(default=60, description="within so many seconds")
    lock_seconds: Annotated[int, Field(ge=60, le=86_400)] = Field(default=900, description="how long it lasts")


class Moderation(WriteModel):
    """What is held back in the group without a rule of its own."""

    flood: Flood = Field(default_factory=Flood, description="too many messages")
    locks: Annotated[list[MediaKind], Field(max_length=20)] = Field(
        default_factory=list[MediaKind], description="kinds of media that members may not send"
    )
    blocklist: Annotated[list[Word], Field(max_length=500)] = Field(
        default_factory=list[str], description="words that may not be written; whole words, look-alike letters folded"
    )
    captcha: Captcha = Field(default_factory=Captcha, description="what new members have to do")
    raid: Raid = Field(default_factory=Raid, description="many joins in a short time")
    report_hides_after: Annotated[int, Field(ge=0, le=50)] = Field(
        default=3, description="reports by so many members hide a message; 0 for never"
    )


class SettingsBase(WriteModel):
    """Everything that is set for a group."""

    welcome: Template = Field(default="", description="to who joins; empty for none")
    goodbye: Template = Field(default="", description="about who left; empty for none")
    welcome_thread_id: _ThreadId | None = Field(default=None, description="the topic of both; null for the general one")
    delete_commands_seconds: Annotated[int, Field(ge=0, le=86_400)] | None = Field(
        default=None, description="commands and their answers are deleted after so long; null for never"
    )
    log_channel_id: ChatId | None = Field(default=None, description="where actions are reported; null for nowhere")
    log_thread_id: _ThreadId | None = Field(default=None, description="the topic of it")
    language: Language = Field(default="en", description="of the bot's texts")
    moderation: Moderation = Field(default_factory=Moderation, description="what is held back")
    member_permissions: Permissions = Field(
        default_factory=lambda: list(MEMBER_PERMISSIONS), description="what members without a role may do"
    )
    record: bool = Field(
        default=True, description="whether messages are recorded for 30 days, for dry runs of rules; false keeps none"
    )
    custom: Custom = Field(default_factory=dict[str, Any], description="values of your own")


class SettingsCreate(SettingsBase):
    """The settings that a group begins with."""


class SettingsUpdate(ChangeModel):
    """What of the settings changes; what is absent stays, null is as it was at first."""

    welcome: Template | None = Field(default=None, description="to who joins")
    goodbye: Template | None = Field(default=None, description="about who left")
    welcome_thread_id: _ThreadId | None = Field(default=None, description="the topic of both")
    delete_commands_seconds: Annotated[int, Field(ge=0, le=86_400)] | None = Field(
        default=None, description="commands and their answers are deleted after so long"
    )
    log_channel_id: ChatId | None = Field(default=None, description="where actions are reported")
    log_thread_id: _ThreadId | None = Field(default=None, description="the topic of it")
    language: Language | None = Field(default=None, description="of the bot's texts")
    moderation: Moderation | None = Field(default=None, description="what is held back, all of it")
    member_permissions: Permissions | None = Field(default=None, description="what members without a role may do")
    record: bool | None = Field(default=None, description="whether messages are recorded for dry runs")
    custom: Custom | None = Field(default=None, description="values of your own, all of them")


class SettingsResponse(SettingsBase):
    """The settings of a group."""

    group_id: GroupId
    updated_at: AwareDatetime | None = Field(description="null: as they were at first")
