"""Users, members and chats as Telegram knows them, and their JSON."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass, field
from typing import Any, Final, Literal

Json = dict[str, Any]
Status = Literal["creator", "administrator", "member", "restricted", "left", "kicked"]
ChatType = Literal["private", "group", "supergroup", "channel"]

ADMIN_RIGHTS: Final = (
    "can_manage_chat",
    "can_delete_messages",
    "can_manage_video_chats",
    "can_restrict_members",
    "can_promote_members",
    "can_change_info",
    "can_invite_users",
    "can_post_stories",
    "can_edit_stories",
    "can_delete_stories",
    "can_pin_messages",
    "can_manage_topics",
)
CHANNEL_RIGHTS: Final = ("can_post_messages", "can_edit_messages")  # of an administrator of a channel, beside those
SEND_PERMISSIONS: Final = (
    "can_send_messages",
    "can_send_audios",
    "can_send_documents",
    "can_send_photos",
    "can_send_videos",
    "can_send_video_notes",
    "can_send_voice_notes",
    "can_send_polls",
    "can_send_other_messages",
    "can_add_web_page_previews",
)
PERMISSIONS: Final = (
    *SEND_PERMISSIONS,
    "can_change_info",
    "can_invite_users",
    "can_pin_messages",
    "can_manage_topics",
    "can_edit_tag",
    "can_react_to_messages",
)
ANONYMOUS_BOT: Final = 1087968824  # https://core.telegram.org/bots/api#message: `from` of an anonymous administrator
CHANNEL_BOT: Final = 136817688  # of a message that a channel has sent
LINKED_CHANNEL: Final = 777000  # of a linked channel's post
MOST_MESSAGES: Final = 1000  # of a chat


@dataclass(slots=True)
class User:
    """A person or a bot."""

    id: int
    first_name: str
    is_bot: bool = False
    username: str | None = None
    language_code: str | None = None

    def json(self) -> Json:
        """Return Telegram's User."""
        body: Json = {"id": self.id, "is_bot": self.is_bot, "first_name": self.first_name}
        if self.username:
            body["username"] = self.username
        if self.language_code:
            body["language_code"] = self.language_code
        return body


@dataclass(slots=True)
class Member:
    """What a user is in a chat; `rights` are an administrator's rights or a restricted one's permissions."""

    user: User
    status: Status
    rights: dict[str, bool] = field(default_factory=dict[str, bool])
    until: int = 0
    is_anonymous: bool = False
    is_member: bool = True
    custom_title: str | None = None

    def may(self, right: str) -> bool:
        """Return whether an administrator has a right; the owner has them all."""
        return self.status == "creator" or (self.status == "administrator" and self.rights.get(right, False))

    @property
    def is_admin(self) -> bool:
        """Whether it is the owner or an administrator."""
        return self.status in {"creator", "administrator"}

    @property
    def is_inside(self) -> bool:
        """Whether it is in the chat."""
        return self.status in {"creator", "administrator", "member"} or (self.status == "restricted" and self.is_member)

    def json(self) -> Json:
        """Return Telegram's ChatMember."""
        body: Json = {"status": self.status, "user": self.user.json()}
        if self.is_admin:
            body["is_anonymous"] = self.is_anonymous
            if self.custom_title:
                body["custom_title"] = self.custom_title
        if self.status == "administrator":
            body["can_be_edited"] = False
            body |= {right: self.rights.get(right, False) for right in ADMIN_RIGHTS}
            body |= {right: self.rights[right] for right in CHANNEL_RIGHTS if right in self.rights}
        if self.status == "restricted":
            body["is_member"] = self.is_member
            body |= {right: self.rights.get(right, False) for right in PERMISSIONS}
        if self.status in {"restricted", "kicked"}:
            body["until_date"] = self.until
        return body


@dataclass(slots=True)
class Chat:
    """A chat with its members and its newest messages."""

    id: int
    type: ChatType
    title: str
    username: str | None = None
    is_forum: bool = False
    linked: int | None = None
    migrated_to: int | None = None
    slow_mode: int = 0
    blocked: bool = False  # by the user of a private chat
    members: dict[int, Member] = field(default_factory=dict[int, Member])
    permissions: dict[str, bool] = field(default_factory=lambda: dict.fromkeys(PERMISSIONS, True))
    pinned: list[int] = field(default_factory=list[int])
    topics: dict[int, str] = field(default_factory=dict[int, str])
    requests: set[int] = field(default_factory=set[int])
    banned_chats: set[int] = field(default_factory=set[int])
    messages: OrderedDict[int, Json] = field(default_factory=OrderedDict[int, Json])

    @property
    def is_group(self) -> bool:
        """Whether several people talk in it."""
        return self.type in {"group", "supergroup"}

    def json(self) -> Json:
        """Return Telegram's Chat."""
        body: Json = {"id": self.id, "type": self.type}
        body["first_name" if self.type == "private" else "title"] = self.title
        if self.username:
            body["username"] = self.username
        if self.is_forum:
            body["is_forum"] = True
        return body

    def keep(self, message: Json) -> None:
        """Keep a message, and of the others the newest."""
        self.messages[message["message_id"]] = message
        while len(self.messages) > MOST_MESSAGES:
            self.messages.popitem(last=False)

    def inside(self) -> list[Member]:
        """Return who is in it."""
        return [member for member in self.members.values() if member.is_inside]


def part(body: Json, name: str) -> Json:
    """Return an object inside of another one; an empty one where it is missing."""
    return body.get(name) or {}


def all_rights(*, channel: bool = False) -> dict[str, bool]:
    """Return every right of an administrator."""
    return dict.fromkeys((*ADMIN_RIGHTS, *CHANNEL_RIGHTS) if channel else ADMIN_RIGHTS, True)
