"""Binance Spot's streams: the payloads of trades, books, tickers and klines after a step.

https://developers.binance.com/docs/binance-spot-api-docs/web-socket-streams
"""

from __future__ import annotations

import re
from collections.abc import Callable

from producers.simulator.families.binance import rows as figs
from producers.simulator.families.binance import streams as wire
from producers.simulator.hub import Tick, encode
from producers.simulator.market.listing import Listing
from producers.simulator.venue import pairs_text
from producers.simulator.windows import Change, Touch, Window

PARTIAL = re.compile(r"^depth(5|10|20)(@100ms)?$")


def find_stream(listings: dict[str, Listing], name: str) -> wire.Stream | None:
    """Return the stream of this name, such as `btcusdt@depth@100ms`; None when there is none."""
    symbol, _, kind = name.partition("@")
    listing = listings.get(symbol.upper()) if symbol == symbol.lower() else None
    if listing is None:
        return None
    listed = listing.instrument.symbol
    simple: dict[str, tuple[str, Callable[[Listing, Tick], list[str]]]] = {
        "trade": ("trades", trade_payloads),
        "aggTrade": ("trades", agg_payloads),
        "ticker": ("ticker", _ticker),
        "miniTicker": ("ticker", _mini_ticker),
    }
    if kind in simple:
        channel, emit = simple[kind]
        return wire.Stream(channel, listed, lambda tick: emit(listing, tick))
    if kind == "bookTicker":
        touch = Touch(listing)
        return wire.Stream("bbo", listed, lambda _: _book_ticker(listing) if touch.has_moved() else [])
    if kind in ("depth", "depth@100ms"):
        window = Window(listing, 100 if kind.endswith("100ms") else 1000)
        return wire.Stream("depth", listed, lambda tick: _diff(window, tick), is_delta=True)
    if partial := PARTIAL.match(kind):
        levels, period = int(partial[1]), 100 if partial[2] else 1000
        return wire.Stream("depth", listed, lambda tick: _partial(listing, levels) if tick.due(period) else [])
    if kind.startswith("kline_") and figs.interval_us(kind[6:]):
        period = 1000 if kind == "kline_1s" else 2000
        return wire.Stream("candles", listed, wire.kline_stream(listing, kind[6:], period))
    return None


def trade_payloads(listing: Listing, tick: Tick) -> list[str]:
    """One payload a fill; `m` says that the buyer was the maker."""
    t = listing.instrument
    return [
        f'{{"e":"trade","E":{tick.now_ms},"s":"{t.symbol}","t":{x.id},"p":"{t.price_text(x.price)}",'
        f'"q":"{t.amount_text(x.amount)}","T":{x.ts_us // 1000},"m":{"false" if x.taker_buys else "true"},"M":true}}'
        for x in listing.trades
    ]


def agg_payloads(listing: Listing, tick: Tick) -> list[str]:
    """One payload per aggressor and price."""
    t = listing.instrument
    return [
        f'{{"e":"aggTrade","E":{tick.now_ms},"s":"{t.symbol}","a":{g[0].agg_id},"p":"{t.price_text(g[0].price)}",'
        f'"q":"{t.amount_text(sum(x.amount for x in g))}","f":{g[0].id},"l":{g[-1].id},"T":{g[0].ts_us // 1000},'
        f'"m":{"false" if g[0].taker_buys else "true"},"M":true}}'
        for g in figs.group_fills(listing.trades)
    ]


def _book_ticker(listing: Listing) -> list[str]:
    t, book = listing.instrument, listing.book
    return [
        (
            f'{{"u":{book.update_id},"s":"{t.symbol}","b":"{t.price_text(book.best_bid)}",'
            f'"B":"{t.amount_text(book.bids[book.best_bid])}","a":"{t.price_text(book.best_ask)}",'
            f'"A":"{t.amount_text(book.asks[book.best_ask])}"}}'
        )
    ]


def _ticker(listing: Listing, tick: Tick) -> list[str]:
    if not tick.due(1000):
        return []
    f, t, book = figs.figures(listing, tick.now_us), listing.instrument, listing.book
    touch = {
        "b": t.price_text(book.best_bid),
        "B": t.amount_text(book.bids[book.best_bid]),
        "a": t.price_text(book.best_ask),
        "A": t.amount_text(book.asks[book.best_ask]),
    }
    head = {"e": "24hrTicker", "E": tick.now_ms, "s": t.symbol, "p": f["p"], "P": f["P"], "w": f["w"], "x": f["o"]}
    rest = {key: f[key] for key in ("o", "h", "l", "v", "q", "O", "C", "F", "L", "n")}
    return [encode({**head, "c": f["c"], "Q": f["Q"], **touch, **rest})]


def _mini_ticker(listing: Listing, tick: Tick) -> list[str]:
    if not tick.due(1000):
        return []
    f = figs.figures(listing, tick.now_us)
    head = {"e": "24hrMiniTicker", "E": tick.now_ms, "s": listing.instrument.symbol}
    return [encode({**head, **{key: f[key] for key in ("c", "o", "h", "l", "v", "q")}})]


def _diff(window: Window, tick: Tick) -> list[str]:
    change: Change | None = window.collect(tick)
    if change is None:
        return []
    listing = window.listing
    return [
        (
            f'{{"e":"depthUpdate","E":{tick.now_ms},"s":"{listing.instrument.symbol}","U":{change.prev_id + 1},'
            f'"u":{change.last_id},"b":{pairs_text(listing, change.bids)},"a":{pairs_text(listing, change.asks)}}}'
        )
    ]


def _partial(listing: Listing, levels: int) -> list[str]:
    book = listing.book
    bids, asks = pairs_text(listing, book.list_bids(levels)), pairs_text(listing, book.list_asks(levels))
    return [f'{{"lastUpdateId":{book.update_id},"bids":{bids},"asks":{asks}}}']
