"""What can be done in a Telegram chat: one model an operation, its fields named as Telegram's parameters are."""

from __future__ import annotations

from typing import Annotated, Final, Literal

from pydantic import BaseModel, ConfigDict, Field

MOST_TEXT: Final = 16_384  # of a text with its marks; Telegram's own 4096 count without them
LARGEST_PHOTO: Final = 600_000  # characters of base64: a message of the bus holds 1 MiB
ParseMode = Literal["HTML", "MarkdownV2", "Markdown"]
UserId = Annotated[int, Field(description="Telegram's id of the user")]
MessageId = Annotated[int, Field(description="Telegram's id of the message")]
Until = Annotated[int, Field(ge=0, description="when it ends, Unix seconds; 0 for never")]
Rights = Annotated[dict[str, bool], Field(description="by Telegram's names")]


class Button(BaseModel):
    """A button below a message: its label, and the data that a press sends, or the link that it opens."""

    model_config = ConfigDict(frozen=True, strict=True, extra="ignore")

    text: str = Field(min_length=1, max_length=64)
    data: str | None = Field(default=None, min_length=1, max_length=64)
    url: str | None = Field(default=None, max_length=2048)


class OperationModel(BaseModel):
    """What every operation is; `op` is Telegram's method."""

    model_config = ConfigDict(frozen=True, strict=True, extra="ignore")


class Message(OperationModel):
    """What messages have in common."""

    parse_mode: ParseMode | None = None
    buttons: list[list[Button]] | None = None


class SendMessage(Message):
    """Send a text."""

    op: Literal["sendMessage"] = "sendMessage"
    text: str = Field(min_length=1, max_length=MOST_TEXT)
    reply_to: int | None = Field(default=None, description="the message that it answers, if it is still there")
    silent: bool = False
    preview: bool = Field(default=False, description="whether a link is previewed")


class SendPhoto(Message):
    """Send a picture."""

    op: Literal["sendPhoto"] = "sendPhoto"
    photo: str = Field(min_length=1, max_length=LARGEST_PHOTO, description="base64 of the file, or Telegram's file id")
    is_file_id: bool = False
    caption: str | None = Field(default=None, max_length=MOST_TEXT)
    reply_to: int | None = Field(default=None, description="the message that it answers, if it is still there")
    silent: bool = False


class EditText(Message):
    """Put another text into a message."""

    op: Literal["editMessageText"] = "editMessageText"
    message_id: MessageId
    text: str = Field(min_length=1, max_length=MOST_TEXT)


class EditCaption(Message):
    """Put another caption below a picture."""

    op: Literal["editMessageCaption"] = "editMessageCaption"
    message_id: MessageId
    caption: str | None = Field(default=None, max_length=MOST_TEXT)


class EditPhoto(Message):
    """Put another picture in place of one, or of a text."""

    op: Literal["editMessageMedia"] = "editMessageMedia"
    message_id: MessageId
    photo: str = Field(min_length=1, max_length=LARGEST_PHOTO, description="base64 of the file, or Telegram's file id")
    is_file_id: bool = False
    caption: str | None = Field(default=None, max_length=MOST_TEXT)


class EditButtons(OperationModel):
    """Put other buttons below a message; none takes them away."""

    op: Literal["editMessageReplyMarkup"] = "editMessageReplyMarkup"
    message_id: MessageId
    buttons: list[list[Button]] | None = None


class DeleteMessages(OperationModel):
    """Delete messages."""

    op: Literal["deleteMessages"] = "deleteMessages"
    message_ids: list[int] = Field(min_length=1, max_length=100)


class PinMessage(OperationModel):
    """Pin a message."""

    op: Literal["pinChatMessage"] = "pinChatMessage"
    message_id: MessageId
    disable_notification: bool = True


class UnpinMessage(OperationModel):
    """Unpin a message; null for the newest."""

    op: Literal["unpinChatMessage"] = "unpinChatMessage"
    message_id: int | None = None


class BanMember(OperationModel):
    """Remove somebody and keep them out."""

    op: Literal["banChatMember"] = "banChatMember"
    user_id: UserId
    until_date: Until = 0
    revoke_messages: bool = False


class UnbanMember(OperationModel):
    """Let somebody in again; with `only_if_banned` false one who is inside is removed."""

    op: Literal["unbanChatMember"] = "unbanChatMember"
    user_id: UserId
    only_if_banned: bool = True


class RestrictMember(OperationModel):
    """Say what somebody may do."""

    op: Literal["restrictChatMember"] = "restrictChatMember"
    user_id: UserId
    permissions: Rights
    until_date: Until = 0


class PromoteMember(OperationModel):
    """Give somebody an administrator's rights; none takes them away."""

    op: Literal["promoteChatMember"] = "promoteChatMember"
    user_id: UserId
    rights: Rights


class SetTitle(OperationModel):
    """Give an administrator a title."""

    op: Literal["setChatAdministratorCustomTitle"] = "setChatAdministratorCustomTitle"
    user_id: UserId
    custom_title: str = Field(max_length=16)


class SetPermissions(OperationModel):
    """Say what everybody may do."""

    op: Literal["setChatPermissions"] = "setChatPermissions"
    permissions: Rights


class BanSender(OperationModel):
    """Keep out a channel that writes as itself."""

    op: Literal["banChatSenderChat"] = "banChatSenderChat"
    sender_chat_id: int


class UnbanSender(OperationModel):
    """Let a channel write again."""

    op: Literal["unbanChatSenderChat"] = "unbanChatSenderChat"
    sender_chat_id: int


class ApproveJoin(OperationModel):
    """Let in somebody who asked."""

    op: Literal["approveChatJoinRequest"] = "approveChatJoinRequest"
    user_id: UserId


class DeclineJoin(OperationModel):
    """Do not let in somebody who asked."""

    op: Literal["declineChatJoinRequest"] = "declineChatJoinRequest"
    user_id: UserId


class LeaveChat(OperationModel):
    """Leave a chat."""

    op: Literal["leaveChat"] = "leaveChat"


Operation = (
    SendMessage
    | SendPhoto
    | EditText
    | EditCaption
    | EditPhoto
    | EditButtons
    | DeleteMessages
    | PinMessage
    | UnpinMessage
    | BanMember
    | UnbanMember
    | RestrictMember
    | PromoteMember
    | SetTitle
    | SetPermissions
    | BanSender
    | UnbanSender
    | ApproveJoin
    | DeclineJoin
    | LeaveChat
)
MESSAGES: Final = (SendMessage, SendPhoto, EditText, EditCaption, EditPhoto, EditButtons)
"""Those that Telegram counts as messages of the chat; it counts the others only overall."""
