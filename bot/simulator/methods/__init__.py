"""Every method that the server speaks, by its name in small letters: names of methods are not case-sensitive."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any, Final, Literal

from bot.simulator.methods import account, chats, editing, members, sending
from bot.simulator.params import Params
from bot.simulator.world import World

Counted = Literal["message", "act", "nothing"]


@dataclass(frozen=True, slots=True)
class Method:
    """What a method does, and which limits it counts for: a message for all, another act for the overall one."""

    name: str
    run: Callable[[World, Params], Any]
    counted: Counted = "nothing"


_MESSAGES: Final[dict[str, Callable[[World, Params], Any]]] = {
    "sendMessage": sending.send_message,
    "sendPhoto": sending.send_photo,
    "sendDocument": sending.send_document,
    "sendMediaGroup": sending.send_media_group,
    "copyMessage": sending.copy_message,
    "forwardMessage": sending.forward_message,
    "editMessageText": editing.edit_message_text,
    "editMessageCaption": editing.edit_message_caption,
    "editMessageMedia": editing.edit_message_media,
    "editMessageReplyMarkup": editing.edit_message_reply_markup,
}
_ACTS: Final[dict[str, Callable[[World, Params], Any]]] = {
    "deleteMessage": editing.delete_message,
    "deleteMessages": editing.delete_messages,
    "banChatMember": members.ban_chat_member,
    "unbanChatMember": members.unban_chat_member,
    "restrictChatMember": members.restrict_chat_member,
    "promoteChatMember": members.promote_chat_member,
    "setChatAdministratorCustomTitle": members.set_custom_title,
    "banChatSenderChat": members.ban_chat_sender_chat,
    "unbanChatSenderChat": members.unban_chat_sender_chat,
    "approveChatJoinRequest": partial(members.answer_join_request, accepted=True),
    "declineChatJoinRequest": partial(members.answer_join_request, accepted=False),
    "setChatPermissions": chats.set_chat_permissions,
    "pinChatMessage": chats.pin_chat_message,
    "unpinChatMessage": chats.unpin_chat_message,
    "unpinAllChatMessages": chats.unpin_all_chat_messages,
    "leaveChat": chats.leave_chat,
}
_OTHERS: Final[dict[str, Callable[[World, Params], Any]]] = {
    "getMe": account.get_me,
    "logOut": lambda _, __: True,
    "close": lambda _, __: True,
    "getUpdates": account.get_updates,
    "setWebhook": account.set_webhook,
    "deleteWebhook": account.delete_webhook,
    "getWebhookInfo": account.get_webhook_info,
    "setMyCommands": account.set_my_commands,
    "getMyCommands": account.get_my_commands,
    "deleteMyCommands": account.delete_my_commands,
    "setMyName": partial(account.set_profile, name="name"),
    "setMyDescription": partial(account.set_profile, name="description"),
    "setMyShortDescription": partial(account.set_profile, name="short_description"),
    "getMyName": partial(account.get_profile, name="name"),
    "getMyDescription": partial(account.get_profile, name="description"),
    "getMyShortDescription": partial(account.get_profile, name="short_description"),
    "answerCallbackQuery": account.answer_callback_query,
    "answerInlineQuery": account.answer_inline_query,
    "sendChatAction": sending.send_chat_action,
    "getChat": chats.get_chat,
    "getChatMember": members.get_chat_member,
    "getChatAdministrators": members.get_chat_administrators,
    "getChatMemberCount": members.get_chat_member_count,
    "getFile": chats.get_file,
}
METHODS: Final[dict[str, Method]] = {
    **{name.lower(): Method(name, run, "message") for name, run in _MESSAGES.items()},
    **{name.lower(): Method(name, run, "act") for name, run in _ACTS.items()},
    **{name.lower(): Method(name, run) for name, run in _OTHERS.items()},
}
