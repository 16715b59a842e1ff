"""Each exchange as CCXT Pro speaks it: its symbols, what names a book's state and a trade, what tickers tell."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from itertools import groupby
from types import MappingProxyType
from typing import Any

from producers.simulator.market.listing import Listing, Trade
from producers.simulator.venues.bybit.rows import trade_id
from producers.simulator.venues.hyperliquid.channels import trade_row
from producers.simulator.venues.krakenfutures.channels import uid

Fills = list[Trade]
BEST = ("bid", "ask", "bidVolume", "askVolume")
DAY = ("last", "open", "high", "low", "baseVolume")


def each(trades: Fills) -> list[Fills]:
    """Return every fill by itself."""
    return [[trade] for trade in trades]


def by_level(trades: Fills) -> list[Fills]:
    """Return the fills of one aggressor at one price together."""
    return [list(fills) for _, fills in groupby(trades, key=lambda trade: trade.agg_id)]


@dataclass(frozen=True, kw_only=True)
class Rest:
    """What CCXT reads from REST: the fields of `fetch_ticker` and of `fetch_tickers` (None: not compared), trades' ids.

    `limit` is how many trades are asked for (None: the venue knows no such parameter); of HTX it counts orders, whose
    fills of one time CCXT would cut.
    """

    one: Mapping[str, str] = field(default_factory=lambda: named("last", "bid", "ask", "high", "low"))
    all: Mapping[str, str] | None = field(default_factory=lambda: named("last", "bid", "ask", "high", "low"))
    prints: Callable[[Fills], list[Fills]] | None = None
    trade_id: Callable[[Listing, Fills], str] | None = None
    seen_id: Callable[[Mapping[str, Any]], str] | None = None
    has_trades: bool = True
    limit: int | None = 20


@dataclass(frozen=True, kw_only=True)
class Case:
    """One of CCXT's exchanges against one simulated venue.

    `symbols` are its names with our market and the venue's name. `book` is what names a book's state: its `nonce`, its
    `time`, the frame's `seq`, or the `checksum`. `prints` and `trade_id` make the venue's trades of our fills;
    `seen_id` finds the id in what CCXT gives. `ticker` are the fields that tickers tell, with those of the truth;
    where they name a trade, `last` is that trade's. With `replays` CCXT applies changes which its snapshot already
    holds (it compares their time with the snapshot's sequence): its book is compared from that sequence on. With
    `takes_maker_for_taker` it gives the side that the venue names, and that is the maker's. `ms_of` is the time that it
    makes of a trade's microseconds.
    """

    ccxt: str
    venue: str
    symbols: dict[str, tuple[str, str]]
    book: str
    depth: int = 50
    rate: float = 8.0
    ws_path: str = ""
    settings: Mapping[str, Any] = field(default_factory=lambda: MappingProxyType({}))
    prints: Callable[[Fills], list[Fills]] = each
    trade_id: Callable[[Listing, Fills], str] = lambda _listing, fills: str(fills[0].id)
    seen_id: Callable[[Mapping[str, Any]], str] = lambda trade: trade["id"]
    ticker: Mapping[str, str] = field(default_factory=lambda: named(*DAY))
    rest: Rest = field(default_factory=Rest)
    ticker_names_trade: bool = False
    replays: bool = False
    takes_maker_for_taker: bool = False
    ms_of: Callable[[int], int] = lambda ts_us: ts_us // 1000
    note: str = ""


def named(*fields: str, **renamed: str) -> Mapping[str, str]:
    """Return CCXT's fields of a ticker with those of the truth."""
    return MappingProxyType({**dict.fromkeys(fields, ""), **renamed})


def _options(**options: Any) -> Mapping[str, Any]:
    return MappingProxyType({"options": options})


def _htx_id(listing: Listing, fills: Fills) -> str:
    return str(fills[0].id if listing.instrument.market == "spot" else fills[0].id * 10**8)


KEYS = MappingProxyType({"apiKey": "key", "secret": "c2VjcmV0", "password": "pass"})
SPOT_AND_SWAP = {"BTC/USDT": ("spot", "BTCUSDT"), "BTC/USDT:USDT": ("linear", "BTCUSDT")}
CASES = (
    Case(
        ccxt="binance",
        venue="binance",
        symbols={"BTC/USDT": ("spot", "BTCUSDT"), "DOGE/USDT": ("spot", "DOGEUSDT")},
        book="nonce",
        settings=_options(fetchMarkets={"types": ["spot"]}, defaultType="spot"),
        rest=Rest(prints=by_level, trade_id=lambda _listing, fills: str(fills[0].agg_id)),
    ),
    Case(
        ccxt="binanceusdm",
        venue="binanceusdm",
        symbols={"BTC/USDT:USDT": ("linear", "BTCUSDT")},
        book="nonce",
        rest=Rest(
            one=named("last", "high", "low"),
            all=named("last", "high", "low"),
            prints=by_level,
            trade_id=lambda _listing, fills: str(fills[0].agg_id),
        ),
    ),
    Case(
        ccxt="bybit",
        venue="bybit",
        symbols=SPOT_AND_SWAP,
        book="time",
        trade_id=lambda listing, fills: trade_id(listing, fills[0].id),
    ),
    Case(
        ccxt="okx",
        venue="okx",
        symbols={"BTC/USDT": ("spot", "BTC-USDT"), "BTC/USDT:USDT": ("linear", "BTC-USDT-SWAP")},
        book="nonce",
        prints=by_level,
        trade_id=lambda _listing, fills: str(fills[-1].id),
        ticker=named(*DAY, *BEST),
    ),
    Case(
        ccxt="htx",
        venue="htx",
        symbols={"BTC/USDT": ("spot", "btcusdt"), "BTC/USDT:USDT": ("linear", "BTC-USDT")},
        book="time",
        settings=_options(fetchMarkets={"types": {"spot": True, "linear": True, "inverse": False}}),
        trade_id=_htx_id,
        seen_id=lambda trade: str(trade["info"].get("tradeId") or trade["info"].get("trade-id") or trade["id"]),
        rest=Rest(limit=1000),
        ticker=named("last", "open", "high", "low", baseVolume="coins"),
    ),
    Case(
        ccxt="coinbase",
        venue="coinbase",
        symbols={"BTC/USD": ("spot", "BTC-USD"), "DOGE/USD": ("spot", "DOGE-USD")},
        book="time",
        ws_path="/advanced-trade-ws",
        takes_maker_for_taker=True,
        note="trades: it takes the vendor's side for the taker's, cryptofeed for the maker's; the pages do not say",
        ticker=named("last", "high", "low", "baseVolume", *BEST),
        rest=Rest(one=named("last", "bid", "ask"), all=named("last")),
    ),
    Case(
        ccxt="coinbaseexchange",
        venue="coinbase",
        symbols={"BTC/USD": ("spot", "BTC-USD")},
        book="time",
        settings=KEYS,
        ticker=named("open", "high", "low", "baseVolume", *BEST),
        ticker_names_trade=True,
        rest=Rest(one=named("last", "bid", "ask", "baseVolume"), all=None),
    ),
    Case(
        ccxt="kraken",
        venue="kraken",
        symbols={"BTC/USD": ("spot", "BTC/USD"), "DOGE/USD": ("spot", "DOGE/USD")},
        book="time",
        depth=10,
        ticker=named("last", "high", "low", "baseVolume", *BEST),
    ),
    Case(
        ccxt="krakenfutures",
        venue="krakenfutures",
        symbols={"BTC/USD:USD": ("linear", "PF_XBTUSD"), "DOGE/USD:USD": ("linear", "PF_DOGEUSD")},
        book="seq",
        trade_id=lambda _listing, fills: uid(fills[0]),
        settings=_options(fetchTrades={"method": "publicGetHistory"}),
        rest=Rest(one=named("last", *BEST), all=named("last", *BEST), limit=None),
        ticker=named("last", "baseVolume", *BEST),
    ),
    Case(
        ccxt="gate",
        venue="gate",
        symbols={"BTC/USDT": ("spot", "BTC_USDT"), "BTC/USDT:USDT": ("linear", "BTC_USDT")},
        book="nonce",
        settings=_options(
            fetchMarkets={"types": ["spot", "swap"]}, swap={"fetchMarkets": {"settlementCurrencies": ["usdt"]}}
        ),
        ticker=named("last", "high", "low", baseVolume="coins"),
    ),
    Case(
        ccxt="kucoin",
        venue="kucoin",
        symbols={"BTC/USDT": ("spot", "BTC-USDT"), "DOGE/USDT": ("spot", "DOGE-USDT")},
        book="nonce",
        settings=_options(fetchMarkets={"types": ["spot"], "fetchTickersFees": False}),
        ticker=named(*DAY, "bid", "ask"),
        rest=Rest(seen_id=lambda trade: trade["info"]["sequence"], limit=None),
        ms_of=lambda ts_us: int(float(ts_us * 1000) * 0.000001),  # of nanoseconds, through a float: 1 ms early at times
    ),
    Case(
        ccxt="kucoinfutures",
        venue="kucoinfutures",
        symbols={"BTC/USDT:USDT": ("linear", "XBTUSDTM"), "DOGE/USDT:USDT": ("linear", "DOGEUSDTM")},
        book="nonce",
        ticker=named("last", *BEST),
        replays=True,
        note="book: compared from the snapshot's sequence on, CCXT applies older changes again",
        rest=Rest(one=named("last", *BEST), all=named("last", "high", "low"), limit=None),
    ),
    Case(
        ccxt="hyperliquid",
        venue="hyperliquid",
        symbols={"BTC/USDC:USDC": ("linear", "BTC"), "BTC/USDC": ("spot", "@142")},
        book="time",
        depth=20,
        settings=_options(fetchMarkets={"types": ["spot", "swap"]}),
        trade_id=lambda listing, fills: str(trade_row(listing, fills[0])["tid"]),
        ticker=named(last="mid", previousClose="open", quoteVolume="value"),
        note="ticker: the venue tells the middle, CCXT calls it last",
        rest=Rest(
            one=named(last="mid", previousClose="open"), all=named(last="mid", previousClose="open"), has_trades=False
        ),
    ),
    Case(
        ccxt="deribit",
        venue="deribit",
        symbols={
            "BTC/USDC": ("spot", "BTC_USDC"),
            "BTC/USDC:USDC": ("linear", "BTC_USDC-PERPETUAL"),
            "BTC/USD:BTC": ("linear", "BTC-PERPETUAL"),
        },
        book="time",
        rate=16.0,
        ticker=named("last", "high", "low", *BEST),
        rest=Rest(all=None),
    ),
    Case(
        ccxt="bitfinex",
        venue="bitfinex",
        symbols={"BTC/USDT": ("spot", "tBTCUST"), "BTC/USDT:USDT": ("linear", "tBTCF0:USTF0")},
        book="checksum",
        depth=25,
        rate=16.0,
        ticker=named("last", "high", "low", "baseVolume", "bid", "ask"),
    ),
)
