"""Requests of any face to the market core: one under way for each question, its reply kept for a moment and longer.

Where the core does not reply, the last known reply is returned as stale. A request that is not answered soon is sent
again meanwhile: another copy of the core may take it. An answer that is pinned stands in for the core's, as stale.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict, defaultdict
from collections.abc import Awaitable, Callable, Iterator, Mapping
from typing import Any, Final, Protocol
from urllib.parse import unquote

from contracts import errors, subjects
from contracts.commands import ErrorReply
from contracts.errors import NotReadyError
from contracts.services.cache import CLASS_SECONDS, LIVE, Matches, Question, question_of
from contracts.services.market import MarketQuery
from runtime import clock
from runtime.clients.market_reply import CachedReply, CoreAnswer, Counts
from runtime.nats.bus import NoAnswerError
from runtime.tasks import end_tasks

KEPT_SECONDS: Final = CLASS_SECONDS[LIVE]
SECONDS: Final = 0.9
OHLC_SECONDS: Final = 13.0
PAST_SECONDS: Final = 3.0  # for what has to be read
TRIES: Final = 3
MOST_BYTES: Final = 64 * 1024 * 1024
WAITING_FOR: Final = "market core"
_BUSY: Final = "BUSY"
_ERROR_AT: Final = b'{"error":'


class RequestBus(Protocol):
    """The bus, for requests."""

    @property
    def connected(self) -> bool:
        """Whether a server answers."""
        ...

    def request_message(self, subject: str, payload: bytes, timeout: float) -> Awaitable[Any]:
        """Return the reply, with `data` and `headers`; raises NoAnswerError after `timeout` seconds, or at once."""
        ...


class MarketClient:
    """Answers by verb and request body; with `enabled` False nothing is kept, equal requests at one time share one."""

    def __init__(
        self,
        bus: RequestBus,
        *,
        enabled: bool = True,
        most_bytes: int = MOST_BYTES,
        now: Callable[[], float] = clock.monotonic,
    ) -> None:
        self._bus = bus
        self._now = now
        self._kept_seconds = KEPT_SECONDS if enabled else 0.0
        self._most_bytes = most_bytes
        self._known: OrderedDict[tuple[str, bytes], CachedReply] = OrderedDict()
        self._pinned: dict[tuple[str, bytes], CachedReply] = {}
        self._under_way: dict[tuple[str, bytes], asyncio.Task[CachedReply]] = {}
        self._tasks: set[asyncio.Task[CachedReply]] = set()
        self._bytes = 0
        self.answered = False  # whether the core ever did
        self.enabled = enabled
        self.counts: defaultdict[str, Counts] = defaultdict(Counts)  # by verb

    def __len__(self) -> int:
        return len(self._known)

    @property
    def hits(self) -> int:
        """How many requests were answered from memory, or by a reply that was under way already."""
        return sum(counts.hits for counts in self.counts.values())

    @property
    def misses(self) -> int:
        """How many requests were sent to the core."""
        return sum(counts.misses for counts in self.counts.values())

    def find_cached(self, verb: str, request: bytes) -> CoreAnswer | None:
        """Return the answer that is pinned or kept for the moment; None where the core has to be requested."""
        if self._pinned and (pinned := self._find_pinned(verb, request)) is not None:
            return pinned
        known = self._known.get((verb, request))
        if known is None or (now := self._now()) >= known.until:
            return None
        known.counts.hits += 1
        return CoreAnswer(known, grown=0.0 if known.past else max(0.0, now - known.arrived))

    def entries(self) -> Iterator[tuple[str, bytes, CachedReply]]:
        """Every reply that is known, with its verb and request; those that are past their time serve as stale."""
        return ((verb, request, known) for (verb, request), known in self._known.items())

    def age_of(self, known: CachedReply) -> float:
        """Return the seconds since a reply arrived."""
        return max(0.0, self._now() - known.arrived)

    def is_live(self, known: CachedReply) -> bool:
        """Return whether a reply still answers at once."""
        return self._now() < known.until

    def drop(self, matches: Matches) -> int:
        """Forget the replies whose key is meant, and keep none of those under way; return how many were known."""
        meant = [key for key in {*self._known, *self._under_way} if matches(question_of(*key).key)]
        for key in meant:
            self._under_way.pop(key, None)
        dropped = [known for key in meant if (known := self._known.pop(key, None)) is not None]
        self._bytes -= sum(known.size for known in dropped)
        return len(dropped)

    def pin(self, question: Question, reply: CachedReply) -> None:
        """Answer a question, without parameters beside its symbol, with this reply until its time is over."""
        self._pinned[_pin_key(question.verb, encode_query(question.request))] = reply

    def unpin(self, question: Question) -> None:
        """Answer a question as the core does again."""
        self._pinned.pop(_pin_key(question.verb, encode_query(question.request)), None)

    async def request(self, verb: str, request: bytes) -> CoreAnswer:
        """Return the core's answer, or the last known one as stale; raises its error, NotReadyError where none is."""
        kept = self.find_cached(verb, request)
        if kept is not None:
            return kept
        key = (verb, request)
        task = self._under_way.get(key)
        if task is None:
            self.counts[verb].misses += 1
            task = self._under_way[key] = asyncio.create_task(self._fetch(verb, request), name=f"market {verb}")
            self._tasks.add(task)
            task.add_done_callback(lambda done: self._on_done(key, done))
        else:
            self.counts[verb].hits += 1
        try:
            return self._found(await asyncio.shield(task))
        except NoAnswerError:
            known = self._known.get(key)
            if known is None:
                raise NotReadyError("The market core does not answer", waiting_for=[WAITING_FOR]) from None
            return self._found(known, stale=True)

    async def close(self) -> None:
        """End what is under way."""
        await end_tasks(self._tasks)

    def _found(self, known: CachedReply, *, stale: bool = False) -> CoreAnswer:
        return CoreAnswer(known, stale and not known.past, 0.0 if known.past else self.age_of(known))

    def _find_pinned(self, verb: str, request: bytes) -> CoreAnswer | None:
        key = _pin_key(verb, request)
        pinned = self._pinned.get(key)
        if pinned is None:
            return None
        if self._now() >= pinned.until:
            del self._pinned[key]
            return None
        pinned.counts.hits += 1
        return self._found(pinned, stale=True)

    def _on_done(self, key: tuple[str, bytes], task: asyncio.Task[CachedReply]) -> None:
        self._tasks.discard(task)
        if self._under_way.get(key) is task:
            del self._under_way[key]
        _pass_over(task)  # raised to all who still wait, which may be nobody

    async def _fetch(self, verb: str, request: bytes) -> CachedReply:
        if not self._bus.connected:
            raise NoAnswerError("the bus is away")
        seconds = OHLC_SECONDS if verb == "ohlc" else PAST_SECONDS if _is_past(request) else SECONDS
        reply = await self._send(subjects.MARKET_COMMAND + verb, request, seconds)
        self.answered = True
        known = read_reply(reply, self._now())
        known.until, known.counts = known.arrived + self._kept_seconds, self.counts[verb]
        known.past = _is_past(request)
        if self._under_way.get((verb, request)) is asyncio.current_task():  # otherwise dropped meanwhile
            self._keep((verb, request), known)
        return known

    async def _send(self, subject: str, request: bytes, seconds: float) -> Any:
        """Return the first reply: the request is sent again twice while there is none."""
        sent: set[asyncio.Future[Any]] = set()
        until = clock.monotonic() + seconds
        try:
            for _ in range(TRIES):
                left = until - clock.monotonic()
                sent.add(asyncio.ensure_future(self._bus.request_message(subject, request, max(left, 0.01))))
                done, _pending = await asyncio.wait(sent, timeout=seconds / TRIES, return_when=asyncio.FIRST_COMPLETED)
                if done:
                    return next(iter(done)).result()
            raise NoAnswerError(f"{subject}: no answer within {seconds} s")
        finally:
            await end_tasks(sent)
            for one in sent:
                _pass_over(one)

    def _keep(self, key: tuple[str, bytes], known: CachedReply) -> None:
        before = self._known.pop(key, None)
        self._bytes += known.size - (0 if before is None else before.size)
        self._known[key] = known
        while self._bytes > self._most_bytes and len(self._known) > 1:
            self._bytes -= self._known.popitem(last=False)[1].size


