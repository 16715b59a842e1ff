"""What is asked of Telegram for each kind of action. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from contracts.services.community.actions import ActionKind
from contracts.services.telegram import operations
from contracts.services.telegram.operations import Operation

SUPERGROUPS: Final = -1_000_000_000_000  # ids of supergroups and channels are below
MOST_DELETED: Final = 100  # of one call
SENDING: Final = (
    "can_send_messages", "can_send_audios", "can_send_documents", "can_send_photos", "can_send_videos",
    "can_send_video_notes", "can_send_voice_notes", "can_send_polls", "can_send_other_messages",
    "can_add_web_page_previews",
)  # fmt: skip
FREE: Final = (*SENDING, "can_change_info", "can_invite_users", "can_pin_messages", "can_manage_topics")
"""All that a member can be allowed: what the group allows everybody holds then."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Deed:
    """One thing to do to somebody in a group; `user_id` of a channel that writes as itself is its own, negative.

    `key` names the cause (a message, an update): the same deed of the same cause is done, and logged, once.
    `message_ids` are deleted, for a pin the first is pinned; `rights` are those of a promotion, or what somebody who
    is restricted may still do. `silent`: nobody is notified. `thread_id` is the topic that it happened in.
    """

    kind: ActionKind
    group_id: int
    user_id: int
    moderator_id: int
    key: str
    reason: str = ""
    duration_seconds: int | None = None
    rule_id: str | None = None
    message_ids: tuple[int, ...] = ()
    thread_id: int | None = None
    silent: bool = False
    quiet: bool = False
    rights: Mapping[str, bool] | None = None


def operations_of(deed: Deed, now: int) -> list[Operation]:
    """Return what is asked of Telegram, in order; `now` is Unix seconds. A kind that is only logged has nothing."""
    if deed.kind in {"pin", "unpin"}:
        return [_pinning(deed)]
    until = 0 if deed.duration_seconds is None else now + deed.duration_seconds
    return [*_acting(deed, until), *deletions(deed.message_ids)]


def deletions(message_ids: Sequence[int]) -> list[Operation]:
    """Return the calls that delete messages."""
    parts = (message_ids[at : at + MOST_DELETED] for at in range(0, len(message_ids), MOST_DELETED))
    return [operations.DeleteMessages(message_ids=list(part)) for part in parts]


def _pinning(deed: Deed) -> Operation:
    message_id = deed.message_ids[0] if deed.message_ids else None
    if deed.kind == "pin" and message_id is not None:
        return operations.PinMessage(message_id=message_id, disable_notification=deed.silent)
    return operations.UnpinMessage(message_id=message_id)


def _acting(deed: Deed, until: int) -> list[Operation]:
    if deed.user_id < 0:
        return _on_channel(deed)
    user_id, rights = deed.user_id, dict(deed.rights or {})
    found: Operation | None = None
    match deed.kind:
        case "ban":
            found = operations.BanMember(user_id=user_id, until_date=until)
        case "unban":
            found = operations.UnbanMember(user_id=user_id)
        case "kick":
            found = _kick(deed)
        case "mute" | "restrict":
            allowed = {**dict.fromkeys(SENDING, False), **rights}
            found = operations.RestrictMember(user_id=user_id, permissions=allowed, until_date=until)
        case "unmute" | "unrestrict":
            found = operations.RestrictMember(user_id=user_id, permissions=dict.fromkeys(FREE, True))
        case "promote" | "demote":
            found = operations.PromoteMember(user_id=user_id, rights=rights if deed.kind == "promote" else {})
        case _:
            pass
    return [] if found is None else [found]


def _on_channel(deed: Deed) -> list[Operation]:
    """Return what is done to a channel that writes as itself: it can be kept out, and nothing else."""
    if deed.kind in {"ban", "kick", "mute", "restrict"}:
        return [operations.BanSender(sender_chat_id=deed.user_id)]
    lifted = deed.kind in {"unban", "unmute", "unrestrict"}
    return [operations.UnbanSender(sender_chat_id=deed.user_id)] if lifted else []


def _kick(deed: Deed) -> Operation:
    """Return what removes somebody who may come back; in a group that is no supergroup a ban does no more."""
    if deed.group_id > SUPERGROUPS:
        return operations.BanMember(user_id=deed.user_id)
    return operations.UnbanMember(user_id=deed.user_id, only_if_banned=False)
