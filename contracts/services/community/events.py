"""Changes of managed groups as events: `community.v1.<what>.<group>`; whoever keeps such a thing drops it then."""

from __future__ import annotations

from typing import Annotated, Final, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from contracts import subjects
from contracts.services.community.actions import Undo

SCHEMA: Final = "community/1"
NO_GROUP: Final = "all"  # in place of a group where a user's profile changed
What = Literal["group", "role", "rule", "settings", "member", "user", "action", "undo"]
Deed = Literal["created", "updated", "deleted", "migrated", "undone"]


class CommunityEvent(BaseModel):
    """One change; what changed is read by a command, the event only says that it did."""

    model_config = ConfigDict(frozen=True, strict=True, extra="ignore", cache_strings="keys")

    id: Annotated[str, Field(max_length=128, description="stable: an event that comes again has the same")]
    at: AwareDatetime
    what: What
    deed: Deed
    group: str = Field(default="", description="the group's own id, which a migration keeps; empty for a profile")
    group_ids: list[int] = Field(default_factory=list[int], description="Telegram's ids of it, the present one first")
    key: str = Field(description="name or id of what changed")
    keys: list[str] = Field(default_factory=list[str], description="where many changed at once: all of them")
    owner: str
    actor: str = Field(description="who changed it: a key's id, or a user's")
    first: int | None = Field(default=None, description="of actions: the first of their numbers in the group")
    last: int | None = Field(default=None, description="of actions: the last of them")
    undo: Undo | None = Field(default=None, description="of an undo: what the bot lifts in Telegram, and marks then")

    @property
    def subject(self) -> str:
        """Where it is published."""
        return f"{subjects.COMMUNITY}{self.what}.{self.group_ids[0] if self.group_ids else NO_GROUP}"
