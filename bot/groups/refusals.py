"""Why something was not done in a group, in words of whoever reads it. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from contracts.services.telegram.jobs import TelegramResult
from runtime.texts.markup import Html, shorten
from runtime.texts.reader import Reader

NOT_YOURS: Final = "only for who may add administrators"
_LONGEST: Final = 200
_RIGHTS: Final = {
    "banChatMember": "can_restrict_members",
    "unbanChatMember": "can_restrict_members",
    "restrictChatMember": "can_restrict_members",
    "setChatPermissions": "can_restrict_members",
    "banChatSenderChat": "can_restrict_members",
    "unbanChatSenderChat": "can_restrict_members",
    "promoteChatMember": "can_promote_members",
    "setChatAdministratorCustomTitle": "can_promote_members",
    "pinChatMessage": "can_pin_messages",
    "unpinChatMessage": "can_pin_messages",
    "deleteMessages": "can_delete_messages",
    "approveChatJoinRequest": "can_invite_users",
    "declineChatJoinRequest": "can_invite_users",
}
_NO_RIGHT: Final = ("not enough rights", "chat_admin_required", "can't be deleted", "right_forbidden")
_REASONS: Final = (
    (("administrator of the chat", "user_admin_invalid", "chat owner", "chat creator"), "groups.refused.admin"),
    (("not found", "user_not_participant", "participant_id_invalid", "user_id_invalid"), "groups.refused.unknown"),
    (("supergroup",), "groups.refused.supergroup"),
    (("bot was kicked", "not a member"), "groups.refused.outside"),
    (("can't restrict self",), "groups.refused.myself"),
    ((NOT_YOURS,), "groups.refused.promoter"),
)


@dataclass(frozen=True, slots=True)
class Refusal:
    """What Telegram did not do, and why; `code` None where it never answered."""

    op: str
    reason: str
    code: int | None = None

    def say(self, reader: Reader) -> Html:
        """Return it in words."""
        lower = self.reason.lower()
        if any(part in lower for part in _NO_RIGHT) and (right := _RIGHTS.get(self.op)):
            return reader.say("groups.refused.right", right=reader.plain(f"groups.right.{right}"))
        key = next((key for parts, key in _REASONS if any(part in lower for part in parts)), None)
        if key is not None:
            return reader.say(key)
        if self.code is None:
            return reader.say("groups.refused.silent")
        return reader.say("groups.refused.other", reason=shorten(self.reason, _LONGEST))


def refusal_of(op: str, result: TelegramResult | None) -> Refusal | None:
    """Return why a job was not carried out; None where it was."""
    if result is None:
        return Refusal(op, "no answer")
    if result.state in {"done", "digested"}:
        return None
    return Refusal(op, result.reason or result.state, result.error_code)
