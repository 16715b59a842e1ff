"""Requests of `cmd.v1.community.<verb>` that the bot sends: what a member may do, what was seen, what the rules say."""

from __future__ import annotations

from typing import Annotated, Final

from pydantic import AwareDatetime, Field

from contracts.services.community import groups, rules
from contracts.services.community.commands import Change, InGroup
from contracts.services.community.groups import CommunityModel, UserId
from contracts.services.community.rules import MOST_SEEN, Seen

MOST_MEMBERS: Final = 200


class MemberPermissions(InGroup):
    """What a member may do."""

    user_id: UserId


class MemberChange(CommunityModel):
    """A member joined, left, was banned or restricted, or has a name that was not known."""

    user_id: UserId
    at: AwareDatetime = Field(description="since when; what is older than what is known changes nothing")
    status: groups.MemberStatus | None = Field(default=None, description="what the member is; null leaves it")
    name: Annotated[str, Field(max_length=128)] | None = Field(
        default=None, description="what they are called; null leaves the profile"
    )
    username: groups.Username | None = Field(default=None, description="of who has a name; null for none")


class UpdateMembers(InGroup, Change):
    """Members of a group are not as they were; what is said of many costs little more than of one."""

    members: Annotated[
        list[MemberChange], Field(min_length=1, max_length=MOST_MEMBERS, description="in the order in which it was")
    ]


class UpdatedMembers(CommunityModel):
    """Of how many it was new."""

    members: int
    profiles: int


class RecordSeen(InGroup):
    """Messages and joins that were seen: kept for 30 days where the group's settings allow it."""

    batch: Annotated[str, Field(min_length=1, max_length=64, pattern=r"^[A-Za-z0-9_-]+$")] = Field(
        description="names these: the same ones are recorded once"
    )
    seen: Annotated[list[Seen], Field(min_length=1, max_length=MOST_SEEN, description="the oldest first")]


class Recorded(CommunityModel):
    """How many were recorded; fewer where a group says so much that only part of it is kept."""

    recorded: int


class JudgeSeen(InGroup):
    """What the rules say to a message or a join; nothing is done and nothing logged."""

    seen: Seen = Field(description="the message or the join")


class Judgement(CommunityModel):
    """What the rules decide: the first that acts, and every rule in shadow."""

    act: rules.Verdict | None
    shadow: list[rules.Verdict]
