"""Binance USD-M's streams: the payloads of trades, books, tickers, marks and liquidations after a step.

https://developers.binance.com/docs/derivatives/usds-margined-futures/websocket-market-streams
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from producers.simulator.families.binance import rows as figs
from producers.simulator.families.binance import streams as wire
from producers.simulator.hub import Tick, encode
from producers.simulator.market.listing import Listing
from producers.simulator.venue import pairs_text
from producers.simulator.venues.binanceusdm.rest import FUNDING_US, mark_prices
from producers.simulator.windows import Touch, Window

SECOND_US = 1_000_000
DIFF = re.compile(r"^depth(?:@(0|100|250|500)ms)?$")
PARTIAL = re.compile(r"^depth(5|10|20)(?:@(100|250|500)ms)?$")


def find_stream(listings: dict[str, Listing], name: str) -> wire.Stream | None:
    """Return the stream of this name, such as `btcusdt@depth` or `!forceOrder@arr`; None when there is none."""
    if name.startswith("!"):
        return _find_all(list(listings.values()), name)
    symbol, _, kind = name.partition("@")
    listing = listings.get(symbol.upper()) if symbol == symbol.lower() else None
    if listing is None:
        return None
    listed = listing.instrument.symbol
    if kind in SIMPLE:
        channel, payloads = SIMPLE[kind]
        return wire.Stream(channel, listed, lambda tick: payloads(listing, tick))
    if kind == "bookTicker":
        touch = Touch(listing)
        return wire.Stream("bbo", listed, lambda tick: _book_ticker(listing, tick) if touch.has_moved() else [])
    if kind == "forceOrder":
        sampler = Sampler([listing])
        return wire.Stream("liquidations", listed, sampler.emit)
    if kind.startswith("kline_") and figs.interval_us(kind[6:]) and kind != "kline_1s":
        emit = wire.kline_stream(listing, kind[6:], 250, tail=f',"st":1,"ps":"{listed}"', decimals=5)
        return wire.Stream("candles", listed, emit)
    return _find_book(listing, kind)


def _find_all(listings: list[Listing], name: str) -> wire.Stream | None:
    if name == "!forceOrder@arr":
        return wire.Stream("liquidations", "", Sampler(listings).emit)
    if name == "!bookTicker":
        return wire.Stream(
            "bbo", "", lambda tick: [x for i in listings for x in _book_ticker(i, tick)] if tick.due(5000) else []
        )
    arrays = {
        "!ticker@arr": ("ticker", 1000, _ticker_text),
        "!miniTicker@arr": ("ticker", 1000, _mini_text),
        "!markPrice@arr": ("mark", 3000, _mark_text),
        "!markPrice@arr@1s": ("mark", 1000, _mark_text),
    }
    if name not in arrays:
        return None
    channel, period, text = arrays[name]
    return wire.Stream(
        channel, "", lambda tick: [f"[{','.join(text(i, tick) for i in listings)}]"] if tick.due(period) else []
    )


def _find_book(listing: Listing, kind: str) -> wire.Stream | None:
    listed = listing.instrument.symbol
    if diff := DIFF.match(kind):
        window = Window(listing, int(diff[1] or 250))
        return wire.Stream("depth", listed, lambda tick: _diff(window, tick), is_delta=True)
    if partial := PARTIAL.match(kind):
        levels, period = int(partial[1]), int(partial[2] or 250)
        return wire.Stream("depth", listed, lambda tick: _partial(listing, levels, tick) if tick.due(period) else [])
    return None


class Sampler:
    """Forced orders as this venue shows them: at most the latest one per symbol and second."""

    def __init__(self, listings: list[Listing]) -> None:
        self._listings = listings
        self._latest: dict[str, str] = {}
        self._sent_us: dict[str, int] = {}

    def emit(self, tick: Tick) -> list[str]:
        for listing in self._listings:
            if listing.liquidations:
                self._latest[listing.instrument.symbol] = _force_order(listing)
        payloads: list[str] = []
        for symbol in list(self._latest):
            if tick.now_us - self._sent_us.get(symbol, 0) >= SECOND_US:
                self._sent_us[symbol] = tick.now_us
                payloads.append(f'{{"e":"forceOrder","E":{tick.now_ms},"o":{self._latest.pop(symbol)}}}')
        return payloads


def _trade(listing: Listing, tick: Tick) -> list[str]:
    t = listing.instrument
    return [
        f'{{"e":"trade","E":{tick.now_ms},"T":{x.ts_us // 1000},"s":"{t.symbol}","t":{x.id},'
        f'"p":"{t.price_text(x.price)}","q":"{t.amount_text(x.amount)}","X":"MARKET",'
        f'"m":{"false" if x.taker_buys else "true"},"st":1,"ps":"{t.symbol}"}}'
        for x in listing.trades
    ]


def _agg_trade(listing: Listing, tick: Tick) -> list[str]:
    t = listing.instrument
    return [
        f'{{"e":"aggTrade","E":{tick.now_ms},"a":{g[0].agg_id},"s":"{t.symbol}","p":"{t.price_text(g[0].price)}",'
        f'"q":"{t.amount_text(sum(x.amount for x in g))}","nq":"{t.amount_text(sum(x.amount for x in g))}",'
        f'"f":{g[0].id},"l":{g[-1].id},"T":{g[0].ts_us // 1000},'
        f'"m":{"false" if g[0].taker_buys else "true"},"st":1,"ps":"{t.symbol}"}}'
        for g in figs.group_fills(listing.trades)
    ]


def _book_ticker(listing: Listing, tick: Tick) -> list[str]:
    t, book = listing.instrument, listing.book
    return [
        (
            f'{{"e":"bookTicker","u":{book.update_id},"s":"{t.symbol}","ps":"{t.symbol}",'
            f'"b":"{t.price_text(book.best_bid)}","B":"{t.amount_text(book.bids[book.best_bid])}",'
            f'"a":"{t.price_text(book.best_ask)}","A":"{t.amount_text(book.asks[book.best_ask])}",'
            f'"T":{tick.now_ms},"E":{tick.now_ms},"st":1}}'
        )
    ]


def _kind(listing: Listing) -> dict[str, Any]:
    """What every payload carries since USD-M and COIN-M share their streams: whose it is, and of which pair."""
    return {"st": 1, "ps": listing.instrument.symbol}


def _ticker_text(listing: Listing, tick: Tick) -> str:
    head = {"e": "24hrTicker", "E": tick.now_ms, "s": listing.instrument.symbol}
    return encode({**head, **figs.figures(listing, tick.now_us), **_kind(listing)})


def _mini_text(listing: Listing, tick: Tick) -> str:
    f = figs.figures(listing, tick.now_us)
    head = {"e": "24hrMiniTicker", "E": tick.now_ms, "s": listing.instrument.symbol}
    return encode({**head, **{key: f[key] for key in ("c", "o", "h", "l", "v", "q")}, **_kind(listing)})


def _mark_text(listing: Listing, tick: Tick) -> str:
    mark, index = mark_prices(listing)
    head = {"e": "markPriceUpdate", "E": tick.now_ms, "s": listing.instrument.symbol}
    row = {**head, "p": mark, "ap": mark, "i": index, "P": index}
    due = tick.now_us - tick.now_us % FUNDING_US + FUNDING_US
    return encode({**row, "r": f"{listing.funding_rate:.8f}", "T": due // 1000, **_kind(listing)})


def _diff(window: Window, tick: Tick) -> list[str]:
    change = window.collect(tick)
    if change is None:
        return []
    listing, symbol = window.listing, window.listing.instrument.symbol
    return [
        (
            f'{{"e":"depthUpdate","E":{tick.now_ms},"T":{tick.now_ms},"s":"{symbol}","ps":"{symbol}","st":1,'
            f'"U":{change.first_id},"u":{change.last_id},"pu":{change.prev_id},'
            f'"b":{pairs_text(listing, change.bids)},"a":{pairs_text(listing, change.asks)}}}'
        )
    ]


def _partial(listing: Listing, levels: int, tick: Tick) -> list[str]:
    book, symbol = listing.book, listing.instrument.symbol
    bids, asks = pairs_text(listing, book.list_bids(levels)), pairs_text(listing, book.list_asks(levels))
    return [
        (
            f'{{"e":"depthUpdate","E":{tick.now_ms},"T":{tick.now_ms},"s":"{symbol}","ps":"{symbol}","st":1,'
            f'"U":{book.update_id},"u":{book.update_id},"pu":{book.update_id - 1},"b":{bids},"a":{asks}}}'
        )
    ]


def _force_order(listing: Listing) -> str:
    t, x = listing.instrument, listing.liquidations[-1]
    amount = t.amount_text(x.amount)
    row = {"s": t.symbol, "S": "SELL" if x.is_long else "BUY", "o": "LIMIT", "f": "IOC", "q": amount}
    prices = {"p": t.price_text(x.bankruptcy_price), "ap": t.price_text(x.fill_price), "X": "FILLED"}
    return encode({**row, **prices, "l": amount, "z": amount, "T": x.ts_us // 1000, "ps": t.symbol, "st": 1})


def _every(period_ms: int, text: Callable[[Listing, Tick], str]) -> Callable[[Listing, Tick], list[str]]:
    return lambda listing, tick: [text(listing, tick)] if tick.due(period_ms) else []


SIMPLE: dict[str, tuple[str, Callable[[Listing, Tick], list[str]]]] = {
    "trade": ("trades", _trade),
    "aggTrade": ("trades", _agg_trade),
    "ticker": ("ticker", _every(2000, _ticker_text)),
    "miniTicker": ("ticker", _every(2000, _mini_text)),
    "markPrice": ("mark", _every(3000, _mark_text)),
    "markPrice@1s": ("mark", _every(1000, _mark_text)),
}
