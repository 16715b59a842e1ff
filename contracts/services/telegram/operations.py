"""What can be done in a Telegram chat: one model an operation, its fields named as Telegram's parameters are."""

from __future__ import annotations

from typing import Annotated, Any, Final, Literal, cast

from pydantic import BaseModel, ConfigDict, Discriminator, Field, Tag

MOST_TEXT: Final = 16_384  # of a text with its marks; Telegram's own 4096 count without them
LARGEST_PHOTO: Final = 600_000  # characters of base64: a message of the bus holds 1 MiB
ParseMode = Literal["HTML", "MarkdownV2", "Markdown"]
UserId = Annotated[int, Field(description="Telegram's id of the user")]
MessageId = Annotated[int, Field(description="Telegram's id of the message")]
Until = Annotated[int, Field(ge=0, description="when it ends, Unix seconds; 0 for never")]
Rights = Annotated[dict[str, bool], Field(description="by Telegram's names")]


class Button(BaseModel):
    """A button below a message: its label, and the data that a press sends, or the link that it opens."""

    model_config = ConfigDict(frozen=True, strict=True, extra="ignore", cache_strings="keys")

    text: str = Field(min_length=1, max_length=64, description="its label")
    data: str | None = Field(
        default=None, min_length=1, max_length=64, description="what a press sends; null: the label"
    )
    url: str | None = Field(default=None, max_length=2048, description="the link that it opens")


class OperationModel(BaseModel):
    """What every operation is; `op` is Telegram's method."""

    model_config = ConfigDict(frozen=True, strict=True, extra="ignore", cache_strings="keys")


class Message(OperationModel):
    """What messages have in common."""

    parse_mode: ParseMode | None = Field(default=None, description="how the text is formatted")
    buttons: list[list[Button]] | None = Field(default=None, description="rows of buttons below it")


class SendMessage(Message):
    """Send a text."""

    op: Literal["sendMessage"] = Field(default="sendMessage", description="Telegram's method")
    text: str = Field(min_length=1, max_length=MOST_TEXT, description="the text, with its marks")
    reply_to: int | None = Field(default=None, description="the message that it answers, if it is still there")
    silent: bool = Field(default=False, description="whether nobody is notified")
    preview: bool = Field(default=False, description="whether a link is previewed")


class SendPhoto(Message):
    """Send a picture."""

    op: Literal["sendPhoto"] = Field(default="sendPhoto", description="Telegram's method")
    photo: str = Field(min_length=1, max_length=LARGEST_PHOTO, description="base64 of the file, or Telegram's file id")
    is_file_id: bool = Field(default=False, description="whether `photo` is a file id")
    caption: str | None = Field(default=None, max_length=MOST_TEXT, description="the text below the picture")
    reply_to: int | None = Field(default=None, description="the message that it answers, if it is still there")
    silent: bool = Field(default=False, description="whether nobody is notified")


class EditText(Message):
    """Put another text into a message."""

    op: Literal["editMessageText"] = Field(default="editMessageText", description="Telegram's method")
    message_id: MessageId
    text: str = Field(min_length=1, max_length=MOST_TEXT, description="the text, with its marks")


class EditCaption(Message):
    """Put another caption below a picture."""

    op: Literal["editMessageCaption"] = Field(default="editMessageCaption", description="Telegram's method")
    message_id: MessageId
    caption: str | None = Field(default=None, max_length=MOST_TEXT, description="the text below the picture")


class EditPhoto(Message):
    """Put another picture in place of one, or of a text."""

    op: Literal["editMessageMedia"] = Field(default="editMessageMedia", description="Telegram's method")
    message_id: MessageId
    photo: str = Field(min_length=1, max_length=LARGEST_PHOTO, description="base64 of the file, or Telegram's file id")
    is_file_id: bool = Field(default=False, description="whether `photo` is a file id")
    caption: str | None = Field(default=None, max_length=MOST_TEXT, description="the text below the picture")


class EditButtons(OperationModel):
    """Put other buttons below a message; none takes them away."""

    op: Literal["editMessageReplyMarkup"] = Field(default="editMessageReplyMarkup", description="Telegram's method")
    message_id: MessageId
    buttons: list[list[Button]] | None = Field(default=None, description="rows of buttons below it")


class DeleteMessages(OperationModel):
    """Delete messages."""

    op: Literal["deleteMessages"] = Field(default="deleteMessages", description="Telegram's method")
    message_ids: list[int] = Field(min_length=1, max_length=100, description="Telegram's ids of the messages")


class PinMessage(OperationModel):
    """Pin a message."""

    op: Literal["pinChatMessage"] = Field(default="pinChatMessage", description="Telegram's method")
    message_id: MessageId
    disable_notification: bool = Field(default=True, description="whether nobody is notified")


class UnpinMessage(OperationModel):
    """Unpin a message; null for the newest."""

    op: Literal["unpinChatMessage"] = Field(default="unpinChatMessage", description="Telegram's method")
    message_id: int | None = Field(default=None, description="Telegram's id of the message")


