"""Groups, their members' profiles, roles and permissions: what is sent to make and change them, and what is shown."""

from __future__ import annotations

import re
from typing import Annotated, Any, Final, Literal, get_args

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    ConfigDict,
    Field,
    SerializerFunctionWrapHandler,
    model_serializer,
)

from contracts.services.responses import PaginatedResponse

Permission = Literal[
    "delete_messages",
    "restrict_members",
    "ban_members",
    "pin_messages",
    "manage_roles",
    "manage_rules",
    "manage_settings",
    "manage_topics",
    "view_actions",
    "undo_actions",
    "post_links",
    "post_media",
    "bypass_flood",
    "bypass_captcha",
    "approve_members",
]
PERMISSIONS: Final[tuple[Permission, ...]] = get_args(Permission)
MOST_GROUPS: Final = 1000  # of one owner
MOST_ROLES: Final = 50  # of one group
DEEPEST: Final = 8  # roles from one to the last that it inherits from
MOST_CUSTOM_BYTES: Final = 4096
ROLE_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,31}")
_ID_MOST: Final = 2**52  # the bot API: an id has at most 52 significant bits


def _each_once(values: list[Permission]) -> list[Permission]:
    if len(set(values)) != len(values):
        raise ValueError("each permission may stand once")
    return values


def _small(value: dict[str, Any]) -> dict[str, Any]:
    if len(repr(value)) > MOST_CUSTOM_BYTES:
        raise ValueError(f"custom values may have {MOST_CUSTOM_BYTES} characters in all")
    if any(not name or "." in name or name.startswith("$") or "\x00" in name for name in value):
        raise ValueError("the name of a custom value has no dot and does not begin with a dollar sign")
    return value


GroupId = Annotated[int, Field(ge=-_ID_MOST, lt=0, description="Telegram's id of the group", examples=[-1001234567890])]
UserId = Annotated[int, Field(gt=0, le=_ID_MOST, description="Telegram's id of a user", examples=[424242])]
ChatId = Annotated[int, Field(ge=-_ID_MOST, le=_ID_MOST, description="Telegram's id of a chat")]
GroupName = Annotated[
    str, Field(min_length=1, max_length=255, pattern=r"^[^\x00-\x1f\x7f]+$", description="title", examples=["Test"])
]
Username = Annotated[str, Field(pattern=r"^[A-Za-z0-9_]{4,32}$", description="without the @", examples=["hydro_test"])]
Text = Annotated[str, Field(max_length=1000, pattern=r"^[^\x00-\x08\x0b-\x1f\x7f]*$")]
Language = Annotated[str, Field(pattern=r"^[a-z]{2}$", description="ISO 639-1", examples=["en"])]
RoleName = Annotated[
    str, Field(pattern=f"^{ROLE_NAME.pattern}$", description="name of a role, once in a group", examples=["moderator"])
]
Permissions = Annotated[list[Permission], Field(description="what whoever has it may do"), AfterValidator(_each_once)]
Priority = Annotated[int, Field(ge=0, le=1000, description="the higher one goes first")]
Custom = Annotated[
    dict[str, Any], Field(description="values of your own, at most 4096 characters"), AfterValidator(_small)
]
MemberStatus = Literal["member", "restricted", "banned", "left"]


class CommunityModel(BaseModel):
    """What every request and reply is."""

    model_config = ConfigDict(frozen=True, strict=True, extra="ignore", cache_strings="keys")


class WriteModel(CommunityModel):
    """What changes something: a field that is not known is refused, so that no change is made by half."""

    model_config = ConfigDict(frozen=True, strict=True, extra="forbid", cache_strings="keys")


class ChangeModel(WriteModel):
    """What of a resource changes: on the bus it has the fields that are given, so that null and absent differ."""

    @model_serializer(mode="wrap")
    def given(self, handler: SerializerFunctionWrapHandler) -> dict[str, Any]:
        """Return the fields that were given."""
        fields: dict[str, Any] = handler(self)
        return {name: value for name, value in fields.items() if name in self.model_fields_set}


class GroupBase(WriteModel):
    """What a group is called."""

    name: GroupName
    username: Username | None = Field(default=None, description="of a public group")
    description: Text = Field(default="", description="what it is about")


class GroupCreate(GroupBase):
    """A group to be managed."""

    group_id: GroupId


class GroupUpdate(ChangeModel):
    """What of a group changes; what is absent stays."""

    name: GroupName | None = Field(default=None, description="its title")
    username: Username | None = Field(default=None, description="of a public group")
    description: Text | None = Field(default=None, description="what it is about")


class GroupResponse(CommunityModel):
    """A group as it is."""

    group_id: GroupId
    name: str
    username: str | None
    description: str
    owner: str = Field(description="whose key added it")
    former_ids: list[int] = Field(description="ids that it had before it became a supergroup; they lead here, too")
    created_at: AwareDatetime
    updated_at: AwareDatetime


class GroupPage(PaginatedResponse[GroupResponse]):
    """Groups, the newest first."""


class UserBase(WriteModel):
    """What is known of a user in all groups of an owner."""

    username: Username | None = Field(default=None, description="without the @")
    name: Annotated[str, Field(max_length=128)] | None = Field(default=None, description="first and last name")
    language: Language | None = Field(default=None, description="that the user reads")
    note: Text | None = Field(default=None, description="yours, the user never sees it")
    trusted: bool | None = Field(default=None, description="no rule acts on this user")
    custom: Custom | None = Field(default=None, description="values of your own")


class UserCreate(UserBase):
    """A user who was not known."""

    user_id: UserId


class UserUpdate(ChangeModel, UserBase):
    """What of a profile changes; what is absent stays."""


class UserMembership(CommunityModel):
    """A user in one group."""

    group_id: GroupId
    name: str
    status: MemberStatus
    roles: list[str]
    joined_at: AwareDatetime | None
    last_active_at: AwareDatetime | None


class UserResponse(CommunityModel):
    """A profile, with the groups of the owner that the user is or was in."""

    user_id: UserId
    username: str | None
    name: str | None
    language: str | None
    note: str
    trusted: bool
    custom: dict[str, Any]
    groups: list[UserMembership]
    updated_at: AwareDatetime | None = Field(description="null: seen in a group, no profile was written")


class RoleBase(WriteModel):
    """What a role gives."""

    permissions: Permissions
    priority: Priority = 0
    parent: RoleName | None = Field(default=None, description="the role whose permissions it has, too")


class RoleCreate(RoleBase):
    """A role to be made."""

    name: RoleName


class RoleUpdate(ChangeModel):
    """What of a role changes; what is absent stays, and `parent` null takes the parent away."""

    permissions: Permissions | None = Field(default=None, description="all of them")
    priority: Priority | None = Field(default=None, description="the higher one goes first")
    parent: RoleName | None = Field(default=None, description="the role whose permissions it has, too")


class RoleResponse(CommunityModel):
    """A role as it is, and who has it."""

    name: str
    permissions: list[Permission]
    priority: int
    parent: str | None
    inherits: list[str] = Field(description="the roles that it inherits from, the nearest first")
    effective_permissions: list[Permission] = Field(description="its own and those that it inherits")
    members: int = Field(description="who has it")
    created_at: AwareDatetime
    updated_at: AwareDatetime


class RolePage(PaginatedResponse[RoleResponse]):
    """Roles, the highest priority first."""


class EffectivePermissions(CommunityModel):
    """What a member may do in a group."""

    group_id: GroupId
    user_id: UserId
    roles: list[str]
    permissions: list[Permission]
    priority: int = Field(description="of the highest role; -1 without one")
    trusted: bool
