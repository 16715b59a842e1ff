"""Serves `cmd.v1.deadletters.*` from the stream of dead letters; keeps nothing itself."""

from __future__ import annotations

import base64
import json
from typing import Any, Final

import structlog
from faststream.nats import NatsRouter

from consumers.deadletters.core import read_headers, read_letter, stream_of
from contracts import streams
from contracts.errors import ConflictError, NotFoundError
from contracts.services.deadletters import QUEUE, DeadLetter, LetterQuery, LetterReply, ListQuery, ListReply
from contracts.subjects import ALL_DEAD_LETTERS, DEAD_LETTER, DEAD_LETTERS_COMMAND, HEADER_MESSAGE_ID
from runtime.app.commands import command
from runtime.app.resume import Start
from runtime.app.service import Consumer, Service
from runtime.app.serving import serve
from runtime.nats.bus import Bus
from runtime.nats.streams.api import NOT_FOUND, ApiRefusalError, call, parse_rfc3339
from runtime.nats.streams.past import read_past

_log = structlog.get_logger("deadletters")
_FIRST: Final = Start(sequence=1)


def make_consumer() -> Consumer:
    """Return the consumer that serves until it is stopped."""
    services: list[Service] = []
    router = make_router(lambda: services[-1].bus)

    async def run(service: Service) -> None:
        services.append(service)
        await serve(router, service)

    return Consumer(run, router)


def make_router(bus: Any) -> NatsRouter:
    """Return the handlers; `bus()` is the connection."""
    router = NatsRouter()

    @router.subscriber(**command(DEAD_LETTERS_COMMAND + "list", QUEUE))
    async def on_list(query: ListQuery) -> ListReply:
        """Reply with the newest letters."""
        wanted = ALL_DEAD_LETTERS if query.consumer is None else f"{DEAD_LETTER}{query.consumer}.>"
        info = await call(bus(), f"STREAM.INFO.{streams.DLQ}")
        rows = await read_past(bus(), streams.DLQ, (wanted,), _FIRST, limit=query.limit, timeout=8.0)
        letters = [
            read_letter(
                row.position.stream_seq,
                row.subject.decode(),
                row.payload,
                at=row.position.time_ns,
                headers=read_headers(row.headers),
            )
            for row in reversed(rows)
        ]
        return ListReply(letters=letters, total=int(info["state"]["messages"]))

    @router.subscriber(**command(DEAD_LETTERS_COMMAND + "retry", QUEUE))
    async def on_retry(query: LetterQuery) -> LetterReply:
        """Publish a letter's message again where it was, then remove the letter; both at most once."""
        letter, headers, body = await _find(bus(), query.id)
        stream = stream_of(letter.subject)
        if stream is None:
            raise ConflictError(
                f"{letter.subject} has many readers, and each of them would get it twice; read it from its stream"
            )
        name = f"retry.{query.id}.{headers.get(HEADER_MESSAGE_ID, '')}"
        await bus().publish_acked(letter.subject, body, headers={HEADER_MESSAGE_ID: name}, stream=stream)
        await _remove(bus(), query.id)
        _log.info("deadletter.retried", letter=query.id, consumer=letter.consumer)
        return LetterReply(letter=letter)

    @router.subscriber(**command(DEAD_LETTERS_COMMAND + "delete", QUEUE))
    async def on_delete(query: LetterQuery) -> LetterReply:
        """Remove a letter."""
        letter, _, _ = await _find(bus(), query.id)
        await _remove(bus(), query.id)
        _log.info("deadletter.deleted", letter=query.id, consumer=letter.consumer)
        return LetterReply(letter=letter)

    return router


async def _find(bus: Bus, number: str) -> tuple[DeadLetter, dict[str, str], bytes]:
    try:
        answer = await call(bus, f"STREAM.MSG.GET.{streams.DLQ}", json.dumps({"seq": int(number)}).encode())
    except ApiRefusalError as error:
        if error.code != NOT_FOUND:
            raise
        raise NotFoundError(f"There is no dead letter {number}", id=number) from None
    message = answer["message"]
    headers = read_headers(base64.b64decode(message.get("hdrs", "")))
    body = base64.b64decode(message.get("data", ""))
    at = parse_rfc3339(message["time"])
    return read_letter(int(number), message["subject"], body, at=at, headers=headers), headers, body


async def _remove(bus: Bus, number: str) -> None:
    body = json.dumps({"seq": int(number), "no_erase": True}).encode()
    await call(bus, f"STREAM.MSG.DELETE.{streams.DLQ}", body)
