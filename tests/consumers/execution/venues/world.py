"""Exchanges that CCXT speaks to over HTTP, on a clock that tests set: real requests, the simulator's own answers."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from decimal import Decimal
from functools import cache
from typing import Any, ClassVar, cast
from urllib.parse import parse_qsl

from aiohttp import web
from aiohttp.test_utils import BaseTestServer, TestServer

from consumers.execution.executor import Executor
from consumers.execution.ports import Ports
from consumers.execution.venues.ccxt_client import CcxtClient
from consumers.execution.venues.ccxt_venue import CcxtVenue
from consumers.execution.venues.making import ExchangeVenue
from producers.simulator.config import SimulatorConfig
from producers.simulator.hub import Request
from producers.simulator.market.market import Market, MarketConfig
from producers.simulator.private import Order as ThereOrder
from producers.simulator.private import PrivateFault, PrivateSide
from producers.simulator.private.faults import FaultKind
from producers.simulator.transport.bodies import read_fields
from producers.simulator.venue import Snapshots, Trading
from runtime.credentials import Credential
from tests.consumers.execution.stage import START, Stage, StageBus, StageGate, StageJournal, Stepper

D = Decimal
KEY, SECRET = "key-of-the-test", "secret-of-the-test"
VENUES = ("binance", "bybit")
BEGIN = {"USDT": D(100_000), "BTC": D(10)}
PLACE = {"binance": "POST order", "bybit": "POST /v5/order/create"}
CANCEL = {"binance": "DELETE order", "bybit": "POST /v5/order/cancel"}
SYMBOL, LISTED = "BTC/USDT", "BTCUSDT"
LOW = D(50_000)
_WARM_STEPS = 60


@cache
def market(venues: tuple[str, ...] = VENUES) -> Market:
    """A market that stands still."""
    begin = START // 1000
    made = Market(MarketConfig(7, venues, ("BTC", "ETH"), 1.0, (5.0, 10.0), (30.0, 60.0)), begin)
    for step in range(_WARM_STEPS):
        made.step(begin + (step + 1) * 100_000, 100_000)
    return made


@dataclass
class World:
    """One exchange with one account. `answered` are the requests by method and path; `hold` delays answers (s)."""

    name: str
    client: Any
    stage: Stage
    simulated: Any = None
    answered: list[str] = field(default_factory=list[str])
    before: Callable[[str], web.Response | None] = lambda _path: None
    venues: ClassVar[tuple[str, ...]] = VENUES
    symbol: ClassVar[str] = SYMBOL
    listed: ClassVar[str] = LISTED  # as the public side names it
    traded: ClassVar[str] = LISTED  # as the private side does
    begin: ClassVar[dict[str, Decimal]] = BEGIN
    low: ClassVar[Decimal] = LOW

    @property
    def place(self) -> str:
        """The method that places an order."""
        return PLACE[self.name]

    @property
    def cancel(self) -> str:
        """The method that cancels one."""
        return CANCEL[self.name]

    def reset(self) -> None:
        """Begin with a new exchange and a new account."""
        self.stage = Stage()
        config = SimulatorConfig(venues=self.venues, bases=("BTC", "ETH"))
        self.simulated = config.open_venue(self.name, market(self.venues).list_of(self.name), Snapshots())
        self.side.exchange.add_account(KEY, SECRET, {"view", "trade"}, self.begin)
        self.answered.clear()
        self.before = lambda _path: None

    @property
    def side(self) -> PrivateSide:
        assert isinstance(self.simulated, Trading)
        return self.simulated.private

    @property
    def now_us(self) -> int:
        return self.stage.now // 1000

    def venue(self) -> ExchangeVenue:
        return CcxtVenue(self.client, self.stage.clock)

    def fault(self, kind: FaultKind, method: str | None = None, seconds: float = 1.0, share: str = "0.5") -> None:
        """Have something go wrong with the next request of a method."""
        self.side.faults.order(PrivateFault(kind, method, seconds, D(share)), self.now_us)

    def orders(self) -> list[ThereOrder]:
        """What the exchange has, the oldest first."""
        return list(self.side.exchange.orders.values())

    def balances(self) -> dict[str, Decimal]:
        account = self.side.exchange.accounts[KEY]
        return {name: account.has(name) for name in self.begin}

    def best(self, side: str) -> tuple[Decimal, Decimal]:
        """The best price of a side and the amount there."""
        return self.book()[0 if side == "bid" else 1][0]

    def book(self) -> tuple[list[tuple[Decimal, Decimal]], list[tuple[Decimal, Decimal]]]:
        """What is shown, the best of each side first."""
        listing = market(self.venues).listings[self.name, "spot", self.listed]
        terms = listing.instrument
        bids, asks = (
            [(D(terms.price_text(price)), D(terms.amount_text(amount))) for price, amount in rows]
            for rows in (listing.book.list_bids(), listing.book.list_asks())
        )
        return bids, asks

    def offer(self, price: Decimal, amount: Decimal) -> None:
        """Have others sell at a price."""
        self.side.exchange.on_book(self.traded, [], [(price, amount)], self.now_us)

    async def answer(self, request: web.Request) -> web.StreamResponse:
        """Answer a request as the simulated exchange does."""
        body = (await request.read()).decode()
        path = request.rel_url.raw_path.removeprefix(f"/{self.name}")
        self.answered.append(f"{request.method} {path}")
        if (early := self.before(path)) is not None:
            return early
        text = request.rel_url.raw_query_string
        asked = Request(
            path=path,
            query={**dict(parse_qsl(text, keep_blank_values=True)), **read_fields(body.encode())},
            headers={name.lower(): value for name, value in request.headers.items()},
            method=request.method,
            body=body,
            query_text=text,
        )
        answer = self.simulated.answer(asked, self.now_us)
        if answer.lost:
            assert request.transport is not None
            request.transport.close()
            return web.Response()
        return web.Response(status=answer.status, text=answer.body, headers=dict(answer.headers))


class Stepped:
    """The stage's ports for a running loop: each call is done at once."""

    def __init__(self, port: Any) -> None:
        self._port = port

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._port, name)
        if name == "holds":
            return found

        async def call(*args: Any) -> Any:
            return Stepper().run(found(*args))

        return call


def executor(world: World, venue: ExchangeVenue) -> Executor:
    """An executor of a new process, which takes the account over."""
    stage = world.stage
    stage.holder += 1
    ports: list[Any] = [StageJournal(stage), StageGate(stage, stage.holder), StageBus(stage)]
    journal, gate, bus = (cast("Any", Stepped(port)) for port in ports)
    return Executor(Ports(venue, journal, gate, bus, stage.clock))


@asynccontextmanager
async def serving(served: list[World]) -> AsyncGenerator[BaseTestServer]:
    """Serve the exchange that `served` has by the first request, on loopback."""

    async def answer(request: web.Request) -> web.StreamResponse:
        return await served[0].answer(request)

    app = web.Application()
    app.router.add_route("*", "/{path:.*}", answer)
    async with TestServer(app) as server:
        yield server


@asynccontextmanager
async def opened(name: str) -> AsyncGenerator[World]:
    """Serve an exchange on loopback, with a client whose clock is the exchange's."""
    served: list[World] = []
    async with serving(served) as server:
        client = CcxtClient(name, Credential(KEY, SECRET), url=str(server.make_url(f"/{name}")))
        await client.start()
        world = World(name, client, Stage())
        served.append(world)
        client.exchange.enableRateLimit = False
        client.exchange.nonce = lambda: world.now_us // 1000
        world.reset()
        await client.read(lambda exchange: exchange.load_markets())
        try:
            yield world
        finally:
            await client.close()