def _pass_over(ended: asyncio.Future[Any]) -> None:
    """Take note that a task failed, so that asyncio does not report a failure that nobody waits for."""
    if not ended.cancelled():
        ended.exception()


def encode_query(query: MarketQuery) -> bytes:
    """Return the body of a request; what is as by default is left out, so that equal questions have equal bodies."""
    return query.model_dump_json(exclude_defaults=True).encode()


def _is_past(request: bytes) -> bool:
    """Return whether a request may be about the past: its text names the parameter."""
    return b'"as_of"' in request


def _pin_key(verb: str, request: bytes) -> tuple[str, bytes]:
    """Return what a pinned answer is found by: any case of the symbol, and `.` for `:`."""
    return verb, request.upper().replace(b".", b":")


def read_reply(reply: Any, arrived: float) -> CachedReply:
    """Read a reply that arrived at a time (monotonic seconds).

    Raises the error that the core replied with, NoAnswerError where it is too busy to answer.
    """
    body: bytes = reply.data
    headers: Mapping[str, str] = reply.headers or {}
    if body.startswith(_ERROR_AT):
        refused = ErrorReply.model_validate_json(body).error
        if refused.code == _BUSY:
            raise NoAnswerError(refused.message)
        raise errors.by_code(refused.code)(refused.message, **refused.details)
    symbol = headers.get(subjects.HEADER_SYMBOL)
    beside = headers.get(subjects.HEADER_BESIDE, "")
    return CachedReply(body, None if symbol is None else unquote(symbol), beside.encode(), arrived)
