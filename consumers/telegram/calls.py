"""What a job is as a call of the Bot API, and what Telegram's answer means for it. Pure."""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass, field
from typing import Any, Final, cast

from consumers.telegram.texts import without_formatting
from contracts.services.telegram.jobs import TelegramJob
from contracts.services.telegram.operations import Button, EditPhoto, Message, PromoteMember, SendMessage, SendPhoto

Json = dict[str, Any]
_GONE: Final = ("blocked by the user", "user is deactivated", "bot was kicked", "not a member", "can't initiate")
_ALREADY: Final = ("message is not modified", "message to delete not found", "hide_requester_missing")
_REFUSED, _UNAUTHORIZED, _FORBIDDEN, _NOT_FOUND, _TOO_MANY, _SERVER = 400, 401, 403, 404, 429, 500


@dataclass(frozen=True, slots=True)
class Call:
    """One request: the method, its parameters, and a file to upload."""

    method: str
    params: Json
    files: dict[str, bytes] = field(default_factory=dict[str, bytes])


@dataclass(frozen=True, slots=True)
class Done:
    """It was carried out, or had been before."""

    message_id: int | None = None


@dataclass(frozen=True, slots=True)
class TooMany:
    """It came too early: again after so many seconds."""

    seconds: float


@dataclass(frozen=True, slots=True)
class Blocked:
    """The chat does not take the bot's messages."""

    reason: str


@dataclass(frozen=True, slots=True)
class Migrated:
    """The chat has another id now."""

    chat_id: int


@dataclass(frozen=True, slots=True)
class Unparsable:
    """The formatting could not be parsed."""

    reason: str


@dataclass(frozen=True, slots=True)
class NoTopic:
    """The topic is not there any more."""


@dataclass(frozen=True, slots=True)
class Failed:
    """It will never be carried out."""

    code: int
    reason: str


@dataclass(frozen=True, slots=True)
class Unreachable:
    """Telegram did not answer as it does: again later.

    `token` where it does not know the bot's token, `answered` where it said that it failed.
    """

    reason: str
    token: bool = False
    answered: bool = False


Outcome = Done | TooMany | Blocked | Migrated | Unparsable | NoTopic | Failed | Unreachable


class BadPhotoError(ValueError):
    """A picture is no base64."""


def make_call(job: TelegramJob, *, plain: bool) -> Call:
    """Return the request of a job; `plain`: its text without formatting. BadPhotoError for a picture that is none."""
    operation = job.operation
    hidden = {"op", "buttons", "photo", "is_file_id", "reply_to", "silent", "preview", "rights"}
    params: Json = {"chat_id": job.chat_id, **operation.model_dump(exclude_none=True, exclude=hidden)}
    if isinstance(operation, SendMessage | SendPhoto):
        params |= _sending(operation, job.thread_id)
    if isinstance(operation, SendMessage) and not operation.preview:
        params["link_preview_options"] = {"is_disabled": True}
    if isinstance(operation, PromoteMember):
        params |= operation.rights
    if getattr(operation, "buttons", None) is not None:
        params["reply_markup"] = {"inline_keyboard": [[_button(one) for one in row] for row in operation.buttons or []]}  # type: ignore[union-attr]
    if plain:
        params = without_marks(params)
    if not isinstance(operation, SendPhoto | EditPhoto):
        return Call(operation.op, params)
    photo, files = operation.photo, {}
    if not operation.is_file_id:
        photo, files = "attach://photo", {"photo": _decoded(operation.photo)}
    if isinstance(operation, SendPhoto):
        return Call(operation.op, {**params, "photo": photo}, files)
    media = {name: params.pop(name) for name in ("caption", "parse_mode") if name in params}
    return Call(operation.op, {**params, "media": {"type": "photo", "media": photo, **media}}, files)


def _sending(operation: SendMessage | SendPhoto, thread_id: int | None) -> Json:
    params: Json = {} if thread_id is None else {"message_thread_id": thread_id}
    if operation.reply_to is not None:
        params["reply_parameters"] = {"message_id": operation.reply_to, "allow_sending_without_reply": True}
    return {**params, "disable_notification": True} if operation.silent else params


def _button(button: Button) -> Json:
    return {
        "text": button.text,
        **({"url": button.url} if button.url else {"callback_data": button.data or button.text}),
    }


def _decoded(photo: str) -> bytes:
    try:
        return base64.b64decode(photo, validate=True)
    except binascii.Error as error:
        raise BadPhotoError(f"the picture is no base64: {error}") from error


def without_marks(params: Json) -> Json:
    """Return parameters whose text and caption have no formatting."""
    mode = params.get("parse_mode")
    found = {name: value for name, value in params.items() if name != "parse_mode"}
    if mode is not None:
        found |= {name: without_formatting(found[name], mode) for name in ("text", "caption") if name in found}
    return found


def is_formatted(job: TelegramJob) -> bool:
    """Return whether a job's text has formatting that could be left out."""
    return isinstance(job.operation, Message) and job.operation.parse_mode is not None


def read_answer(status: int, body: Json) -> Outcome:
    """Return what an answer means; a body without Telegram's words is one that is not Telegram's."""
    if body.get("ok") is True:
        result: Any = body.get("result")
        return Done(cast("Json", result).get("message_id") if isinstance(result, dict) else None)
    code, words = int(body.get("error_code", status)), str(body.get("description", f"HTTP {status}"))[:500]
    parameters: Json = body.get("parameters") or {}
    if code == _TOO_MANY:
        return TooMany(float(parameters.get("retry_after", 1)))
    if "migrate_to_chat_id" in parameters:
        return Migrated(int(parameters["migrate_to_chat_id"]))
    if code in {_UNAUTHORIZED, _NOT_FOUND}:
        return Unreachable(words, token=True)
    if code == _FORBIDDEN and any(part in words for part in _GONE):
        return Blocked(words)
    return _refusal(code, words)


def _refusal(code: int, words: str) -> Outcome:
    lower = words.lower()
    if any(part in lower for part in _ALREADY):
        return Done()
    if "can't parse entities" in lower or "can't parse caption" in lower:
        return Unparsable(words)
    if "message thread not found" in lower:
        return NoTopic()
    return Failed(code, words) if _REFUSED <= code < _SERVER else Unreachable(words, answered=True)
