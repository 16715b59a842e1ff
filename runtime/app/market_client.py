"""Requests of any face to the market core: one under way for each question, its reply kept for a moment and longer.

Where the core does not reply, the last known reply is returned as stale. A request that is not answered soon is sent
again meanwhile: another copy of the core may take it.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final, Protocol
from urllib.parse import unquote

from contracts import errors, subjects
from contracts.commands import ErrorReply
from contracts.errors import NotReadyError
from contracts.services.market import MarketQuery
from runtime import clock
from runtime.app.market_reply import CachedReply, CoreAnswer
from runtime.nats.bus import NoAnswerError

KEPT_SECONDS: Final = 0.25
SECONDS: Final = 0.9
OHLC_SECONDS: Final = 13.0
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
        self._under_way: dict[tuple[str, bytes], asyncio.Task[CachedReply]] = {}
        self._bytes = 0
        self.answered = False  # whether the core ever did
        self.hits = 0
        self.misses = 0

    def __len__(self) -> int:
        return len(self._known)

    def find_cached(self, verb: str, request: bytes) -> CoreAnswer | None:
        """Return the answer that is kept for the moment; None where the core has to be requested."""
        known = self._known.get((verb, request))
        if known is None or self._now() - known.arrived >= self._kept_seconds:
            return None
        self.hits += 1
        return self._found(known)

    async def request(self, verb: str, request: bytes) -> CoreAnswer:
        """Return the core's answer, or the last known one as stale; raises its error, NotReadyError where none is."""
        kept = self.find_cached(verb, request)
        if kept is not None:
            return kept
        key = (verb, request)
        task = self._under_way.get(key)
        if task is None:
            self.misses += 1
            task = self._under_way[key] = asyncio.create_task(self._fetch(verb, request), name=f"market {verb}")
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

    def _found(self, known: CachedReply, *, stale: bool = False) -> CoreAnswer:
        return CoreAnswer(known, stale, max(0.0, self._now() - known.arrived))

    async def _fetch(self, verb: str, request: bytes) -> CachedReply:
        if not self._bus.connected:
            raise NoAnswerError("the bus is away")
        seconds = OHLC_SECONDS if verb == "ohlc" else SECONDS
        reply = await self._send(subjects.MARKET_COMMAND + verb, request, seconds)
        self.answered = True
        known = read_reply(reply, self._now())
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
            for task in sent:
                task.cancel()
            await asyncio.gather(*sent, return_exceptions=True)

    def _keep(self, key: tuple[str, bytes], known: CachedReply) -> None:
        before = self._known.pop(key, None)
        self._bytes += known.size - (0 if before is None else before.size)
        self._known[key] = known
        while self._bytes > self._most_bytes and len(self._known) > 1:
            self._bytes -= self._known.popitem(last=False)[1].size


def encode_query(query: MarketQuery) -> bytes:
    """Return the body of a request; what is as by default is left out, so that equal questions have equal bodies."""
    return query.model_dump_json(exclude_defaults=True).encode()


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
