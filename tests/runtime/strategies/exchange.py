"""A strategy on a paper account in memory, with every event in order and a clock that the test moves."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from contracts.market import FeedStatus, Ticker
from contracts.services.trading.events import OrderChanged, OrderFilled
from contracts.services.trading.strategy_events import StrategyRefused, WantedOrder
from runtime.strategies import running as steps
from runtime.strategies.loading import Kinds
from runtime.strategies.protocol import Clock, Event, Setup
from runtime.strategies.running import Decided, Definition, Running
from runtime.trading.figures import Fees, OrderRefusedError
from runtime.trading.order import Order
from runtime.trading.paper.account import PaperAccount, PaperOrder

D = Decimal
SECOND = 1_000_000_000
START = 1_767_225_600 * SECOND
ID = "5d41402abc4b2a76"
BTC = "BTC/USDT"
KINDS = Kinds()


def definition(kind: str, params: dict[str, Any], *, accept_fallback: bool = False) -> Definition:
    found = KINDS.find(kind)
    return Definition(found, Setup(ID, BTC, found.params.model_validate(params), START), accept_fallback)


def ticker(bid: Decimal, ask: Decimal, number: int, now: int) -> Ticker:
    return Ticker(
        id=f"binance.BTC.USDT.spot.ticker.{number}",
        venue="binance",
        symbol=BTC,
        venue_symbol="BTCUSDT",
        ts_event=now,
        ts_recv=now,
        sim=True,
        bid=bid,
        ask=ask,
        last=bid,
    )


def feed(state: str, *, channel: str | None = None, symbol: str | None = None, now: int = START) -> FeedStatus:
    values: dict[str, Any] = {"state": state, "channel": channel, "symbol": symbol, "reason": "test"}
    values |= {"id": f"binance.feed.{now}", "venue": "binance", "venue_symbol": None, "ts_event": None}
    return FeedStatus(**values, ts_recv=now, sim=True)


@dataclass
class Exchange:
    """One strategy and its venue. `again`: each event comes twice, and each order is sent twice."""

    definition: Definition
    balances: dict[str, Decimal] = field(default_factory=lambda: {"USDT": D(1_000_000), "BTC": D(100)})
    fees: Fees = field(default_factory=lambda: Fees(maker=D("0.001"), taker=D("0.001")))
    again: bool = False
    now: int = START

    def __post_init__(self) -> None:
        self.running: Running = steps.begin(self.definition)
        self.account = PaperAccount(dict(self.balances), self.fees)
        self.numbers: dict[str, int] = {}
        self.published: dict[str, int] = {}
        self.sent: dict[str, WantedOrder] = {}
        self.refuse: str | None = None
        self.events: list[tuple[Event, int]] = []
        self.decided: list[Decided] = []
        self.fills: list[OrderFilled] = []
        self._queue: deque[Event] = deque()
        self._tickers = 0

    # ---- what the market does
    def show(self, bid: str | Decimal, ask: str | Decimal | None = None, size: str = "1000") -> None:
        """Show a book and a ticker of it, and let everything happen that follows from them."""
        bid, ask = D(bid), D(bid if ask is None else ask)
        for order in self.account.on_book(BTC, ([(bid, D(size))], [(ask, D(size))]), self.now):
            self._publish(order)
        self._tickers += 1
        self._queue.append(ticker(bid, ask, self._tickers, self.now))
        self.settle()

    def wait(self, seconds: float) -> None:
        """Let time pass, with the clock's word of it at the end."""
        self.now += int(seconds * SECOND)
        self._queue.append(Clock(id=f"clock.{self.now}", ts=self.now))
        self.settle()

    def later(self, seconds: float) -> None:
        """Let time pass in which the price stays as it is."""
        bid, ask = self.running.state.prices.bid, self.running.state.prices.ask
        assert bid is not None
        self.now += int(seconds * SECOND)
        self.show(bid, ask)

    def cancel(self, client_id: str) -> None:
        """Cancel an order as somebody else."""
        order = self.account.cancel(client_id)
        assert order is not None
        self._publish(order)
        self.settle()

    # ---- what the owner and the process do
    def restart(self) -> None:
        """Go on from what was saved, in a new process."""
        self.running = steps.load(self.definition.kind, *steps.dump(self.running))
        self.settle()

    def pause(self) -> None:
        self.running = steps.pause(self.running, "the owner wanted it", "owner")
        self.settle()

    def resume(self) -> None:
        self.running = steps.resume(self.definition, self.running, self.now)
        self.settle()

    def stop(self) -> None:
        self.running = steps.stop(self.running, None, "owner")
        self.settle()

    def feed(self, status: FeedStatus) -> None:
        self.running = steps.on_feed(self.definition, self.running, status, self.now)
        self.settle()

    def settle(self) -> None:
        """Hand over every event, send what is due, until nothing is left."""
        self._send_due()
        while self._queue:
            event = self._queue.popleft()
            for _ in range(2 if self.again else 1):
                self._step(event)
            self._send_due()

    def _step(self, event: Event) -> None:
        self.events.append((event, self.now))
        stepped = steps.step(self.definition, self.running, event, self.now)
        self.running = stepped.running
        if stepped.decided is not None:
            self.decided.append(stepped.decided)

    def _send_due(self) -> None:
        for wanted in self.running.due:
            for _ in range(2 if self.again else 1):
                self._send(wanted)
            self.running = steps.on_sent(self.running, wanted)

    def _send(self, wanted: WantedOrder) -> None:
        if wanted.what == "cancel":
            order = self.account.cancel(wanted.client_id)
            if order is not None:
                self._publish(order)
            return
        if wanted.client_id in self.sent:
            assert self.sent[wanted.client_id] == wanted
            return
        self.sent[wanted.client_id] = wanted
        try:
            if self.refuse is not None:
                raise OrderRefusedError(self.refuse)
            self._publish(self.account.place(self._order(wanted), self.now))
        except OrderRefusedError as error:
            self._queue.append(refusal(wanted.client_id, str(error), self.now))

    def _order(self, wanted: WantedOrder) -> Order:
        assert wanted.side is not None
        assert wanted.type is not None
        assert wanted.amount is not None
        return Order(
            id=f"order.{wanted.client_id}",
            client_id=wanted.client_id,
            account="9f86d081884c7d65",
            owner="alice",
            venue="paper",
            symbol=BTC,
            side=wanted.side,
            type=wanted.type,
            amount=wanted.amount,
            price=wanted.price,
            post_only=wanted.post_only,
            reduce_only=wanted.reduce_only,
            created_ns=self.now,
        )

    def _publish(self, order: PaperOrder) -> None:
        """Queue an order's events as the bus would have them: its executions, then itself."""
        about: dict[str, Any] = {"ts": self.now, "account": "9f86d081884c7d65", "owner": "alice", "venue": "paper"}
        about |= {"symbol": order.symbol, "order_id": f"order.{order.client_id}", "client_id": order.client_id}
        about |= {"strategy": ID, "side": order.side}
        for fill in order.fills[self.published.get(order.client_id, 0) :]:
            event = OrderFilled(
                **about,
                id=f"{order.client_id}.fill.{fill.id}",
                fill_id=fill.id,
                amount=fill.amount,
                price=fill.price,
                fee=fill.fee,
                fee_currency=fill.fee_currency,
                ts_event=fill.ts,
            )
            self.fills.append(event)
            self._queue.append(event)
        self.published[order.client_id] = len(order.fills)
        number = self.numbers[order.client_id] = self.numbers.get(order.client_id, 0) + 1
        value = sum((fill.amount * fill.price for fill in order.fills), D(0))
        self._queue.append(
            OrderChanged(
                **about,
                id=f"{order.client_id}.{number}",
                number=number,
                type=order.type,
                status=order.status,
                amount=order.amount,
                filled=order.filled,
                price=order.price,
                average_price=value / order.filled if order.filled else None,
                reason=order.reason,
            )
        )

    # ---- what a test looks at
    @property
    def status(self) -> str:
        return self.running.control.status

    @property
    def open(self) -> list[PaperOrder]:
        return list(self.account.orders.values())

    def prices(self, side: str) -> list[Decimal]:
        """The prices of what is open on a side, the lowest first."""
        return sorted(order.price for order in self.open if order.side == side and order.price is not None)

    @property
    def held(self) -> Decimal:
        return self.account.balances["BTC"] - self.balances["BTC"]

    @property
    def made(self) -> Decimal:
        """What the account has gained in the quote, what it holds more valued at the newest price."""
        price = self.running.state.prices.last_known
        assert price is not None
        return self.account.balances["USDT"] - self.balances["USDT"] + self.held * price

    def replayed(self) -> list[Decided]:
        """What the same events decide when they come in one life without a restart."""
        running, decided = steps.begin(self.definition), list[Decided]()
        for event, now in self.events:
            stepped = steps.step(self.definition, running, event, now)
            running = stepped.running
            for wanted in running.due:
                running = steps.on_sent(running, wanted)
            if stepped.decided is not None:
                decided.append(stepped.decided)
        return decided


def refusal(client_id: str, reason: str, now: int) -> StrategyRefused:
    return StrategyRefused(
        id=f"{ID}.refused.{client_id}",
        ts=now,
        strategy=ID,
        owner="alice",
        account="paper",
        symbol=BTC,
        client_id=client_id,
        code="INVALID_PARAMETER",
        reason=reason,
    )
