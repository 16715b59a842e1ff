"""Indodax over HTTP on a clock that tests set: our own adapter's requests, the simulator's answers."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from decimal import Decimal
from typing import ClassVar

from consumers.execution.venues.indodax.client import Allowed, IndodaxClient
from consumers.execution.venues.indodax.public import IndodaxPublic
from consumers.execution.venues.indodax.venue import IndodaxVenue
from producers.simulator.private import Account
from runtime.credentials import Credential
from tests.consumers.execution.stage import Stage
from tests.consumers.execution.venues.world import KEY, SECRET, World, serving

MANY = 1_000_000  # requests a second: the clock stands still for most of them
D = Decimal


class IndodaxWorld(World):
    """Indodax with one account."""

    venues: ClassVar[tuple[str, ...]] = ("indodax",)
    symbol: ClassVar[str] = "BTC/IDR"
    listed: ClassVar[str] = "btcidr"
    traded: ClassVar[str] = "BTC/IDR"
    begin: ClassVar[dict[str, Decimal]] = {"IDR": D(10_000_000_000), "BTC": D(10)}
    low: ClassVar[Decimal] = D(1_000_000_000)
    place, cancel = "trade", "cancelByClientOrderId"  # type: ignore[assignment]  # there they are properties

    @property
    def account(self) -> Account:
        return self.side.exchange.accounts[KEY]

    past: int = 0  # ns that runs before this one have taken

    def reset(self) -> None:
        self.past += self.stage.now
        super().reset()
        self.side.exchange.on_book(self.traded, *self.book(), self.now_us)

    def venue(self) -> IndodaxVenue:
        """An account with the live book as it is."""
        venue = IndodaxVenue(self.client, self.client.public, self.stage.clock)
        venue.on_book(self.symbol, *self.book())
        return venue


@asynccontextmanager
async def opened_indodax() -> AsyncGenerator[IndodaxWorld]:
    """Serve Indodax on loopback."""
    served: list[World] = []
    async with serving(served) as server:
        url = str(server.make_url("/indodax"))

        def now() -> int:
            return served[0].stage.now

        def monotonic() -> float:
            world = served[0]
            assert isinstance(world, IndodaxWorld)
            return (world.past + now()) / 1e9

        public = IndodaxPublic(url, now)
        allowed = Allowed(MANY, MANY, MANY)
        client = IndodaxClient(Credential(KEY, SECRET), public, url, allowed=allowed, monotonic=monotonic)
        world = IndodaxWorld("indodax", client, Stage())
        served.append(world)
        world.reset()
        try:
            yield world
        finally:
            await client.close()
            await public.close()
