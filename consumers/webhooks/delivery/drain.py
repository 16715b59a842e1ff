"""Drains one endpoint: posts what is due, a few at once, and keeps what came of it, until nothing is due any more."""

from __future__ import annotations

import asyncio
from typing import Any, Final

from opentelemetry.trace import SpanKind

from consumers.webhooks.delivery.attempting import of_answer, of_error
from consumers.webhooks.delivery.backlog import Backlog
from consumers.webhooks.delivery.keeping import Keeping
from consumers.webhooks.delivery.outcome import Outcome
from consumers.webhooks.delivery.progress import Progress
from consumers.webhooks.delivery.queue import Hold
from consumers.webhooks.delivery.rules import SECOND_NS
from consumers.webhooks.delivery.sending import Sending
from consumers.webhooks.registry.endpoint import Endpoint
from consumers.webhooks.store.rows import Row
from consumers.webhooks.transport import Answer
from runtime.tracing.tracing import trace_of

_STOPPED: Final = frozenset({"paused", "disabled"})
_BURIED_AT_ONCE: Final = 500


class Drain:
    """One endpoint, for as long as this process has its job."""

    def __init__(self, sending: Sending, endpoint: Endpoint, hold: Hold) -> None:
        self._sending, self._endpoint, self._hold = sending, endpoint, hold
        self._changed = sending.changed[endpoint.id]
        self._backlog = Backlog(sending.events, endpoint.id)
        self._progress = Progress(endpoint=endpoint.id)
        self._keeping = Keeping(sending, endpoint, self._progress)
        self._posts: dict[asyncio.Task[tuple[Row | None, Outcome]], int] = {}
        self._lanes: dict[int, str] = {}  # of what is posted and not kept yet

    @property
    def _ordered(self) -> bool:
        return self._endpoint.ordering == "symbol"

    async def run(self) -> int | None:
        """Return when the endpoint is to be looked at again (ns UTC); None for when something new comes.

        StaleWriterError or StoreError where what came of it could not be kept: it is posted again then.
        """
        self._progress, asked = await self._sending.events.load_progress(self._endpoint.id)
        self._keeping = Keeping(self._sending, self._endpoint, self._progress)
        await self._do(asked)
        if self._is_stopped():
            await self._bury_old()
            return None
        try:
            await self._work()
        finally:
            for post in self._posts:
                post.cancel()
        await self._keeping.finish()
        return self._next_time()

    async def has_more(self) -> bool:
        """Return whether something came that this drain has not seen; look after the job was acknowledged."""
        events, progress = self._sending.events, self._progress
        _, asked = await events.load_progress(progress.endpoint)
        if asked:
            return True
        if self._is_stopped():
            endpoint = await self._sending.endpoints.find(progress.endpoint)
            return endpoint is not None and endpoint.state not in _STOPPED and not progress.disabled
        blocked = self._sending.now_ns() < progress.blocked_until()
        return not blocked and not self._is_full() and await events.has_page(progress.endpoint, progress.page)

    async def _do(self, asked: dict[str, Any]) -> None:
        """Do what was asked for since the last drain."""
        if not asked:
            return
        progress = self._progress
        if "resume" in asked:
            progress.resume()
        if again := asked.get("again"):
            await self._backlog.look_again(progress, list(again))
            await self._sending.events.revive(progress.endpoint, list(again))
        if "replay" in asked:
            await self._backlog.rewind(progress, asked["replay"])
        await self._sending.events.save_progress(progress, progress.document(), asked)

    async def _bury_old(self) -> None:
        """Give up what has waited for a resume for too long."""
        progress, rules, now_ns = self._progress, self._sending.rules, self._sending.now_ns()
        since = progress.disabled or self._endpoint.updated_ns
        if now_ns - since < int(rules.keep_waiting * SECOND_NS):
            return
        while self._hold.held:
            while len(progress.open) < _BURIED_AT_ONCE and (row := await self._backlog.take(progress)) is not None:
                if row.digest is None:
                    progress.look_at(row.sequence, row.lane)
            if not progress.open:
                return
            for sequence in list(progress.open):
                self._keeping.bury(await self._backlog.find(sequence), sequence, "the endpoint was not resumed in time")
            await self._keeping.finish()

    async def _work(self) -> None:
        while self._hold.held:
            for sequence in await self._choose():
                self._start(sequence)
            flush = self._keeping.start(at_once=not self._posts or self._ordered or self._hold.stopping)
            waiting: set[asyncio.Future[Any]] = {*self._posts} if flush is None else {*self._posts, flush}
            seconds = self._keeping.seconds_left() if waiting else self._seconds_to_linger()
            if not waiting and (seconds is None or self._hold.stopping):
                return
            await asyncio.wait({*waiting, self._hold.lost}, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
            self._collect()
            await self._renew_endpoint()

    async def _choose(self) -> list[int]:
        """Return what is to be posted now; events are looked at as there is room."""
        progress, now_ns = self._progress, self._sending.now_ns()
        if self._hold.stopping or self._is_stopped() or now_ns < progress.blocked_until():
            return []
        if progress.circuit.is_open:
            return [] if self._posts else await self._choose_probe()
        room = self._sending.rules.at_once - len(self._posts)
        if room <= 0:
            return []
        found = progress.may_post(
            self._endpoint.ordering,
            now_ns,
            skip=self._posts.values(),
            busy=set(self._lanes.values()) if self._ordered else (),
            most=room,
        )
        if len(found) < room:
            await self._look_further(found, room)
        return found

    async def _choose_probe(self) -> list[int]:
        """Return one event, best one that never failed: one that its receiver never takes must not stop the others."""
        progress, found = self._progress, list[int]()
        probe = progress.find_probe(self._endpoint.ordering)
        if probe is None or progress.open[probe].tries:
            await self._look_further(found, 1)
        return found or ([] if probe is None else [probe])

    async def _look_further(self, found: list[int], room: int) -> None:
        progress = self._progress
        lanes = (
            {one.lane for one in progress.open.values()} | set(self._lanes.values()) if self._ordered else set[str]()
        )
        while len(found) < room and not self._is_full() and not (self._has_enough() and (found or self._lanes)):
            row = await self._backlog.take(progress)
            if row is None:
                return
            if row.digest is not None:
                continue
            progress.look_at(row.sequence, row.lane)
            if row.lane not in lanes:
                found.append(row.sequence)
            if self._ordered:
                lanes.add(row.lane)

    def _has_enough(self) -> bool:
        """While something is posted, there is time to look at more."""
        return len(self._progress.open) >= self._sending.rules.read_ahead

    def _is_full(self) -> bool:
        return len(self._progress.open) >= self._sending.rules.most_open

    def _is_stopped(self) -> bool:
        return self._endpoint.state in _STOPPED or self._progress.disabled > 0

    def _start(self, sequence: int) -> None:
        post = asyncio.create_task(self._post(sequence), name=f"post to {self._endpoint.id}")
        self._posts[post] = sequence
        self._lanes[sequence] = self._progress.open[sequence].lane

    async def _post(self, sequence: int) -> tuple[Row | None, Outcome]:
        row = await self._backlog.find(sequence)
        if row is None:
            return None, Outcome(kind="hopeless", error="the event is not kept any more", fault="ours")
        now_ns = self._sending.now_ns()
        try:
            answer = await self._traced_post(row, now_ns)
        except Exception as error:  # noqa: BLE001  # kept with the attempt, and tried again or dead by it
            return row, of_error(error)
        self._sending.hop("post", "all", row.event_type, answer.seconds)
        return row, of_answer(answer, now_ns)

    async def _traced_post(self, row: Row, now_ns: int) -> Answer:
        about = {"hydrophone.webhook.event.id": row.event_id, "hydrophone.webhook.event.type": row.event_type}
        with self._sending.queue.bus.tracing.continuing(
            "POST webhook", row.trace, kind=SpanKind.CLIENT, attributes=about
        ) as span:
            answer = await self._sending.poster.post(
                self._endpoint, row.event_id, row.body, now_ns, trace=trace_of(span)
            )
            span.set_attribute("http.response.status_code", answer.status)
            return answer

    def _collect(self) -> None:
        """Take note of the posts that have ended."""
        sending, progress = self._sending, self._progress
        for post in [one for one in self._posts if one.done()]:
            sequence = self._posts.pop(post)
            row, outcome = post.result()
            tries = progress.open[sequence].tries
            dead = progress.apply(sequence, outcome, sending.now_ns(), rules=sending.rules, chance=sending.chance())
            self._keeping.add(row, sequence, outcome, tries + 1, dead=dead)
            if sequence not in progress.open:
                self._backlog.forget(sequence)
        for sequence in self._keeping.kept():
            self._lanes.pop(sequence, None)

    async def _renew_endpoint(self) -> None:
        changed = self._sending.changed[self._endpoint.id]
        if changed == self._changed:
            return
        self._changed = changed
        endpoint = await self._sending.endpoints.find(self._endpoint.id)
        if endpoint is not None:
            self._endpoint = endpoint
        else:
            self._hold.stopping = True  # it was deleted

    def _seconds_to_linger(self) -> float | None:
        """Return how long to wait in place for what is due next; None where that is not soon."""
        due = self._next_time()
        if due is None:
            return None
        seconds = (due - self._sending.now_ns()) / SECOND_NS
        return max(seconds, 0.001) if seconds <= self._sending.rules.linger else None

    def _next_time(self) -> int | None:
        progress, now_ns = self._progress, self._sending.now_ns()
        if self._is_stopped():
            return None
        blocked = progress.blocked_until()
        if blocked > now_ns:
            return blocked
        if progress.circuit.is_open:
            return now_ns if progress.open else None
        return progress.next_due(self._endpoint.ordering)
