"""Whether an owner's orders may be sent: not while trading is stopped, nor after errors in a row."""

from __future__ import annotations

from consumers.execution.documents.switches import Switches
from consumers.execution.ports import NotAllowedError
from consumers.execution.publishing import BusPublisher
from consumers.execution.safety.breaker import Breaker
from consumers.execution.safety.store import TripStore
from runtime.store import Store
from runtime.trading.order import Order


class Permits:
    """The switches of owners and what has tripped, read from documents before each order."""

    def __init__(self, store: Store) -> None:
        self.switches, self.breaker = Switches(store), Breaker(TripStore(store))

    async def check(self, order: Order) -> None:
        """Return where the order may be sent; raises NotAllowedError, or StoreError where that cannot be read."""
        if await self.switches.is_halted(order.owner):
            raise NotAllowedError("trading is stopped: resume it first", "TRADING_STOPPED")
        await self.breaker.check(order)

    async def resume(self, owner: str, now_ns: int) -> None:
        """Let an owner's orders go on, whatever stopped them; StoreError where that cannot be written."""
        await self.breaker.clear(owner)
        await self.switches.resume(owner, now_ns)

    async def flush(self, publisher: BusPublisher) -> None:
        """Write and publish what could not be before; StoreError or nats.errors.Error where it still cannot."""
        await self.switches.flush()
        await self.breaker.flush(publisher)
