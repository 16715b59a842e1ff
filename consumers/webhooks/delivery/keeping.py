"""Keeps what came of posts: dead letters first, then attempts and how far the endpoint is; many at once.

While posts are under way and succeed, what came of them waits for more to be kept with it, 25 ms at most.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable
from secrets import token_hex
from typing import Final

import structlog

from consumers.webhooks.delivery.outcome import Outcome
from consumers.webhooks.delivery.progress import Progress
from consumers.webhooks.delivery.sending import Sending
from consumers.webhooks.registry.endpoint import Endpoint
from consumers.webhooks.store.attempts import Attempt
from consumers.webhooks.store.rows import Dead, Row
from contracts.subjects import WEBHOOK_JOB
from runtime import clock

_log = structlog.get_logger("webhooks")
_TOGETHER: Final = 100  # attempts that wait for nothing more
_WAITS: Final = 0.025  # seconds that one waits


class DeadEventError(Exception):
    """Why an event will not be posted again by itself."""


class Keeping:
    """Of one drain. What was added while one write is under way goes into the next one."""

    def __init__(self, sending: Sending, endpoint: Endpoint, progress: Progress) -> None:
        self._sending, self._endpoint, self._progress = sending, endpoint, progress
        self._attempts: list[Attempt] = []
        self._dead: list[Dead] = []
        self._added: list[int] = []
        self._kept: list[int] = []
        self._dirty = False
        self._since = 0.0  # when the first came that is not kept (monotonic)
        self._urgent = False
        self._write: asyncio.Task[None] | None = None

    def add(self, row: Row | None, sequence: int, outcome: Outcome, number: int, *, dead: bool) -> None:
        """Take note of an attempt that the progress knows of."""
        self._mark(urgent=outcome.kind != "delivered")
        self._added.append(sequence)
        counts = self._sending.counts
        counts["delivered" if outcome.kind == "delivered" else "failed"] += 1
        if row is not None:
            if outcome.kind == "delivered":
                counts[f"delivered.{row.event_type}"] += 1
            self._attempts.append(
                Attempt(
                    event_id=row.event_id,
                    sequence=sequence,
                    event_type=row.event_type,
                    at_ns=self._sending.now_ns(),
                    number=number,
                    status=outcome.status,
                    seconds=outcome.seconds,
                    answer=outcome.answer,
                    error=outcome.error,
                )
            )
        if dead:
            self._add_dead(row, sequence, outcome.error or "", fault=outcome.fault, attempts=number)

    def bury(self, row: Row | None, sequence: int, error: str) -> None:
        """Give up an event without posting it."""
        self._mark(urgent=True)
        tries = self._progress.open[sequence].tries
        self._progress.settle(sequence)
        self._add_dead(row, sequence, error, fault="receiver", attempts=tries)

    def _mark(self, *, urgent: bool) -> None:
        """Note that something is to be kept."""
        if not self._dirty:
            self._since = clock.monotonic()
        self._dirty = True
        self._urgent |= urgent

    def seconds_left(self) -> float | None:
        """Return how long what is to be kept may wait for more; None where nothing does."""
        waits = self._dirty and self._write is None
        return max(0.001, self._since + _WAITS - clock.monotonic()) if waits else None

    def start(self, *, at_once: bool = True) -> asyncio.Task[None] | None:
        """Return the write that is under way, a new one where something is to be kept; None where nothing is.

        Unless `at_once`, successes may wait for more to be kept with them.
        """
        if self._write is not None and self._write.done():
            self._write.result()
            self._write = None
        if self._write is None and self._dirty and (at_once or self._is_due()):
            self._write = asyncio.create_task(self._save(), name=f"progress of {self._endpoint.id}")
        return self._write

    def _is_due(self) -> bool:
        return self._urgent or len(self._attempts) >= _TOGETHER or clock.monotonic() - self._since >= _WAITS

    def kept(self) -> list[int]:
        """Return the sequences whose attempts were kept since the last call."""
        kept, self._kept = self._kept, []
        return kept

    async def finish(self) -> None:
        """Return when everything is kept."""
        while (write := self.start()) is not None:
            await write

    async def _save(self) -> None:
        attempts, self._attempts = self._attempts, []
        dead, self._dead = self._dead, []
        added, self._added = self._added, []
        self._dirty = self._urgent = False
        document = self._progress.document()
        sending, endpoint = self._sending, self._endpoint.id
        if dead:
            await sending.events.bury(dead)
            for letter in dead:
                self._send_letter(letter)
        writes: list[Awaitable[None]] = [sending.events.save_progress(self._progress, document)]
        if attempts:
            writes.append(sending.attempts.add(endpoint, attempts, token_hex(4)))
        await asyncio.gather(*writes)
        self._kept += added

    def _add_dead(self, row: Row | None, sequence: int, error: str, *, fault: str, attempts: int) -> None:
        self._sending.counts["dead"] += 1
        _log.warning("webhook.dead", endpoint=self._endpoint.id, sequence=sequence, error=error, fault=fault)
        if row is None:
            return
        self._dead.append(
            Dead(
                event_id=row.event_id,
                endpoint=self._endpoint.id,
                owner=self._endpoint.owner,
                sequence=sequence,
                event_type=row.event_type,
                at_ns=self._sending.now_ns(),
                attempts=attempts,
                fault=fault,
                error=error,
            )
        )

    def _send_letter(self, letter: Dead) -> None:
        """Put it among the dead letters of the bus, where an administrator sees it and can have it posted again."""
        fields = ("event_id", "endpoint", "owner", "sequence", "event_type", "attempts", "fault")
        body = json.dumps({name: getattr(letter, name) for name in fields}).encode()
        subject = f"{WEBHOOK_JOB}{letter.endpoint}.{letter.event_id}"
        self._sending.letters.keep(subject, body, DeadEventError(f"{letter.fault}: {letter.error}"))
