"""Telegram's gateway: jobs on `job.v1.telegram.<chat>.<priority>`, results on `telegram.v1.>`, `cmd.v1.telegram.*`.

What is wanted of Telegram is a job; one sender carries them out within Telegram's limits and publishes a result each.
"""

from __future__ import annotations

import hashlib
from typing import Annotated, Any, Final, Literal, get_args

from pydantic import BaseModel, ConfigDict, Field

from contracts import subjects
from contracts.market import Nanoseconds
from contracts.services.telegram.operations import Operation

QUEUE: Final = "telegram"
LONGEST_WAIT: Final = 8.0  # seconds for which `telegram.send` waits for a result
Priority = Literal["urgent", "normal", "low"]
PRIORITIES: Final[tuple[Priority, ...]] = get_args(Priority)
State = Literal["done", "digested", "dropped", "failed"]

JobId = Annotated[
    str,
    Field(min_length=1, max_length=128, description="names the job: the same one is carried out once"),
]
ChatId = Annotated[int, Field(description="Telegram's id of the chat; groups are negative")]


class TelegramModel(BaseModel):
    """What every request, reply and event is."""

    model_config = ConfigDict(frozen=True, strict=True, extra="ignore", cache_strings="keys")


class TelegramJob(TelegramModel):
    """One thing to do in a chat."""

    id: JobId
    chat_id: ChatId
    operation: Operation = Field(description="what to do there")
    thread_id: int | None = Field(default=None, description="the topic of a forum that a message goes to")
    priority: Priority = Field(default="normal", description="what is urgent goes before all that waits")
    expires: Nanoseconds | None = Field(
        default=None, description="from then on it is dropped with a record rather than sent, ns UTC; null for never"
    )
    digest: Annotated[str, Field(min_length=1, max_length=300)] | None = Field(
        default=None,
        description="one line of plain text that stands for it where many wait for the chat; null: it is never merged",
    )

    @property
    def subject(self) -> str:
        """Where it is published."""
        return f"{subjects.TELEGRAM_JOB}{self.chat_id}.{self.priority}"

    @property
    def message_id(self) -> str:
        """The id by which its stream drops a second copy."""
        return f"telegram.{self.id}"


def alert_job_id(alert_id: str, chat_id: int, thread_id: int | None) -> str:
    """Return the id of the job that sends an alert to a chat, or to a topic of it."""
    return f"alert.{alert_id}.{chat_id}.{thread_id or 0}"[-128:]


def is_of_alert(job_id: str, alert_id: str) -> bool:
    """Return whether a job sends an alert."""
    _, chat, thread = ["", "", "", *job_id.rsplit(".", 2)][-3:]
    numbers = chat.removeprefix("-").isdecimal() and thread.isdecimal()
    return numbers and job_id == alert_job_id(alert_id, int(chat), int(thread))


def result_subject(chat_id: int, job_id: str) -> str:
    """Return where the result of a job is published: by the chat that it was for, and a hash of its id."""
    return f"{subjects.TELEGRAM_RESULT}{chat_id}.{hashlib.sha256(job_id.encode()).hexdigest()[:32]}"


class TelegramResult(TelegramModel):
    """What became of a job."""

    id: JobId
    op: str = Field(description="the operation's method")
    chat_id: ChatId = Field(description="the chat that it was carried out in: another one where a group has moved")
    asked_chat_id: ChatId = Field(description="the chat that the job named")
    state: State = Field(
        description="done; digested: its line was in a message for many; dropped: too old, or the chat does not want "
        "the bot; failed: Telegram refused it"
    )
    message_id: int | None = Field(default=None, description="of the message that was sent or edited")
    error_code: int | None = Field(default=None, description="Telegram's, where it refused")
    reason: str | None = Field(default=None, max_length=500)
    plain: bool = Field(default=False, description="whether its formatting could not be parsed and was left out")
    attempts: int = 0
    ts: Nanoseconds = Field(description="ns UTC")

    @property
    def subject(self) -> str:
        """Where it is published."""
        return result_subject(self.asked_chat_id, self.id)


class ChatBlocked(TelegramModel):
    """A chat does not take messages of the bot any more: blocked, kicked, or the account is gone."""

    chat_id: ChatId
    reason: str = Field(max_length=500, description="Telegram's words")
    ts: Nanoseconds = Field(description="ns UTC")

    @property
    def subject(self) -> str:
        """Where it is published."""
        return f"{subjects.TELEGRAM_BLOCKED}{self.chat_id}"


class ChatMigrated(TelegramModel):
    """A group became a supergroup, which has another id; what waits for it goes there."""

    chat_id: ChatId
    new_chat_id: ChatId
    ts: Nanoseconds = Field(description="ns UTC")

    @property
    def subject(self) -> str:
        """Where it is published."""
        return f"{subjects.TELEGRAM_MIGRATED}{self.chat_id}"


class SendJob(TelegramModel):
    """Queue a job, and wait for its result if that is wanted."""

    job: TelegramJob = Field(description="what to do")
    wait_seconds: float = Field(
        default=0.0, ge=0.0, le=LONGEST_WAIT, strict=False, description="for how long to wait for the result"
    )


class SendReply(TelegramModel):
    """The job is kept until it is carried out; `result` where there is one in time."""

    queued: bool
    id: str
    result: TelegramResult | None = None


class FindResult(TelegramModel):
    """What became of a job."""

    id: JobId
    chat_id: ChatId = Field(description="the chat that the job named")


class ChatQuery(TelegramModel):
    """One chat."""

    chat_id: ChatId


class MemberQuery(TelegramModel):
    """One member of a chat."""

    chat_id: ChatId
    user_id: int = Field(description="Telegram's id of the user")


class GatewayQuery(TelegramModel):
    """How the gateway is."""


class ChatReply(TelegramModel):
    """A chat as Telegram has it."""

    id: int
    type: str
    title: str | None
    username: str | None
    is_forum: bool
    linked_chat_id: int | None
    slow_mode_delay: int
    permissions: dict[str, bool]
    members: int | None = Field(description="how many there are; null for private chats")


class MemberReply(TelegramModel):
    """A member as Telegram has them; `rights` of an administrator, or what a restricted one may do."""

    user_id: int
    first_name: str
    username: str | None
    is_bot: bool
    status: str = Field(description="creator, administrator, member, restricted, left, kicked")
    is_anonymous: bool
    custom_title: str | None = Field(default=None, description="of an administrator")
    until: int = Field(description="when a ban or restriction ends, Unix seconds; 0 for never")
    rights: dict[str, bool]


class MembersReply(TelegramModel):
    """The administrators of a chat."""

    items: list[MemberReply]


class GatewayStatus(TelegramModel):
    """The gateway's account and its queue."""

    bot: dict[str, Any] = Field(description="Telegram's `getMe`")
    waiting: dict[Priority, int] = Field(description="jobs by priority")
    chats: int = Field(description="chats that something waits for")
    under_way: int
    paused_seconds: float = Field(description="until anything is sent again; 0 where nothing holds it up")
