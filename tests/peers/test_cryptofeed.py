"""cryptofeed reads simulated venues too, where a Python 3.13 for it is there: part of `make peers` alone."""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from producers.simulator.config import SimulatorConfig
from producers.simulator.market.listing import Listing
from producers.simulator.venues.bybit.rows import trade_id
from producers.simulator.venues.krakenfutures.channels import uid
from tests.bench.peering import prepare
from tests.peers import judging
from tests.peers.cases import Case, Fills, by_level, each, named
from tests.peers.conftest import PROPERTY
from tests.peers.judging import Score
from tests.peers.run import BASES
from tests.peers.truth import WatchedSimulator
from tests.peers.watching import Seen, SeenBook

PROGRAM = Path(__file__).parent / "with_cryptofeed.py"
WORK = Path(__file__).resolve().parents[2] / ".bench"
SECONDS = 8
pytestmark = [
    pytest.mark.skipif(os.environ.get("PEERS") != "all", reason="cryptofeed is a part of `make peers`"),
    pytest.mark.xdist_group("cryptofeed"),
    pytest.mark.timeout(400),
]


@dataclass(frozen=True, kw_only=True)
class FeedCase:
    """One of cryptofeed's feeds: its module and class, its symbols with our market and the venue's name.

    Without `ticker_has_time` a ticker's time is that of its receipt, and it is compared with all moments.
    """

    module: str
    kind: str
    venue: str
    symbols: dict[str, tuple[str, str]]
    book: str = "nonce"
    depth: int = 20
    rate: float = 8.0
    ws_path: str = ""
    prints: Callable[[Fills], list[Fills]] = each
    trade_id: Callable[[Listing, Fills], str] = lambda _listing, fills: str(fills[0].id)
    has_ticker: bool = True
    ticker_has_time: bool = True
    note: str = ""


def _agg_id(_listing: Listing, fills: Fills) -> str:
    return str(fills[0].agg_id)


FEEDS = (
    FeedCase(
        module="binance",
        kind="Binance",
        venue="binance",
        symbols={"BTC-USDT": ("spot", "BTCUSDT")},
        prints=by_level,
        trade_id=_agg_id,
        ticker_has_time=False,
    ),
    FeedCase(
        module="binance_futures",
        kind="BinanceFutures",
        venue="binanceusdm",
        symbols={"BTC-USDT-PERP": ("linear", "BTCUSDT")},
        prints=by_level,
        trade_id=_agg_id,
    ),
    FeedCase(
        module="okx",
        kind="OKX",
        venue="okx",
        symbols={"BTC-USDT": ("spot", "BTC-USDT"), "BTC-USDT-PERP": ("linear", "BTC-USDT-SWAP")},
        prints=by_level,
        trade_id=lambda _listing, fills: str(fills[-1].id),
    ),
    FeedCase(
        module="bybit",
        kind="Bybit",
        venue="bybit",
        symbols={"BTC-USDT": ("spot", "BTCUSDT"), "BTC-USDT-PERP": ("linear", "BTCUSDT")},
        book="time",
        trade_id=lambda listing, fills: trade_id(listing, fills[0].id),
        has_ticker=False,
    ),
    FeedCase(
        module="coinbase",
        kind="Coinbase",
        venue="coinbase",
        symbols={"BTC-USD": ("spot", "BTC-USD")},
        book="time",
        ws_path="/advanced-trade-ws",
    ),
    FeedCase(
        module="kraken", kind="Kraken", venue="kraken", symbols={"BTC-USD": ("spot", "BTC/USD")}, book="time", depth=10
    ),
    FeedCase(
        module="kraken_futures",
        kind="KrakenFutures",
        venue="krakenfutures",
        symbols={"BTC-USD-PERP": ("linear", "PF_XBTUSD")},
        trade_id=lambda _listing, fills: uid(fills[0]),
    ),
    FeedCase(module="gate", kind="Gate", venue="gate", symbols={"BTC-USDT": ("spot", "BTC_USDT")}, book="time"),
    FeedCase(
        module="deribit",
        kind="Deribit",
        venue="deribit",
        symbols={"BTC-USD-PERP": ("linear", "BTC-PERPETUAL")},
        rate=16.0,
    ),
)


@pytest.mark.parametrize("feed", FEEDS, ids=lambda feed: feed.module)
async def test_cryptofeed_gives_what_the_simulated_exchange_did(
    feed: FeedCase, record_property: Callable[[str, Any], None]
) -> None:
    WORK.mkdir(exist_ok=True)
    peers = await prepare(WORK)
    if "cryptofeed" not in peers.names or peers.python is None:
        pytest.skip(peers.note)
    config = SimulatorConfig(seed=7, venues=(feed.venue,), rate=feed.rate, bases=BASES)
    async with WatchedSimulator(config) as simulator:
        given = await _run(peers.python, feed, simulator)
    scores = {kind: Score() for kind in ("trades", "book", "ticker")}
    for symbol, (market, native) in feed.symbols.items():
        truth = simulator.truths[feed.venue, market, native]
        seen, case = _read(feed, given, symbol), _as_case(feed)
        judging.judge_trades(case, truth, seen, scores["trades"])
        judging.judge_books(case, truth, seen, scores["book"])
        if feed.has_ticker:
            judging.judge_tickers(case, truth, seen, scores["ticker"])
    cells = {kind: f"{score.agreed}/{score.compared}" for kind, score in scores.items() if score.compared}
    record_property(PROPERTY, ("cryptofeed", feed.module, cells, feed.note))
    wrong = [f"{kind}: {text}" for kind, score in scores.items() for text in score.wrong]
    assert not wrong, "\n".join(wrong)
    assert scores["trades"].compared > 30
    assert scores["book"].compared > 10


async def _run(python: Path, feed: FeedCase, simulator: WatchedSimulator) -> dict[str, Any]:
    """Return what a process with cryptofeed gave within some seconds."""
    job = {
        "module": feed.module,
        "kind": feed.kind,
        "symbols": list(feed.symbols),
        "ws": simulator.ws_url(feed.venue) + feed.ws_path,
        "http": simulator.rest_url(feed.venue),
        "seconds": SECONDS,
    }
    pipe = asyncio.subprocess.PIPE
    child = await asyncio.create_subprocess_exec(str(python), str(PROGRAM), stdin=pipe, stdout=pipe, stderr=pipe)
    async with asyncio.timeout(SECONDS + 60):
        out, error = await child.communicate(json.dumps(job).encode())
    assert child.returncode == 0, error.decode()[-2000:]
    return json.loads(out.decode().splitlines()[-1])


def _read(feed: FeedCase, given: dict[str, Any], symbol: str) -> Seen:
    """Return one symbol's part as CCXT would give it."""
    fields = ("id", "price", "amount", "side", "timestamp")
    trades = [{**dict(zip(fields, row[1:], strict=True)), "info": {}} for row in given["trades"] if row[0] == symbol]
    books = [SeenBook({}, row[1], row[2], row[3], row[4]) for row in given["books"] if row[0] == symbol]
    tickers = [
        {"bid": row[1], "ask": row[2], "timestamp": row[3] if feed.ticker_has_time else None, "info": {}}
        for row in given["tickers"]
        if row[0] == symbol
    ]
    return Seen(trades=trades, books=books, tickers=tickers)


def _as_case(feed: FeedCase) -> Case:
    return Case(
        ccxt="",
        venue=feed.venue,
        symbols=feed.symbols,
        book=feed.book,
        depth=feed.depth,
        prints=feed.prints,
        trade_id=feed.trade_id,
        ticker=named("bid", "ask"),
    )
