"""A strategy over recorded events: the code that runs live, its orders filled on paper, the time given. Pure.

The paper account sees a recorded event first, then the strategy decides, and then receives what the event has filled.
An order reaches the venue `latency_ns` after it is wanted, or after the one before it: what comes before that cannot
fill it.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from contracts.arithmetic.exact import EXACT, rounded
from contracts.errors import NoDataError
from contracts.market import BookSnapshot, Candle, FeedStatus, Ticker, Trade
from contracts.services.trading.events import OrderFilled
from contracts.services.trading.strategy_events import WantedOrder
from runtime.backtests.execution import FRESH_NS, PaperExecution, Whose
from runtime.backtests.figures import Coverage, Worth
from runtime.strategies.protocol import Clock, Event, MarketEvent
from runtime.strategies.running import Decided, Definition, Running, begin, on_feed, on_sent, pause, step
from runtime.trading.figures import Fees, Levels, Print
from runtime.trading.ledger import Booked, Execution, Ledger, by_symbol
from runtime.trading.order import SECOND
from runtime.trading.paper.account import PaperAccount

LATENCY_NS: Final = SECOND // 10
MOST_POINTS: Final = 1000
MOST_FAILURES: Final = 10  # to send, in a row, before a strategy is paused
AGAIN_NS: Final = SECOND
_LIVE: Final = frozenset({"live", "sim"})
_ZERO: Final = Decimal(0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """What is run: `begin_ns` to `end_ns`, ns UTC; `balance` is what the account begins with."""

    definition: Definition
    account: str
    exchange: str
    owner: str
    balance: Mapping[str, Decimal]
    fees: Fees
    begin_ns: int
    end_ns: int
    latency_ns: int = LATENCY_NS


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What a run came to; money in `currency`, the symbol's quote."""

    currency: str
    coverage: Decimal
    events: int
    decisions: int
    booked: tuple[Booked, ...]
    fees: Mapping[str, Decimal]
    profit: Decimal
    max_drawdown: Decimal
    exposure: Decimal
    curve: tuple[tuple[int, Decimal], ...]
    status: str
    reason: str | None


