"""A market of a test: books, trades and tickers of one instrument, the same for the same seed."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from random import Random
from typing import Any

from contracts.market import BookSnapshot, Ticker, Trade
from runtime.backtests.engine import LATENCY_NS, Terms
from runtime.strategies.kinds import dca, grid, tpsl
from runtime.strategies.protocol import MarketEvent, Setup
from runtime.strategies.running import Definition
from runtime.trading.figures import Fees

SECOND = 1_000_000_000
START = 1_795_291_200 * SECOND
SYMBOL = "BTC/USDT"
TAIL = "binance.BTC.USDT.spot"
ACCOUNT = "00000000000000aa"
OWNER = "owner"
STRATEGY = "00000000000000bb"
D = Decimal
KINDS = {"grid": grid.KIND, "dca": dca.KIND, "tpsl": tpsl.KIND}
GRID = {"lower": "95", "upper": "105", "levels": 11, "spacing": "arithmetic", "amount": "0.5"}
DCA = {
    "amount": "0.5",
    "safety_orders": {"count": 3, "step_percent": "0.5", "volume_scale": "1.5"},
    "take_profit_percent": "1",
}


def stamped(what: str, number: int, now_ns: int) -> dict[str, Any]:
    return {
        "id": f"{TAIL}.{what}.{number}",
        "venue": "binance",
        "symbol": SYMBOL,
        "venue_symbol": "BTCUSDT",
        "ts_event": now_ns,
        "ts_recv": now_ns,
        "sim": True,
    }


def market(seed: int, seconds: int, every: int = SECOND // 2) -> Iterator[tuple[MarketEvent, int]]:
    """Yield events with their times: in turn a book, a trade at its best price and a ticker; prices walk in steps."""
    random = Random(seed)
    middle = 1000
    for number, now_ns in enumerate(range(START, START + seconds * SECOND, every)):
        middle = min(1060, max(940, middle + random.choice((-2, -1, 0, 1, 2))))
        bids = [(D(middle - n) / 10, D(random.randint(1, 30)) / 10) for n in range(1, 6)]
        asks = [(D(middle + n) / 10, D(random.randint(1, 30)) / 10) for n in range(1, 6)]
        match number % 3:
            case 0:
                levels: dict[str, Any] = {"bids": bids, "asks": asks, "seq": None, "quality": "sim", "unit": "base"}
                yield BookSnapshot(**stamped("book", number, now_ns), **levels), now_ns
            case 1:
                side = random.choice(("buy", "sell"))
                price = asks[0][0] if side == "buy" else bids[0][0]
                print_: dict[str, Any] = {"trade_id": str(number), "price": price, "side": side}
                amount = D(random.randint(1, 80)) / 10
                yield Trade(**stamped("trade", number, now_ns), **print_, amount=amount), now_ns
            case _:
                best: dict[str, Any] = {
                    "bid": bids[0][0],
                    "bid_amount": bids[0][1],
                    "ask": asks[0][0],
                    "ask_amount": asks[0][1],
                }
                yield Ticker(**stamped("ticker", number, now_ns), **best, last=bids[0][0]), now_ns


def definition(kind: str = "grid", params: dict[str, Any] | None = None) -> Definition:
    found = KINDS[kind]
    given = params or {"grid": GRID, "dca": DCA}[kind]
    setup = Setup(STRATEGY, SYMBOL, found.params.model_validate(given, strict=False), START)
    return Definition(found, setup)


def terms(defined: Definition, seconds: int, **fields: Any) -> Terms:
    values: dict[str, Any] = {
        "account": ACCOUNT,
        "exchange": "binance",
        "owner": OWNER,
        "balance": {"USDT": D(10_000)},
        "fees": Fees(D("0.001"), D("0.002")),
        "begin_ns": START,
        "end_ns": START + seconds * SECOND,
        "latency_ns": LATENCY_NS,
    }
    return Terms(definition=defined, **(values | fields))
