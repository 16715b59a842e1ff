"""Asks the market core: one request under way for each question, its answer kept for a moment, the last one for longer.

Where the core does not answer, the last known answer is given as stale. A request that is not answered soon is sent
again meanwhile: another copy of the core may take it.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Protocol
from urllib.parse import unquote

import msgspec

from contracts import errors, subjects
from contracts.errors import HydrophoneError, NotReadyError
from runtime import clock
from runtime.nats.bus import NoAnswerError

KEPT_SECONDS: Final = 0.25
SECONDS: Final = 0.9
OHLC_SECONDS: Final = 13.0
TRIES: Final = 3
MOST_BYTES: Final = 64 * 1024 * 1024
WAITING_FOR: Final = "market core"
_BUSY: Final = "BUSY"
_ERROR_AT: Final = b'{"error":'


class Replying(Protocol):
    """A reply of the bus."""

    @property
    def data(self) -> bytes:
        """Its body."""
        ...

    @property
    def headers(self) -> Mapping[str, str] | None:
        """Its headers."""
        ...


class Asking(Protocol):
    """The bus, for requests."""

    @property
    def connected(self) -> bool:
        """Whether a server answers."""
        ...

    def request_message(self, subject: str, payload: bytes, timeout: float) -> Awaitable[Replying]:
        """Give the reply; NoAnswerError after `timeout` seconds, or at once when nobody serves the subject."""
        ...


@dataclass(slots=True)
class Known:
    """A reply of the core with when it arrived (monotonic seconds); `forms` holds it as it was put into other forms."""

    body: bytes
    symbol: str | None
    beside: bytes
    arrived: float
    forms: dict[str, Any] = field(default_factory=dict[str, Any])

    @property
    def size(self) -> int:
        """About how many bytes it takes."""
        return 2 * len(self.body) + 512


@dataclass(frozen=True, slots=True)
class Found:
    """An answer that arrived `grown` seconds ago: `stale` where the core was asked and did not say this now."""

    known: Known
    stale: bool
    grown: float


class _Failure(msgspec.Struct, frozen=True):
    code: str
    message: str
    details: dict[str, Any] = msgspec.field(default_factory=dict[str, Any])


class _Refused(msgspec.Struct, frozen=True):
    error: _Failure


_refusals: Final = msgspec.json.Decoder(_Refused)
_kinds: Final = {
    kind.code: kind
    for kind in vars(errors).values()
    if isinstance(kind, type) and issubclass(kind, HydrophoneError) and kind is not HydrophoneError
}


class Asker:
    """Answers by verb and request; `enabled` False keeps nothing and still sends one request for concurrent askers."""

    def __init__(
        self,
        bus: Asking,
        *,
        enabled: bool = True,
        most_bytes: int = MOST_BYTES,
        now: Callable[[], float] = clock.monotonic,
    ) -> None:
        self._bus = bus
        self._now = now
        self._kept_seconds = KEPT_SECONDS if enabled else 0.0
        self._most_bytes = most_bytes
        self._known: OrderedDict[tuple[str, bytes], Known] = OrderedDict()
        self._under_way: dict[tuple[str, bytes], asyncio.Task[Known]] = {}
        self._bytes = 0
        self.answered = False  # whether the core ever did
        self.hits = 0
        self.misses = 0

    def __len__(self) -> int:
        return len(self._known)

    def find_kept(self, verb: str, request: bytes) -> Found | None:
        """Give the answer that is kept for the moment; None where the core has to be asked."""
        known = self._known.get((verb, request))
        if known is None or self._now() - known.arrived >= self._kept_seconds:
            return None
        self.hits += 1
        return self._found(known)

    async def ask(self, verb: str, request: bytes) -> Found:
        """Give the core's answer, or the last known one as stale; raises its refusal, NotReadyError where none is."""
        kept = self.find_kept(verb, request)
        if kept is not None:
            return kept
        key = (verb, request)
        task = self._under_way.get(key)
        if task is None:
            self.misses += 1
            task = self._under_way[key] = asyncio.create_task(self._fetch(verb, request), name=f"ask {verb}")
            task.add_done_callback(lambda _: self._under_way.pop(key, None))
        try:
            return self._found(await asyncio.shield(task))
        except NoAnswerError:
            known = self._known.get(key)
            if known is None:
                raise NotReadyError("The market core does not answer", waiting_for=[WAITING_FOR]) from None
            return self._found(known, stale=True)

    async def close(self) -> None:
        """End what is under way."""
        tasks = list(self._under_way.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _found(self, known: Known, *, stale: bool = False) -> Found:
        return Found(known, stale, max(0.0, self._now() - known.arrived))

    async def _fetch(self, verb: str, request: bytes) -> Known:
        if not self._bus.connected:
            raise NoAnswerError("the bus is away")
        seconds = OHLC_SECONDS if verb == "ohlc" else SECONDS
        reply = await self._request(subjects.MARKET_COMMAND + verb, request, seconds)
        self.answered = True
        known = read_reply(reply, self._now())
        self._keep((verb, request), known)
        return known

    async def _request(self, subject: str, request: bytes, seconds: float) -> Replying:
        """Give the first reply: the request is sent again twice while there is none."""
        sent: set[asyncio.Task[Replying]] = set()
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
            for task in sent:
                task.cancel()
            await asyncio.gather(*sent, return_exceptions=True)

    def _keep(self, key: tuple[str, bytes], known: Known) -> None:
        before = self._known.pop(key, None)
        self._bytes += known.size - (0 if before is None else before.size)
        self._known[key] = known
        while self._bytes > self._most_bytes and len(self._known) > 1:
            self._bytes -= self._known.popitem(last=False)[1].size


def read_reply(reply: Replying, arrived: float) -> Known:
    """Read a reply that arrived at a time (monotonic seconds).

    Raises what the core refused with, NoAnswerError where it is too busy to answer.
    """
    body, headers = reply.data, reply.headers or {}
    if body.startswith(_ERROR_AT):
        refused = _refusals.decode(body).error
        if refused.code == _BUSY:
            raise NoAnswerError(refused.message)
        raise _kinds.get(refused.code, errors.InternalError)(refused.message, **refused.details)
    symbol = headers.get(subjects.HEADER_SYMBOL)
    beside = headers.get(subjects.HEADER_BESIDE, "")
    return Known(body, None if symbol is None else unquote(symbol), beside.encode(), arrived)
