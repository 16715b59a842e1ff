"""Requests of `cmd.v1.community.<verb>`: the bodies of `/api/v2` with who asks, and what the bot asks besides.

Everything belongs to the owner who added its group. `owner` null is a part of the system itself, which acts for the
group, whosever it is: the API always says whose key asks.
"""

from __future__ import annotations

from typing import Annotated, Final

from pydantic import AwareDatetime, Field

from contracts.services.access import Caller, Owner, Page, PageSize
from contracts.services.community import actions, groups, rules, settings
from contracts.services.community.groups import CommunityModel, GroupId, RoleName, UserId
from contracts.services.community.rules import RuleId

QUEUE: Final = "community"
MOST_WAIT: Final = 5.0  # seconds
Days = Annotated[int, Field(ge=1, le=30, description="of the last so many days")]


class ByOwner(CommunityModel):
    """Whose."""

    owner: Owner | None = Field(default=None, description="whose key asks; null for a part of the system")


class InGroup(ByOwner):
    """In one group."""

    group_id: GroupId


class OfOwner(CommunityModel):
    """Of one owner's."""

    owner: Owner = Field(description="whose")


class Change(CommunityModel):
    """What changes something."""

    caller: Caller = Field(description="who wants it")


class Creation(Change):
    """What creates something."""

    request_key: str | None = Field(
        default=None,
        max_length=64,
        pattern=r"^[0-9a-f]+$",
        description="names this request: the same one creates nothing a second time",
    )


class Paged(CommunityModel):
    """A page of a list."""

    page: Page = 1
    page_size: PageSize = 20


class CreateGroup(OfOwner, Creation):
    """Manage a group."""

    group: groups.GroupCreate = Field(description="the group")


class ListGroups(OfOwner, Paged):
    """Groups of an owner, the newest first."""

    search: str | None = Field(
        default=None, min_length=1, max_length=64, description="the beginning of a word of the name, of @name or id"
    )


class FindGroup(InGroup):
    """One group."""


class UpdateGroup(InGroup, Change):
    """Change a group."""

    changes: groups.GroupUpdate = Field(description="what of it")


class DeleteGroup(InGroup, Change):
    """Manage a group no longer, and forget what is kept of it."""


class GroupStats(InGroup):
    """Figures of a group."""

    days: Days = 30


class MigrateGroup(InGroup, Change):
    """A group has become a supergroup: it keeps everything under its new id."""

    to_group_id: GroupId = Field(description="`migrate_to_chat_id`")


class CreateRole(InGroup, Creation):
    """Make a role."""

    role: groups.RoleCreate = Field(description="the role")


class ListRoles(InGroup, Paged):
    """Roles of a group."""


class FindRole(InGroup):
    """One role."""

    name: RoleName


class UpdateRole(InGroup, Change):
    """Change a role."""

    name: RoleName
    changes: groups.RoleUpdate = Field(description="what of it")


class DeleteRole(InGroup, Change):
    """Delete a role that no other inherits from; who had it has it no longer."""

    name: RoleName


class AssignRole(InGroup, Change):
    """Give a member a role, or take it away."""

    name: RoleName
    user_id: UserId


class CreateRule(InGroup, Creation):
    """Make a rule."""

    rule: rules.RuleCreate = Field(description="the rule")


class ListRules(InGroup, Paged):
    """Rules of a group."""


class FindRule(InGroup):
    """One rule."""

    rule_id: RuleId


class UpdateRule(InGroup, Change):
    """Change a rule."""

    rule_id: RuleId
    changes: rules.RuleUpdate = Field(description="what of it")


class DeleteRule(InGroup, Change):
    """Delete a rule; what it did stays in the log."""

    rule_id: RuleId


class RuleChanges(InGroup, Paged):
    """How a rule became what it is."""

    rule_id: RuleId


class DryRunRule(InGroup):
    """What a rule would have done with what is recorded, as if it were enabled."""

    rule_id: RuleId
    days: Days = 30


class FindSettings(InGroup):
    """Settings of a group."""


class UpdateSettings(InGroup, Change):
    """Change settings of a group."""

    changes: settings.SettingsUpdate = Field(description="what of them")


class CreateAction(InGroup, Creation):
    """Log an action."""

    action: actions.ActionCreate = Field(description="the action")
    shadow: bool = Field(default=False, description="a rule in shadow would have done it; nothing was done")


class ListActions(InGroup, Paged):
    """Actions of a group, the newest first."""

    kind: actions.ActionKind | None = Field(default=None, description="of this kind only")
    user_id: actions.TargetId | None = Field(default=None, description="done to this user only")
    moderator_id: UserId | None = Field(default=None, description="done by this one only")
    rule_id: RuleId | None = Field(default=None, description="that follow from this rule only")
    since: AwareDatetime | None = Field(default=None, description="from this time on")
    until: AwareDatetime | None = Field(default=None, description="before this time")
    first: int | None = Field(default=None, ge=1, description="from this number on")
    last: int | None = Field(default=None, ge=1, description="up to this number")


class CreateActions(InGroup, Creation):
    """Log many actions."""

    bulk: actions.BulkCreate = Field(description="the actions")


class ActionStats(InGroup):
    """Figures of the log."""

    days: Days = 30


class UndoActions(InGroup, Change):
    """Take actions back."""

    undo: actions.Undo = Field(description="which")
    dry_run: bool = Field(default=False, description="say what would become of each, and change nothing")
    lift: bool = Field(
        default=False,
        description="have the bot lift in Telegram what holds there, and mark that as undone when it is lifted; "
        "false for what is lifted already",
    )
    wait_seconds: float = Field(
        default=0.0, ge=0.0, le=MOST_WAIT, strict=False, description="for how long to wait for what the bot lifts"
    )


class RefuseUndo(InGroup, Change):
    """Say of actions that Telegram did not take them back."""

    refusals: Annotated[dict[actions.ActionId, actions.Reason], Field(min_length=1, max_length=actions.MOST_BULK)] = (
        Field(description="why, by the ids of the actions")
    )


class UserStats(InGroup):
    """Figures of a user in a group."""

    user_id: UserId


class FindUser(OfOwner):
    """A profile, by id or by name."""

    user_id: UserId | None = Field(default=None, description="Telegram's id")
    username: groups.Username | None = Field(default=None, description="where the id is not known")


class UpdateUser(OfOwner, Change):
    """Change a profile, or make it."""

    user_id: UserId
    changes: groups.UserUpdate = Field(description="what of it")
