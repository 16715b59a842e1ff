"""`POST /internal/notify`: programs beside the bot have it tell a chat something; the same id is sent once."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Annotated, Final, Literal
from uuid import uuid4

import structlog
from nats.errors import Error as NatsError
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from bot.web import TooLargeError, read_json, same_secret
from contracts.services.telegram.jobs import Priority, TelegramJob
from contracts.services.telegram.operations import SendMessage
from contracts.subjects import HEADER_TRACE
from runtime.nats.bus import NoAnswerError
from runtime.texts.markup import MOST_UNITS, units
from runtime.tracing.tracing import OFF, Tracing

_log = structlog.get_logger("bot")
TOKEN_HEADER: Final = "X-Internal-Token"  # noqa: S105  # a name
PATH: Final = "/internal/notify"
LONGEST_ID: Final = 256
Queue = Callable[[TelegramJob], Awaitable[None]]


class Notification(BaseModel):
    """What is to be sent to a chat; a user's own chat has the user's id."""

    model_config = ConfigDict(frozen=True, strict=True, extra="forbid")

    chat_id: int | None = None
    user_id: int | None = None
    text: Annotated[str, Field(min_length=1, max_length=4 * MOST_UNITS)]
    parse_mode: Literal["HTML", "Markdown", "MarkdownV2"] | None = None
    priority: Priority = "normal"
    id: Annotated[str, Field(min_length=1, max_length=LONGEST_ID)] | None = None

    @property
    def target(self) -> int | None:
        """The chat that is meant."""
        return self.user_id if self.chat_id is None else self.chat_id


def notify_app(
    token: str | None,
    queue: Queue,
    connected: Callable[[], bool],
    registry: CollectorRegistry,
    *,
    tracing: Tracing = OFF,
) -> Starlette:
    """Return the app: 202 once a message is queued; 400, 401 and 503 say what is wrong.

    Without a token nothing is taken: it would be open to anybody. `/metrics` are the registry's.
    """

    async def notify(request: Request) -> Response:
        if not tracing.chooses():
            return await _take(request, token, queue)
        with tracing.answering("POST", PATH, request.headers.get(HEADER_TRACE, "")) as span:
            response = await _take(request, token, queue)
            span.set_attribute("http.response.status_code", response.status_code)
            return response

    async def health(_request: Request) -> Response:
        return JSONResponse({"status": "ok", "bus": connected()})

    return Starlette(
        routes=[
            Route(PATH, notify, methods=["POST"]),
            Route("/health", health, methods=["GET"]),
            Route("/metrics", partial(_measure, registry), methods=["GET"]),
        ]
    )


async def _take(request: Request, token: str | None, queue: Queue) -> Response:
    if token is None:
        return _refuse(503, "DISABLED", "INTERNAL_AUTH_TOKEN is not set")
    if not same_secret(request.headers.get(TOKEN_HEADER), token):
        return _refuse(401, "UNAUTHORIZED", f"{TOKEN_HEADER} is missing or wrong")
    try:
        found = Notification.model_validate_json(json.dumps(await read_json(request)))
    except TooLargeError:
        return _refuse(413, "TOO_LARGE", "The body is too large")
    except ValidationError as error:
        return _refuse(400, "INVALID_PARAMETER", _what_is_wrong(error))
    except ValueError:
        return _refuse(400, "INVALID_PARAMETER", "The body is no JSON")
    if found.target is None:
        return _refuse(400, "INVALID_PARAMETER", "chat_id or user_id is needed")
    if found.parse_mode is None and units(found.text) > MOST_UNITS:
        return _refuse(400, "INVALID_PARAMETER", f"text is longer than {MOST_UNITS} characters")
    return await _queue(found, found.target, queue)


async def _measure(registry: CollectorRegistry, _request: Request) -> Response:
    return Response(generate_latest(registry), headers={"content-type": CONTENT_TYPE_LATEST})


async def _queue(found: Notification, chat_id: int, queue: Queue) -> Response:
    named = found.id or uuid4().hex
    job = TelegramJob(
        id=job_id(named),
        chat_id=chat_id,
        priority=found.priority,
        operation=SendMessage(text=found.text, parse_mode=found.parse_mode),
    )
    try:
        await queue(job)
    except (NatsError, NoAnswerError) as error:
        _log.warning("bot.notify_refused", error=str(error) or type(error).__name__)
        return _refuse(503, "NOT_READY", "The bus does not take it now: send it again with the same id")
    return JSONResponse({"queued": True, "id": named}, 202)


def job_id(named: str) -> str:
    """Return the id of the job for a notification of this id."""
    return f"notify.{hashlib.sha256(named.encode()).hexdigest()[:40]}"


def _refuse(status: int, code: str, message: str) -> Response:
    return JSONResponse({"success": False, "error": {"code": code, "message": message}}, status)


def _what_is_wrong(error: ValidationError) -> str:
    first = error.errors(include_url=False, include_input=False)[0]
    where = ".".join(str(part) for part in first["loc"]) or "body"
    return f"{where}: {first['msg']}"
