"""Answers that an administrator put, from the bucket CACHE: mirrored by every process into its market client."""

from __future__ import annotations

from typing import Any, Final

import structlog
from nats.errors import Error as NatsError
from pydantic import ValidationError

from api.cache.values import SECOND_NS, check_value, render_reply
from api.http.errors import PayloadTooLargeError
from contracts import streams
from contracts.errors import HydrophoneError, NotReadyError
from contracts.instrument import escape_token
from contracts.services.cache import PINNED, Matches, PinnedAnswer, Question, fold, read_key
from runtime import clock
from runtime.clients.market_client import MarketClient
from runtime.clients.market_reply import CachedReply
from runtime.nats.bus import Bus
from runtime.nats.kv.mirror import Entry, Mirror

MOST_BYTES: Final = 512 * 1024
_STREAM: Final = f"KV_{streams.CACHE}"
_DELETE: Final = {"KV-Operation": "DEL"}
_log = structlog.get_logger("cache")


class Pins:
    """The answers that are put, by their keys; what is past its life is neither served nor listed."""

    def __init__(self, bus: Bus, market: MarketClient) -> None:
        self._bus, self._market = bus, market
        self._pinned: dict[str, tuple[Question, PinnedAnswer]] = {}

    async def follow(self) -> None:
        """Read the bucket and follow it, waiting for it as long as it takes; raises what ends the mirror."""
        mirror = Mirror(self._bus, streams.CACHE)
        mirror.listen("", self._on_entry)
        try:
            await mirror.open(timeout=None)
            await mirror.failed
        finally:
            await mirror.close()

    def list(self) -> list[tuple[Question, PinnedAnswer]]:
        """Return what is put and not past its life."""
        now_ns = clock.now_ns()
        return [(question, pinned) for question, pinned in self._pinned.values() if pinned.until > now_ns]

    async def put(self, question: Question, value: dict[str, Any], ttl: int) -> PinnedAnswer:
        """Write an answer, valid already, for some seconds; every process serves it as soon as it reads it.

        Raises PayloadTooLargeError, and NotReadyError where the bus does not keep it.
        """
        now_ns = clock.now_ns()
        pinned = PinnedAnswer(key=question.key, value=value, since=now_ns, until=now_ns + ttl * SECOND_NS)
        body = pinned.model_dump_json().encode()
        if len(body) > MOST_BYTES:
            raise PayloadTooLargeError.over(MOST_BYTES)
        await self._write(_bucket_key(question), body)
        self._apply(_bucket_key(question), pinned)
        return pinned

    def find(self, matches: Matches) -> list[Question]:
        """Return what is put whose key is meant."""
        return [question for question, _ in self.list() if matches(question.key)]

    async def remove(self, question: Question) -> None:
        """Take an answer away everywhere; raises NotReadyError where the bus does not take it."""
        await self._write(_bucket_key(question), b"", _DELETE)
        self._forget(_bucket_key(question))

    async def _write(self, key: str, body: bytes, headers: dict[str, str] | None = None) -> None:
        try:
            js = self._bus.jetstream(timeout=2.0)
            await js.publish(f"$KV.{streams.CACHE}.{key}", body, stream=_STREAM, headers=headers)
        except NatsError as error:
            raise NotReadyError("The bus does not keep it", waiting_for=["bus"]) from error

    def _on_entry(self, key: str, entry: Entry | None) -> None:
        if entry is None:
            self._forget(key)
            return
        try:
            pinned = PinnedAnswer.model_validate_json(entry.value)
            check_value(read_key(pinned.key), pinned.value)
            self._apply(key, pinned)
        except (ValidationError, HydrophoneError) as error:  # of a later version, or written by hand
            _log.error("cache.unreadable", key=key, error=str(error))
            self._forget(key)

    def _apply(self, key: str, pinned: PinnedAnswer) -> None:
        now_ns, now = clock.now_ns(), clock.monotonic()
        question = read_key(pinned.key)
        body, beside = render_reply(question, pinned, now_ns)
        until = now + (pinned.until - now_ns) / SECOND_NS
        self._pinned[key] = question, pinned
        reply = CachedReply(body, question.symbol, beside, now, until, counts=self._market.counts[PINNED])
        self._market.pin(question, reply)

    def _forget(self, key: str) -> None:
        if (known := self._pinned.pop(key, None)) is not None:
            self._market.unpin(known[0])


def _bucket_key(question: Question) -> str:
    return escape_token(fold(question.key))
