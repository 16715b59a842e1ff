"""FastStream middleware of commands: a bounded number at a time, within a time limit, and always with a reply."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from types import TracebackType
from typing import Any, Final, TypedDict

import structlog
from fast_depends.exceptions import ValidationError
from faststream import BaseMiddleware, ContextRepo
from faststream.message import StreamMessage
from nats.aio.msg import Msg
from nats.errors import Error as NatsError
from pydantic import ValidationError as ModelError

from contracts.errors import HydrophoneError
from contracts.subjects import COMMAND
from runtime.app.contract_decoder import invalid_parameter

_log = structlog.get_logger("commands")
AT_ONCE: Final = 16
WAITING: Final = 256  # requests that may wait; the client drops more, and their askers get no reply in time


class BusyError(HydrophoneError):
    """As many requests are worked on as may be."""

    code = "BUSY"


class CommandArguments(TypedDict):
    """Arguments of `router.subscriber`."""

    subject: str
    queue: str
    max_workers: int
    pending_msgs_limit: int
    include_in_schema: bool


def command(subject: str, queue: str, *, at_once: int = AT_ONCE) -> CommandArguments:
    """Return the arguments of `router.subscriber` for a command; replicas in the same `queue` share its requests.

    FastStream makes a request wait while all workers are busy: one more worker than requests are worked on refuses it.
    The document of the bus has every command already, whoever serves it.
    """
    return {
        "subject": subject,
        "queue": queue,
        "max_workers": at_once + 1,
        "pending_msgs_limit": WAITING,
        "include_in_schema": False,
    }


def failure(code: str, message: str, **details: object) -> bytes:
    """Return the body of a reply that is only an error (`contracts.commands.Failure`)."""
    return json.dumps({"error": {"code": code, "message": message, "details": details}}).encode()


def failure_of(error: BaseException) -> bytes:
    """Return the reply for what a handler raised: a refusal as it is, anything else without details."""
    if isinstance(error, ValidationError) and isinstance(error.original_error, ModelError):
        error = invalid_parameter(error.original_error)
    if isinstance(error, HydrophoneError):
        return failure(error.code, error.message, **error.details)
    return failure("INTERNAL_ERROR", "Something went wrong there")


class Commands:
    """The middleware of a broker: each request is worked on for at most `seconds`."""

    def __init__(self, seconds: float = 10.0) -> None:
        self.seconds = seconds
        self.under_way: Counter[str] = Counter()

    def __call__(self, message: Any, /, *, context: ContextRepo) -> BaseMiddleware[Any, Any]:
        """Return the middleware of one message."""
        return _Request(message, context=context, commands=self)


class _Request(BaseMiddleware[Any, Any]):
    def __init__(self, message: Any, /, *, context: ContextRepo, commands: Commands) -> None:
        super().__init__(message, context=context)
        self._commands = commands
        self._subject = message.subject if isinstance(message, Msg) and message.subject.startswith(COMMAND) else None

    async def consume_scope(self, call_next: Any, msg: StreamMessage[Any]) -> Any:
        if self._subject is None:
            return await call_next(msg)
        under_way, at_once = self._commands.under_way, self._limit()
        if at_once is not None and under_way[self._subject] >= at_once:
            raise BusyError(f"{self._subject} is busy: try again", at_once=at_once)
        under_way[self._subject] += 1
        try:
            async with asyncio.timeout(self._commands.seconds):
                return await call_next(msg)
        finally:
            under_way[self._subject] -= 1

    def _limit(self) -> int | None:
        workers: int | None = getattr(self.context.get_local("handler_"), "max_workers", None)
        return None if workers is None else workers - 1

    async def after_processed(
        self,
        exc_type: type[BaseException] | None = None,
        exc_val: BaseException | None = None,
        exc_tb: TracebackType | None = None,
    ) -> bool | None:
        if self._subject is None or not isinstance(exc_val, Exception):
            return False
        if not isinstance(exc_val, HydrophoneError | ValidationError):
            error = f"{type(exc_val).__name__}: {exc_val}"
            _log.error("command.failed", subject=self._subject, error=error, exc_info=exc_val)
        if self.msg.reply:
            try:
                await self.msg.respond(failure_of(exc_val))
            except NatsError as error:  # the asker's own time limit says so
                _log.warning("command.reply_lost", subject=self._subject, error=str(error) or type(error).__name__)
        return True
