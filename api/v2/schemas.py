"""What the routes of groups take in their queries."""

from __future__ import annotations

from typing import Annotated

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from contracts.services.community.actions import ActionKind
from contracts.services.community.groups import UserId
from contracts.services.community.rules import RuleId
from contracts.services.responses import PaginationParams


class GroupsParameters(PaginationParams):
    """Which groups."""

    search: Annotated[
        str | None,
        Field(min_length=1, max_length=64, description="the beginning of a word of the name, of @name or id"),
    ] = None


class ActionsParameters(PaginationParams):
    """Which actions."""

    kind: Annotated[ActionKind | None, Field(description="of this kind only")] = None
    user_id: Annotated[UserId | None, Field(description="done to this user only")] = None
    moderator_id: Annotated[UserId | None, Field(description="done by this one only")] = None
    rule_id: Annotated[RuleId | None, Field(description="that follow from this rule only")] = None
    since: Annotated[AwareDatetime | None, Field(description="from this time on, ISO 8601")] = None
    until: Annotated[AwareDatetime | None, Field(description="before this time, ISO 8601")] = None


class DaysParameters(BaseModel):
    """Of how many days."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    days: Annotated[int, Field(ge=1, le=30, description="of the last so many days")] = 30
