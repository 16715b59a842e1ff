"""What the rules look at, of Telegram's messages, joins and requests to join. Pure."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Final, Literal

from telegram import ChatMember, ChatMemberUpdated, Message, MessageEntity
from telegram.constants import ChatMemberStatus

from contracts.services.community.rules import LONGEST_SEEN, Seen
from contracts.services.community.settings import MediaKind

_MEDIA: Final[tuple[MediaKind, ...]] = (
    "animation", "photo", "video", "sticker", "voice", "video_note", "audio", "document", "poll", "location",
    "contact", "game", "dice", "story",
)  # fmt: skip
"""By the names of Telegram's fields; an animation comes with a document, and is one no more then."""
_MENTIONS: Final = frozenset({MessageEntity.MENTION, MessageEntity.TEXT_MENTION})
_MOST_LINKS: Final = 20
_LONGEST_LINK: Final = 512
_INSIDE: Final = frozenset({ChatMemberStatus.OWNER, ChatMemberStatus.ADMINISTRATOR, ChatMemberStatus.MEMBER})


def seen_of(message: Message, user_id: int) -> Seen:
    """Return a message as the rules look at it; an edited one has the name of the first."""
    entities = (*message.entities, *message.caption_entities)
    links = [one.url[:_LONGEST_LINK] for one in entities if one.type == MessageEntity.TEXT_LINK and one.url]
    return Seen(
        at=(message.edit_date or message.date).astimezone(UTC),
        user_id=user_id,
        key=f"message.{message.message_id}",
        text=(message.text or message.caption or "")[:LONGEST_SEEN],
        links=links[:_MOST_LINKS],
        media=next((kind for kind in _MEDIA if getattr(message, kind, None)), None),
        mentions=min(1000, sum(one.type in _MENTIONS for one in entities)),
        forwarded=message.forward_origin is not None and not message.is_automatic_forward,
    )


def seen_join(user_id: int, at: datetime, kind: Literal["join", "join_request"] = "join") -> Seen:
    """Return a join, or a request for it, as the rules look at it; the same one comes in two updates."""
    return Seen(at=at.astimezone(UTC), user_id=user_id, kind=kind, key=f"{kind}.{user_id}")


def is_service(message: Message) -> bool:
    """Return whether a message is Telegram's own: nobody has written it."""
    has_content = bool(message.text or message.caption) or any(getattr(message, kind, None) for kind in _MEDIA)
    return not has_content


def has_joined(changed: ChatMemberUpdated) -> bool:
    """Return whether a member came in by a change."""
    return not _is_inside(changed.old_chat_member) and _is_inside(changed.new_chat_member)


def has_left(changed: ChatMemberUpdated) -> bool:
    """Return whether a member went by themselves: who was removed is not said goodbye to."""
    went = _is_inside(changed.old_chat_member) and not _is_inside(changed.new_chat_member)
    return went and changed.from_user.id == changed.new_chat_member.user.id


def _is_inside(member: ChatMember) -> bool:
    restricted = member.status == ChatMemberStatus.RESTRICTED and bool(getattr(member, "is_member", False))
    return member.status in _INSIDE or restricted
