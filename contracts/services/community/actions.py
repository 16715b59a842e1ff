"""The log of what was done in a group and by whom: written, read, counted and undone."""

from __future__ import annotations

from typing import Annotated, Any, Final, Literal

from pydantic import AwareDatetime, Field

from contracts.services.community.groups import CommunityModel, MemberStatus, UserId, WriteModel
from contracts.services.community.rules import Duration, RuleId
from contracts.services.responses import PaginatedResponse

MOST_BULK: Final = 1000
KEPT_DAYS: Final = 30
ActionKind = Literal[
    "warn", "unwarn", "mute", "unmute", "kick", "ban", "unban", "delete", "restrict", "unrestrict",
    "promote", "demote", "pin", "unpin", "approve", "unapprove", "report", "captcha", "raid",
]  # fmt: skip
UNDONE_BY: Final[dict[str, ActionKind]] = {
    "warn": "unwarn",
    "mute": "unmute",
    "ban": "unban",
    "restrict": "unrestrict",
    "promote": "demote",
    "pin": "unpin",
    "approve": "unapprove",
}
"""What takes an action back; a kick, a deletion and a report cannot be."""

ActionId = Annotated[
    str,
    Field(pattern=r"^[0-9a-f]{16,48}(\.[0-9]{1,4})?$", description="id of an action", examples=["9f86d081884c7d65.0"]),
]
State = Literal["done", "shadow", "undone"]
ModeratorId = Annotated[UserId, Field(description="who did it; the bot's own id for a rule")]
TargetId = Annotated[
    int,
    Field(
        le=2**52,
        description="Telegram's id of a user, or of a channel that writes as itself (negative)",
        examples=[424242],
    ),
]
Reason = Annotated[str, Field(max_length=500, pattern=r"^[^\x00-\x08\x0b-\x1f\x7f]*$")]


class ActionBase(WriteModel):
    """What was done."""

    kind: ActionKind = Field(description="what")
    user_id: TargetId
    moderator_id: ModeratorId
    reason: Reason = Field(default="", description="why")
    duration_seconds: Duration | None = Field(default=None, description="null for ever, or where it has none")
    rule_id: RuleId | None = Field(default=None, description="the rule that it follows from")


class ActionCreate(ActionBase):
    """An action to be logged."""


class ActionUpdate(WriteModel):
    """How an action changes: it is undone, by whom and why; nothing else of it ever changes."""

    undone_by: UserId
    reason: Reason = Field(default="", description="why")


class ActionResponse(CommunityModel):
    """An action as it is logged."""

    id: str
    seq: int = Field(description="its number in the group")
    kind: ActionKind
    user_id: int
    moderator_id: int
    reason: str
    duration_seconds: int | None
    rule_id: str | None
    state: State = Field(description="`shadow`: a rule would have done it")
    undoes: str | None = Field(description="id of the action that this one takes back")
    undone_by: str | None = Field(description="id of the action that took this one back")
    refusal: str | None = Field(default=None, description="why Telegram did not take it back when it was last asked to")
    at: AwareDatetime


class ActionPage(PaginatedResponse[ActionResponse]):
    """Actions, the newest first."""


class BulkCreate(WriteModel):
    """Actions to be logged, each by itself: a wrong one costs itself only."""

    actions: Annotated[list[dict[str, Any]], Field(min_length=1, max_length=MOST_BULK, description="as of one action")]


class BulkResult(CommunityModel):
    """What became of one of them."""

    index: int = Field(description="its place in the request, from 0")
    id: str | None = Field(description="null where it was refused")
    error: str | None = Field(default=None, description="why it was refused")


class BulkResponse(CommunityModel):
    """What became of each."""

    created: int
    failed: int
    results: list[BulkResult]


class Undo(WriteModel):
    """Which actions are taken back: those of these ids, or all of a rule, or of a time; at most 1000 at a time."""

    ids: Annotated[list[ActionId], Field(min_length=1, max_length=MOST_BULK)] | None = Field(
        default=None, description="these; nothing else may be given beside them"
    )
    rule_id: RuleId | None = Field(default=None, description="those that follow from this rule")
    kind: ActionKind | None = Field(default=None, description="of this kind only")
    since: Annotated[str, Field(max_length=40)] | None = Field(
        default=None, description="from this time on, ISO 8601", examples=["2026-01-01T10:00:00Z"]
    )
    moderator_id: UserId = Field(description="who takes them back")
    reason: Reason = Field(default="", description="why")


UndoState = Literal[
    "undone", "already_undone", "not_possible", "another_holds", "expired", "not_found", "pending", "refused"
]


class UndoResult(CommunityModel):
    """What became of one of them."""

    id: str
    user_id: int | None
    result: UndoState = Field(
        description="`another_holds`: another action of the kind holds still; `expired`: it had ended by itself; "
        "`pending`: it is undone as soon as the bot has lifted it in Telegram; `refused`: Telegram did not lift it, "
        "the action says why"
    )
    action: ActionKind | None = Field(description="what is done in the group for it; null for nothing")


class UndoResponse(CommunityModel):
    """What became of each."""

    undone: int
    pending: int = Field(default=0, description="that the bot lifts in Telegram still, and marks as undone then")
    more: bool = Field(description="whether there are more of them: send the same request again")
    results: list[UndoResult]


class DayCount(CommunityModel):
    """One day (UTC)."""

    day: str = Field(examples=["2026-01-01"])
    actions: int
    by_kind: dict[str, int]


class ActionStatistics(CommunityModel):
    """Figures of the log."""

    days: int
    total: int
    by_kind: dict[str, int]
    by_moderator: dict[str, int] = Field(description="by id; who did little counts together as `others`")
    by_rule: dict[str, int]
    by_day: list[DayCount]


class GroupStatistics(CommunityModel):
    """Figures of a group; actions are those of the last 30 days."""

    group_id: int
    members: dict[str, int] = Field(description="by status")
    active_users: dict[str, int] = Field(description="who wrote within `1d`, `7d`, `30d`")
    messages: int = Field(description="of its members since they are counted")
    roles: int
    rules: int
    actions: int
    by_kind: dict[str, int]
    trend: list[DayCount]


class UserStatistics(CommunityModel):
    """Figures of a user in a group; actions are those of the last 30 days."""

    group_id: int
    user_id: int
    status: MemberStatus | None
    roles: list[str]
    messages: int
    warns: int = Field(description="that were not taken back")
    actions: int
    by_kind: dict[str, int]
    by_rule: dict[str, int]
    trend: list[DayCount]
    joined_at: AwareDatetime | None
    last_active_at: AwareDatetime | None
    last_action_at: AwareDatetime | None