class Backtest:
    """One run; `on_decision` is handed what the strategy decides, with the digest of its state after it."""

    def __init__(self, terms: Terms, on_decision: Callable[[Decided, str], None]) -> None:
        setup = terms.definition.setup
        self._terms, self._on_decision = terms, on_decision
        self._base, self._quote = setup.symbol.split("/")
        self._account = PaperAccount(dict(terms.balance), terms.fees)
        self._execution = PaperExecution(
            Whose(
                account=terms.account,
                exchange=terms.exchange,
                owner=terms.owner,
                strategy=setup.id,
                symbol=setup.symbol,
            ),
            self._account,
        )
        self._running: Running = begin(terms.definition)
        self._due: deque[tuple[int, WantedOrder]] = deque()
        self._next_clock = -(-terms.begin_ns // SECOND) * SECOND
        self._coverage = Coverage(terms.begin_ns, terms.end_ns)
        self._worth = Worth(terms.begin_ns, terms.end_ns, MOST_POINTS)
        self._price: Decimal | None = None
        self._executions: list[Execution] = []
        self._events = self._failures = 0
        self._book_ns: int | None = None
        self._worth.on_held(self._account.balances.get(self._base, _ZERO), terms.begin_ns)

    @property
    def running(self) -> Running:
        """The strategy as it is now."""
        return self._running

    def take(self, event: MarketEvent, now_ns: int) -> None:
        """Take a recorded event of the strategy's instrument at its time, which never goes back.

        A trade that was filled in is passed over: no strategy or account that ran then received it in time.
        """
        self._pass_to(now_ns)
        if isinstance(event, Trade) and event.backfilled:
            return
        self._events += 1
        self._coverage.on_event(now_ns)
        self._show(event, now_ns)
        if _reads(event) in self._terms.definition.kind.reads:
            self._step(event, now_ns)
        self._follow(now_ns)
        self._value(now_ns)

    def take_feed(self, status: FeedStatus, now_ns: int) -> None:
        """Take what the exchange's feed said of itself."""
        self._pass_to(now_ns)
        self._running = on_feed(self._terms.definition, self._running, status, now_ns)
        self._send(now_ns)
        self._follow(now_ns)

    def end(self) -> Outcome:
        """Return what it came to, at the end of the span."""
        self._pass_to(self._terms.end_ns)
        ledger = Ledger("fifo", by_symbol)
        control = self._running.control
        fees: dict[str, Decimal] = {}
        for one in self._executions:
            fees[one.fee_currency] = EXACT.add(fees.get(one.fee_currency, _ZERO), one.fee)
        return Outcome(
            currency=self._quote,
            coverage=self._coverage.percent(),
            events=self._events,
            decisions=control.number,
            booked=tuple(ledger.book(self._executions)),
            fees=fees,
            profit=self._worth.profit,
            max_drawdown=self._worth.max_drawdown,
            exposure=self._worth.exposure,
            curve=tuple(self._worth.curve),
            status=control.status,
            reason=control.reason,
        )

    def _pass_to(self, now_ns: int) -> None:
        """Do what is due until then: orders that reach the venue, and the clock once a second."""
        while True:
            due = self._due[0][0] if self._due else None
            if due is not None and due <= min(now_ns, self._next_clock):
                self._arrive(due, self._due.popleft()[1])
            elif self._next_clock <= now_ns:
                self._tick(self._next_clock)
                self._next_clock += SECOND
            else:
                return

    def _tick(self, now_ns: int) -> None:
        self._step(Clock(id=f"clock.{now_ns}", ts=now_ns), now_ns)
        self._follow(now_ns)

    def _arrive(self, now_ns: int, wanted: WantedOrder) -> None:
        try:
            if wanted.what == "place":
                self._execution.place(wanted, now_ns)
            else:
                self._execution.cancel(wanted.client_id, now_ns)
        except NoDataError as error:
            self._on_failed(wanted, error, now_ns)
        else:
            self._failures = 0
        self._follow(now_ns)

    def _on_failed(self, wanted: WantedOrder, error: NoDataError, now_ns: int) -> None:
        """Try it again later, before all that was wanted after it; a strategy whose orders always fail is paused."""
        self._failures += 1
        if self._failures == MOST_FAILURES:
            self._running = pause(self._running, f"its orders cannot be sent: {error.message}", "itself")
        self._due.appendleft((now_ns + AGAIN_NS, wanted))

    def _show(self, event: MarketEvent, now_ns: int) -> None:
        """Let the paper account see an event."""
        match event:
            case BookSnapshot():
                if event.quality in _LIVE and event.unit == "base":
                    self._show_book(event.bids, event.asks, now_ns)
                    self._book_ns = now_ns
            case Trade():
                self._price = event.price
                if event.amount is not None:
                    self._execution.on_trade(Print(event.price, event.amount, event.side), now_ns)
            case Ticker():
                self._price = event.last or self._price
                if self._book_ns is None or now_ns - self._book_ns > FRESH_NS:
                    self._show_best(event, now_ns)
            case Candle():
                self._price = event.close

    def _show_best(self, ticker: Ticker, now_ns: int) -> None:
        """Take a ticker for a book of one level, where no book comes."""
        bids = [] if ticker.bid is None or ticker.bid_amount is None else [(ticker.bid, ticker.bid_amount)]
        asks = [] if ticker.ask is None or ticker.ask_amount is None else [(ticker.ask, ticker.ask_amount)]
        if bids or asks:
            self._show_book(bids, asks, now_ns)

    def _show_book(self, bids: Levels, asks: Levels, now_ns: int) -> None:
        self._execution.on_book(bids, asks, now_ns)
        self._price = self._execution.price(now_ns) or self._price

    def _follow(self, now_ns: int) -> None:
        """Hand the strategy what became of its orders, until nothing more comes of it."""
        while events := self._execution.flush(now_ns):
            for event in events:
                if isinstance(event, OrderFilled):
                    self._executions.append(execution_of(event))
                    self._worth.on_held(self._account.balances.get(self._base, _ZERO), now_ns)
                self._step(event, now_ns)

    def _step(self, event: Event, now_ns: int) -> None:
        stepped = step(self._terms.definition, self._running, event, now_ns)
        self._running = stepped.running
        if stepped.decided is not None:
            self._on_decision(stepped.decided, self._running.digest)
        self._send(now_ns)

    def _send(self, now_ns: int) -> None:
        """Send what is to be sent: it arrives after the latency, in the order in which it was wanted."""
        for wanted in self._running.due:
            self._running = on_sent(self._running, wanted)
            free_ns = max(now_ns, self._due[-1][0]) if self._due else now_ns
            self._due.append((free_ns + self._terms.latency_ns, wanted))

    def _value(self, now_ns: int) -> None:
        """Note what everything is worth, once a price is known."""
        if self._price is not None:
            balances = self._account.balances
            base, quote = balances.get(self._base, _ZERO), balances.get(self._quote, _ZERO)
            self._worth.on_value(rounded(EXACT.add(quote, EXACT.multiply(base, self._price))), now_ns)


def execution_of(fill: OrderFilled) -> Execution:
    """Return an execution as the ledger takes it."""
    return Execution(
        id=fill.id,
        ts=fill.ts_event,
        account=fill.account,
        venue=fill.venue,
        symbol=fill.symbol,
        side=fill.side,
        amount=fill.amount,
        price=fill.price,
        fee=fill.fee,
        fee_currency=fill.fee_currency,
        order_id=fill.order_id,
        fill_id=fill.fill_id,
        strategy=fill.strategy,
    )


def _reads(event: MarketEvent) -> str:
    return f"candle.{event.timeframe}" if isinstance(event, Candle) else event.kind
