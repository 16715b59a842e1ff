"""Requests of `cmd.v1.community.<verb>` that the bot sends: what a member may do, what was seen, what the rules say."""

from __future__ import annotations

from typing import Annotated

from pydantic import AwareDatetime, Field

from contracts.services.community import groups, rules
from contracts.services.community.commands import Change, InGroup
from contracts.services.community.groups import CommunityModel, UserId
from contracts.services.community.rules import MOST_SEEN, Seen


class MemberPermissions(InGroup):
    """What a member may do."""

    user_id: UserId


class UpdateMember(InGroup, Change):
    """A member joined, left, was banned or restricted."""

    user_id: UserId
    status: groups.MemberStatus = Field(description="what the member is now")
    at: AwareDatetime = Field(description="since when")


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
