"""A strategy on a live paper account: the executor, the paper venue and the documents of the product, time as given."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from decimal import Decimal

from consumers.execution.documents.journal import DocumentJournal
from consumers.execution.executor import Executor
from consumers.execution.paper.store import PaperStore
from consumers.execution.paper.venue import PaperVenue
from consumers.execution.ports import Ports
from contracts.errors import HydrophoneError
from contracts.market import BookSnapshot, Ticker, Trade
from contracts.services.trading.events import OrderFilled
from contracts.services.trading.strategy_events import WantedOrder
from runtime.backtests.engine import Terms
from runtime.store import Store
from runtime.strategies.protocol import Clock, Event, MarketEvent
from runtime.strategies.running import Decided, begin, on_sent, step
from runtime.trading.figures import Print
from runtime.trading.order import SECOND, Order
from runtime.trading.order_events import changed, fills_of, order_id_of
from runtime.trading.rules import Figures, fit


class LivePaper:
    """Runs one strategy; `decided` are its decisions, `fills` what was published of executions."""

    def __init__(self, terms: Terms, store: Store) -> None:
        self.decided: list[tuple[Decided, str]] = []
        self.fills: list[OrderFilled] = []
        self.now_ns = terms.begin_ns
        self._terms, self._symbol = terms, terms.definition.setup.symbol
        self._running = begin(terms.definition)
        self._due: deque[tuple[int, WantedOrder]] = deque()
        self._clock_ns = terms.begin_ns
        self._events: deque[Event] = deque()
        self._published: set[str] = set()
        self.venue = PaperVenue(
            PaperStore(store, terms.account, terms.fees, lambda: 1), terms.balance, lambda: self.now_ns, latency=0
        )
        self.journal = DocumentJournal(store, terms.account, lambda: 1)
        self._executor = Executor(Ports(self.venue, self.journal, self, self, lambda: self.now_ns))

    # what an executor needs of gate and publisher
    async def check(self, order: Order) -> None: ...

    def holds(self) -> bool:
        return True

    async def publish(self, order: Order) -> None:
        for fill in fills_of(order):
            if fill.id not in self._published:  # as the stream knows them
                self._published.add(fill.id)
                self.fills.append(fill)
                self._events.append(fill)
        self._events.append(changed(order))

    async def run(self, events: Iterable[tuple[MarketEvent, int]]) -> None:
        await self.venue.open()
        for event, now_ns in events:
            await self._pass_to(now_ns)
            self.now_ns = now_ns
            match event:
                case BookSnapshot():
                    self.venue.on_book(self._symbol, event.bids, event.asks)
                case Trade() if event.amount is not None:
                    self.venue.on_trade(self._symbol, Print(event.price, event.amount, event.side))
                case _:
                    pass
            if isinstance(event, Ticker):
                self._step(event)
            await self._follow()
        await self._pass_to(self._terms.end_ns)

    async def _pass_to(self, now_ns: int) -> None:
        while True:
            due = self._due[0][0] if self._due else None
            if due is not None and due <= min(now_ns, self._clock_ns):
                self.now_ns = due
                await self._send(self._due.popleft()[1])
            elif self._clock_ns <= now_ns:
                self.now_ns = self._clock_ns
                self._step(Clock(id=f"clock.{self._clock_ns}", ts=self._clock_ns))
                await self._follow()
                self._clock_ns += SECOND
            else:
                return

    async def _send(self, wanted: WantedOrder) -> None:
        account = self._terms.account
        if wanted.what == "cancel":
            await self._executor.cancel(order_id_of(account, wanted.client_id))
        else:
            await self._executor.submit(await self._order(wanted))
        await self._follow()

    async def _order(self, wanted: WantedOrder) -> Order:
        assert wanted.side is not None
        assert wanted.amount is not None
        assert wanted.type is not None
        price = self.venue.price(self._symbol)
        if price is None:
            raise HydrophoneError("no book")
        rules = await self.venue.rules(self._symbol)
        figures = fit(Figures(wanted.side, wanted.amount, wanted.price), rules, price)
        return Order(
            id=order_id_of(self._terms.account, wanted.client_id),
            client_id=wanted.client_id,
            account=self._terms.account,
            owner=self._terms.owner,
            venue="paper",
            symbol=self._symbol,
            side=wanted.side,
            type=wanted.type,
            amount=figures.amount,
            price=figures.price,
            post_only=wanted.post_only,
            reduce_only=wanted.reduce_only,
            strategy=self._terms.definition.setup.id,
            created_ns=self.now_ns,
        )

    async def _follow(self) -> None:
        while reports := await self.venue.flush():
            for report in reports:
                await self._executor.take(report)
            self._hear()
        self._hear()

    def _hear(self) -> None:
        while self._events:
            self._step(self._events.popleft())

    def _step(self, event: Event) -> None:
        stepped = step(self._terms.definition, self._running, event, self.now_ns)
        self._running = stepped.running
        if stepped.decided is not None:
            self.decided.append((stepped.decided, self._running.digest))
        for wanted in self._running.due:
            self._running = on_sent(self._running, wanted)
            free_ns = max(self.now_ns, self._due[-1][0]) if self._due else self.now_ns
            self._due.append((free_ns + self._terms.latency_ns, wanted))

    async def balances(self) -> dict[str, Decimal]:
        return {name: free + held for name, free, held in await self.venue.balances()}