class BanMember(OperationModel):
    """Remove somebody and keep them out."""

    op: Literal["banChatMember"] = Field(default="banChatMember", description="Telegram's method")
    user_id: UserId
    until_date: Until = 0
    revoke_messages: bool = Field(default=False, description="whether all their messages are deleted")


class UnbanMember(OperationModel):
    """Let somebody in again; with `only_if_banned` false one who is inside is removed."""

    op: Literal["unbanChatMember"] = Field(default="unbanChatMember", description="Telegram's method")
    user_id: UserId
    only_if_banned: bool = Field(default=True, description="whether one who is inside stays")


class RestrictMember(OperationModel):
    """Say what somebody may do."""

    op: Literal["restrictChatMember"] = Field(default="restrictChatMember", description="Telegram's method")
    user_id: UserId
    permissions: Rights
    until_date: Until = 0


class PromoteMember(OperationModel):
    """Give somebody an administrator's rights; none takes them away."""

    op: Literal["promoteChatMember"] = Field(default="promoteChatMember", description="Telegram's method")
    user_id: UserId
    rights: Rights


class SetTitle(OperationModel):
    """Give an administrator a title."""

    op: Literal["setChatAdministratorCustomTitle"] = Field(
        default="setChatAdministratorCustomTitle", description="Telegram's method"
    )
    user_id: UserId
    custom_title: str = Field(max_length=16, description="the title")


class SetPermissions(OperationModel):
    """Say what everybody may do."""

    op: Literal["setChatPermissions"] = Field(default="setChatPermissions", description="Telegram's method")
    permissions: Rights


class BanSender(OperationModel):
    """Keep out a channel that writes as itself."""

    op: Literal["banChatSenderChat"] = Field(default="banChatSenderChat", description="Telegram's method")
    sender_chat_id: int = Field(description="Telegram's id of the channel")


class UnbanSender(OperationModel):
    """Let a channel write again."""

    op: Literal["unbanChatSenderChat"] = Field(default="unbanChatSenderChat", description="Telegram's method")
    sender_chat_id: int = Field(description="Telegram's id of the channel")


class ApproveJoin(OperationModel):
    """Let in somebody who asked."""

    op: Literal["approveChatJoinRequest"] = Field(default="approveChatJoinRequest", description="Telegram's method")
    user_id: UserId


class DeclineJoin(OperationModel):
    """Do not let in somebody who asked."""

    op: Literal["declineChatJoinRequest"] = Field(default="declineChatJoinRequest", description="Telegram's method")
    user_id: UserId


class LeaveChat(OperationModel):
    """Leave a chat."""

    op: Literal["leaveChat"] = Field(default="leaveChat", description="Telegram's method")


OPERATIONS: Final = (
    SendMessage,
    SendPhoto,
    EditText,
    EditCaption,
    EditPhoto,
    EditButtons,
    DeleteMessages,
    PinMessage,
    UnpinMessage,
    BanMember,
    UnbanMember,
    RestrictMember,
    PromoteMember,
    SetTitle,
    SetPermissions,
    BanSender,
    UnbanSender,
    ApproveJoin,
    DeclineJoin,
    LeaveChat,
)


def _op_of(given: Any) -> Any:
    """Return which operation a body is."""
    return cast("dict[str, Any]", given).get("op") if isinstance(given, dict) else getattr(given, "op", None)


Operation = Annotated[
    Annotated[SendMessage, Tag("sendMessage")]
    | Annotated[SendPhoto, Tag("sendPhoto")]
    | Annotated[EditText, Tag("editMessageText")]
    | Annotated[EditCaption, Tag("editMessageCaption")]
    | Annotated[EditPhoto, Tag("editMessageMedia")]
    | Annotated[EditButtons, Tag("editMessageReplyMarkup")]
    | Annotated[DeleteMessages, Tag("deleteMessages")]
    | Annotated[PinMessage, Tag("pinChatMessage")]
    | Annotated[UnpinMessage, Tag("unpinChatMessage")]
    | Annotated[BanMember, Tag("banChatMember")]
    | Annotated[UnbanMember, Tag("unbanChatMember")]
    | Annotated[RestrictMember, Tag("restrictChatMember")]
    | Annotated[PromoteMember, Tag("promoteChatMember")]
    | Annotated[SetTitle, Tag("setChatAdministratorCustomTitle")]
    | Annotated[SetPermissions, Tag("setChatPermissions")]
    | Annotated[BanSender, Tag("banChatSenderChat")]
    | Annotated[UnbanSender, Tag("unbanChatSenderChat")]
    | Annotated[ApproveJoin, Tag("approveChatJoinRequest")]
    | Annotated[DeclineJoin, Tag("declineChatJoinRequest")]
    | Annotated[LeaveChat, Tag("leaveChat")],
    Discriminator(_op_of),
]
MESSAGES: Final = (SendMessage, SendPhoto, EditText, EditCaption, EditPhoto, EditButtons)
"""Those that Telegram counts as messages of the chat; it counts the others only overall."""
