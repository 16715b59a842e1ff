"""The counters that all replicas share: requests are reserved from them in chunks, and what is idle is given back.

The counter of a name in a window is a subject of the LIMITS stream that publishes add to. While the bus is away each
process keeps to the limits by itself.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections import defaultdict
from collections.abc import Callable, Sequence
from typing import Final, Protocol

import structlog
from nats.errors import Error as NatsError

from api.http.access.limits import Limit
from api.http.access.shares import Share
from contracts import streams, subjects
from runtime import clock
from runtime.nats import counter
from runtime.nats.bus import Bus, NoAnswerError

_log = structlog.get_logger("limits")
OVERFLOW: Final = "(others)"
IDLE_SECONDS: Final = 2.0  # after so long what was reserved is given back
ALONE_SECONDS: Final = 1.0  # between attempts to reach the counters
_TIMEOUT: Final = 1.0
_SWEEP_SECONDS: Final = 0.25
_PRUNE_SWEEPS: Final = 240


class Ledger(Protocol):
    """The counters of all replicas."""

    @property
    def connected(self) -> bool:
        """Whether they can be reached."""
        ...

    async def add(self, name: str, amount: int) -> int:
        """Add to a counter and return what it is then; NoAnswerError where it cannot be reached."""
        ...

    async def find(self, name: str) -> int:
        """Return a counter, 0 where it was never added to; NoAnswerError where it cannot be reached."""
        ...


class BusLedger:
    """The counters of the LIMITS stream."""

    def __init__(self, bus: Bus) -> None:
        self._bus = bus

    @property
    def connected(self) -> bool:
        """Whether the bus is there."""
        return self._bus.connected

    async def add(self, name: str, amount: int) -> int:
        """Add to the counter of a subject."""
        return await counter.add(self._bus, subjects.LIMIT + name, amount, _TIMEOUT)

    async def find(self, name: str) -> int:
        """Read the counter of a subject."""
        body = await self._bus.api(f"DIRECT.GET.{streams.LIMITS}.{subjects.LIMIT}{name}", timeout=_TIMEOUT)
        return int(json.loads(body)["val"]) if body else 0


class Counters:
    """The shares of this process by limit and name: at most `max_names` a rule, more share one."""

    def __init__(
        self,
        ledger: Ledger | None = None,
        max_names: int = 50_000,
        now: Callable[[], float] = lambda: clock.now_ns() / 1e9,
    ) -> None:
        self._ledger, self._max_names, self._now = ledger, max_names, now
        self._shares: dict[str, dict[str, Share]] = {}
        self._holding: set[Share] = set()
        self._returns: dict[str, int] = defaultdict(int)
        self._retry_at = 0.0
        self._refills: dict[Share, asyncio.Task[None]] = {}
        self.alone = ledger is None

    def share(self, limit: Limit, name: str) -> Share:
        """Return the share of a name under a limit."""
        shares = self._shares.setdefault(limit.rule, {})
        found = shares.get(name)
        if found is not None:
            return found
        if len(shares) >= self._max_names:
            name = OVERFLOW
        return shares.setdefault(name, Share(limit, name))

    def roll(self, shares: Sequence[Share], now: float) -> None:
        """Begin new windows where it is time; what was not spent of the old ones is given back."""
        for share in shares:
            index = share.index
            left = share.roll(now)
            if left:
                self._returns[_counter(share, index)] += left

    def is_empty(self, shares: Sequence[Share], now: float) -> bool:
        """Whether more has to be reserved, and can be, before a request is decided on."""
        if self.alone or self._ledger is None:
            return False
        for share in shares:  # noqa: SIM110 - each request comes here: a generator costs more than what it looks at
            if share.is_empty(now):
                return True
        return False

    def spend_reserved(self, shares: Sequence[Share], now: float) -> bool:
        """Count one request where each share has something reserved in its window; else return False."""
        if self.alone:
            return False
        for share in shares:
            if share.tokens <= 0 or share.index != now // share.limit.window:
                return False
        self.spend(shares, now)
        return True

    def spend(self, shares: Sequence[Share], now: float) -> None:
        """Count one request, and reserve more in the background where little is left."""
        for share in shares:
            share.spend(now)
            if self._ledger is not None and share.is_low() and self._may_reserve(now):
                self._begin_refill(share)

    async def fill(self, shares: Sequence[Share]) -> None:
        """Return when each share has something, or is denied, or the counters cannot be reached."""
        for share in shares:
            share.waiting += 1
        try:
            while True:
                now = self._now()
                self.roll(shares, now)
                empty = [share for share in shares if share.is_empty(now)]
                if not empty or self.alone:
                    return
                await asyncio.gather(*(asyncio.shield(self._begin_refill(share)) for share in empty))
        finally:
            for share in shares:
                share.waiting -= 1

    async def run(self) -> None:
        """Give back what is idle, and forget names that are not used any more, for ever."""
        sweeps = 0
        while True:
            await clock.sleep(_SWEEP_SECONDS)
            now, sweeps = self._now(), sweeps + 1
            for share in [one for one in self._holding if one.tokens <= 0 or now - one.used > IDLE_SECONDS]:
                self._holding.discard(share)
                if share not in self._refills:
                    self._return(share)
            if sweeps % _PRUNE_SWEEPS == 0:
                self._prune(now)
            await self._give_back()

    async def close(self) -> None:
        """Give back all that is reserved, once no request comes any more; `run` has ended."""
        await asyncio.gather(*self._refills.values(), return_exceptions=True)
        for share in self._holding:
            self._return(share)
        self._holding.clear()
        await self._give_back()

    def _return(self, share: Share) -> None:
        if share.tokens > 0:
            self._returns[_counter(share, share.index)] += share.tokens
            share.total -= share.tokens
            share.tokens = 0

    def _may_reserve(self, now: float) -> bool:
        return not self.alone or now >= self._retry_at

    def _prune(self, now: float) -> None:
        for shares in self._shares.values():
            for name in [name for name, one in shares.items() if (one.index + 2) * one.limit.window <= now]:
                del shares[name]

    async def _give_back(self) -> None:
        ledger = self._ledger
        if ledger is None or self.alone or not self._returns:
            return
        returns, self._returns = self._returns, defaultdict(int)
        await asyncio.gather(*(ledger.add(name, -count) for name, count in returns.items()), return_exceptions=True)

    def _begin_refill(self, share: Share) -> asyncio.Task[None]:
        task = self._refills.get(share)
        if task is None:
            task = self._refills[share] = asyncio.get_running_loop().create_task(self._refill(share), name="limit")
        return task

    async def _refill(self, share: Share) -> None:
        ledger = self._ledger
        try:
            if ledger is None:
                return
            if not ledger.connected:
                raise NoAnswerError("the bus is away")
            await self._reserve(ledger, share)
        except (NoAnswerError, NatsError) as error:
            if not self.alone:
                _log.warning("limits.alone", error=str(error) or type(error).__name__)
            self.alone = True
            self._retry_at = self._now() + ALONE_SECONDS
        else:
            self.alone = False
        finally:
            del self._refills[share]

    async def _reserve(self, ledger: Ledger, share: Share) -> None:
        await asyncio.sleep(0)  # noqa: TID251 - requests of the same moment count as waiting too
        index, unshared, asked = share.index, share.unshared, share.chunk()
        name, before = _counter(share, index), share.previous
        if before is None:
            before, value = await asyncio.gather(
                ledger.find(_counter(share, index - 1)), ledger.add(name, asked + unshared)
            )
        else:
            value = await ledger.add(name, asked + unshared)
        if share.index != index:
            self._returns[name] += asked
            return
        share.unshared -= unshared
        surplus = share.grant(asked, value, before, self._now())
        self._holding.add(share)
        if surplus:
            await ledger.add(name, -surplus)


def _counter(share: Share, index: int) -> str:
    """Return the name of a share's counter in a window: addresses are hashed, they are no tokens of a subject."""
    limit = share.limit
    who = hashlib.blake2b(share.name.encode(), digest_size=10).hexdigest()
    return f"{limit.rule}.{who}.{limit.window}-{index}"
