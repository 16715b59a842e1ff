"""Binance Spot: streams `/ws` and `/stream`, REST `/api/v3`.

https://developers.binance.com/docs/binance-spot-api-docs/web-socket-streams
https://developers.binance.com/docs/binance-spot-api-docs/rest-api
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from producers.simulator.config import SimulatorConfig
from producers.simulator.hub import Answer, Frame, Request, Session, Tick, encode
from producers.simulator.listing import Listing, Trade
from producers.simulator.venue import Shelf, level_texts, pairs_text
from producers.simulator.venues import binance_rows as figs
from producers.simulator.venues import binance_wire as wire
from producers.simulator.windows import Change, Touch, Window

PARTIAL = re.compile(r"^depth(5|10|20)(@100ms)?$")


class Binance:
    """The spot exchange."""

    name = "binance"
    lacks = frozenset({"reset", "bad_checksum"})

    def __init__(self, listings: list[Listing], config: SimulatorConfig, shelf: Shelf) -> None:
        self._listings = {item.instrument.symbol: item for item in listings}
        self._shelf = shelf
        unknown_is_error = config.options.binance_unknown_symbol_is_error
        self._wire = wire.Wire(self._find_stream, 5, config.enforce_limits, unknown_is_error)

    def accepts(self, path: str) -> bool:
        return path in ("/ws", "/stream", "/stream/") or path.startswith("/ws/")

    def on_open(self, session: Session, now_us: int) -> list[str]:
        session.combined = session.path.startswith("/stream")
        session.has_subscribed = True
        self._wire.subscribe(session, wire.url_streams(session.path, session.query))
        return []

    def on_text(self, session: Session, text: str, now_us: int) -> list[str]:
        return self._wire.on_text(session, text, now_us)

    def on_close(self, session: Session) -> None:
        self._wire.hub.drop(session)

    def list_frames(self, tick: Tick) -> list[Frame]:
        return self._wire.list_frames(tick)

    def find_seq(self, listing: Listing) -> int:
        return listing.book.update_id

    def mutate(self, frame: Frame, kind: str) -> str:
        if kind != "crossed":
            return frame.text
        listing = self._listings[frame.symbol]
        return wire.crossed(frame, listing.instrument.price_text(listing.book.best_ask))

    def on_reset(self, symbol: str | None) -> None:
        """This venue's update ids never start again."""

    def notice(self, session: Session, now_us: int) -> str | None:
        if session.combined:
            return f'{{"stream":"!serverShutdown","data":{{"e":"serverShutdown","E":{now_us // 1000}}}}}'
        return f'{{"e":"serverShutdown","E":{now_us // 1000}}}'

    def refuse(self, strikes: int) -> Answer:
        return figs.refuse(strikes)

    def fail(self, now_us: int) -> Answer:
        return figs.rest_error(
            503, -1008, "Server is currently overloaded with other requests. Please try again later."
        )

    def answer(self, request: Request, now_us: int) -> Answer:
        path = request.path.removeprefix("/api/v3/")
        if path in ("ping", "time"):
            return Answer(200, encode({"serverTime": now_us // 1000} if path == "time" else {}))
        if path == "exchangeInfo":
            return self._exchange_info(request, now_us)
        if path.startswith("ticker/"):
            return self._tickers(path, request, now_us)
        if path not in ("depth", "klines", "trades", "aggTrades"):
            return Answer(404, "<html><body><h2>404 Not found</h2></body></html>")
        if "symbol" not in request.query:
            text = "Mandatory parameter 'symbol' was not sent, was empty/null, or malformed."
            return figs.rest_error(400, -1102, text)
        listing = self._listings.get(request.query["symbol"])
        if listing is None:
            return figs.rest_error(400, -1121, "Invalid symbol.")
        return self._answer_one(listing, path, request, now_us)

    def _answer_one(self, listing: Listing, path: str, request: Request, now_us: int) -> Answer:
        if path == "klines":
            return figs.candle_rows(listing, request.query, now_us, 8)
        return self._depth(listing, request, now_us) if path == "depth" else _trades(listing, request, path)

    def _depth(self, listing: Listing, request: Request, now_us: int) -> Answer:
        limit = min(int(request.query.get("limit", "100")), 5000)
        depth = self._shelf.find(listing, now_us, stale=request.stale).top(limit)
        bids, asks = level_texts(listing, depth.bids), level_texts(listing, depth.asks)
        return Answer(200, encode({"lastUpdateId": depth.update_id, "bids": bids, "asks": asks}))

    def _exchange_info(self, request: Request, now_us: int) -> Answer:
        found = figs.select(self._listings, request.query)
        if found is None:
            return figs.rest_error(400, -1121, "Invalid symbol.")
        limit = {"rateLimitType": "REQUEST_WEIGHT", "interval": "MINUTE", "intervalNum": 1, "limit": 6000}
        body = {
            "timezone": "UTC",
            "serverTime": now_us // 1000,
            "rateLimits": [limit],
            "exchangeFilters": [],
            "symbols": [_symbol(item) for item in found],
        }
        return Answer(200, encode(body))

    def _tickers(self, path: str, request: Request, now_us: int) -> Answer:
        found = figs.select(self._listings, request.query)
        if found is None:
            return figs.rest_error(400, -1121, "Invalid symbol.")
        is_mini = request.query.get("type") == "MINI"
        rows = [figs.ticker_row(item, path, now_us, is_mini=is_mini) for item in found]
        return Answer(200, encode(rows[0] if "symbol" in request.query else rows))

    def _find_stream(self, name: str) -> wire.Stream | None:
        symbol, _, kind = name.partition("@")
        listing = self._listings.get(symbol.upper()) if symbol == symbol.lower() else None
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


def _trades(listing: Listing, request: Request, path: str) -> Answer:
    t = listing.instrument
    limit = min(int(request.query.get("limit", "500")), 1000)
    if path == "aggTrades":
        return Answer(200, encode([_agg_row(listing, fills) for fills in figs.select_groups(listing, request.query)]))
    rows = [
        {
            "id": x.id,
            "price": t.price_text(x.price),
            "qty": t.amount_text(x.amount),
            "quoteQty": figs.quote(listing, x.price * x.amount, 8),
            "time": x.ts_us // 1000,
            "isBuyerMaker": not x.taker_buys,
            "isBestMatch": True,
        }
        for x in list(listing.recent)[-limit:]
    ]
    return Answer(200, encode(rows))


def _agg_row(listing: Listing, fills: list[Trade]) -> dict[str, Any]:
    t, first = listing.instrument, fills[0]
    return {
        "a": first.agg_id,
        "p": t.price_text(first.price),
        "q": t.amount_text(sum(x.amount for x in fills)),
        "f": first.id,
        "l": fills[-1].id,
        "T": first.ts_us // 1000,
        "m": not first.taker_buys,
        "M": True,
    }


def _symbol(listing: Listing) -> dict[str, Any]:
    t = listing.instrument
    return {
        "symbol": t.symbol,
        "status": "TRADING",
        "baseAsset": t.base,
        "baseAssetPrecision": 8,
        "quoteAsset": t.quote,
        "quotePrecision": 8,
        "quoteAssetPrecision": 8,
        "orderTypes": ["LIMIT", "LIMIT_MAKER", "MARKET", "STOP_LOSS_LIMIT", "TAKE_PROFIT_LIMIT"],
        "isSpotTradingAllowed": True,
        "isMarginTradingAllowed": True,
        "filters": [
            {"filterType": "PRICE_FILTER", "minPrice": t.tick, "maxPrice": "1000000.00000000", "tickSize": t.tick},
            {"filterType": "LOT_SIZE", "minQty": t.lot, "maxQty": "9000000.00000000", "stepSize": t.lot},
            {"filterType": "NOTIONAL", "minNotional": "5.00000000", "applyMinToMarket": True},
        ],
        "permissions": [],
        "permissionSets": [["SPOT", "MARGIN"]],
    }
