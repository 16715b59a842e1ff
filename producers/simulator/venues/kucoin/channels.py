"""KuCoin spot's topics: the texts of trades, tickers, books and candles after a step.

https://www.kucoin.com/docs-new/3470063w0 (ticker) to https://www.kucoin.com/docs-new/3470072w0 (trade)
"""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal

from producers.simulator.families.kucoin.classic import BARS, push
from producers.simulator.hub import Tick
from producers.simulator.market.instruments import number_text
from producers.simulator.market.listing import Listing
from producers.simulator.topics import Channel, whole
from producers.simulator.venue import pairs_text
from producers.simulator.windows import Change, Levels, Touch, View, Window


def open_topic(name: str, symbol: str, listings: dict[str, Listing]) -> Channel | None:
    """The topic of a symbol; None when either does not exist."""
    listed, _, bar = symbol.partition("_")
    listing = listings.get(listed)
    if listing is None or (bar and name != "/market/candles"):
        return None
    topic = f"{name}:{symbol}"
    if name == "/market/candles":
        return _candles(listing, topic, bar) if bar in BARS else None
    if name in ("/spotMarket/level2Depth5", "/spotMarket/level2Depth50"):
        return _depth(listing, topic, int(name.partition("Depth")[2]))
    makers: dict[str, Callable[[Listing, str], Channel]] = {
        "/market/match": _match,
        "/market/ticker": _ticker,
        "/market/snapshot": _day,
        "/market/level2": _level2,
        "/spotMarket/level1": _level1,
    }
    return makers[name](listing, topic) if name in makers else None


def _match(listing: Listing, topic: str) -> Channel:
    t = listing.instrument

    def texts(_tick: Tick) -> list[str]:
        return [
            push(
                topic,
                "trade.l3match",
                f'{{"makerOrderId":"{x.id:024x}","price":"{t.price_text(x.price)}","sequence":"{x.id}",'
                f'"side":"{"buy" if x.taker_buys else "sell"}","size":"{t.amount_text(x.amount)}",'
                f'"symbol":"{t.symbol}","takerOrderId":"{x.order:024x}","time":"{x.ts_us * 1000}",'
                f'"tradeId":"{x.id}","type":"match"}}',
            )
            for x in listing.trades
        ]

    return Channel(symbol=t.symbol, channel="trades", texts=texts)


def _ticker(listing: Listing, topic: str) -> Channel:
    t, book, touch = listing.instrument, listing.book, Touch(listing)
    traded = [0]

    def first(tick: Tick) -> str:
        last = listing.last
        return push(
            topic,
            "trade.ticker",
            f'{{"bestAsk":"{t.price_text(book.best_ask)}","bestAskSize":"{t.amount_text(book.asks[book.best_ask])}",'
            f'"bestBid":"{t.price_text(book.best_bid)}","bestBidSize":"{t.amount_text(book.bids[book.best_bid])}",'
            f'"price":"{t.price_text(last.price)}","sequence":"{book.update_id}",'
            f'"size":"{t.amount_text(last.amount)}","time":{tick.now_ms}}}',
        )

    def texts(tick: Tick) -> list[str]:
        if not tick.due(300) or not (touch.has_moved() or listing.last.id != traded[0]):
            return []
        traded[0] = listing.last.id
        return [first(tick)]

    return Channel(symbol=t.symbol, channel="bbo", texts=texts, first=first)


def _level1(listing: Listing, topic: str) -> Channel:
    t, book, touch = listing.instrument, listing.book, Touch(listing)

    def first(tick: Tick) -> str:
        ask = f'["{t.price_text(book.best_ask)}","{t.amount_text(book.asks[book.best_ask])}"]'
        bid = f'["{t.price_text(book.best_bid)}","{t.amount_text(book.bids[book.best_bid])}"]'
        return push(topic, "level1", f'{{"asks":{ask},"bids":{bid},"timestamp":{tick.now_ms}}}')

    return whole(t.symbol, "bbo", first, lambda _: touch.has_moved())


def day_figures(listing: Listing) -> dict[str, str]:
    """The figures of 24 hours as numbers' texts; the change is a fraction of four places."""
    t, last = listing.instrument, listing.last.price
    change = Decimal(last - listing.open_24h) / listing.open_24h
    return {
        "open": t.price_text(listing.open_24h),
        "high": t.price_text(listing.high_24h),
        "low": t.price_text(listing.low_24h),
        "last": t.price_text(last),
        "changePrice": number_text(last - listing.open_24h, t.price_scale, -1),
        "changeRate": f"{change:.4f}",
        "vol": listing.volume_text(),
        "volValue": listing.quote_text(),
    }


def _day(listing: Listing, topic: str) -> Channel:
    t, book = listing.instrument, listing.book

    def first(tick: Tick) -> str:
        f = day_figures(listing)
        inner = (
            f'{{"askSize":{t.amount_text(book.asks[book.best_ask])},"baseCurrency":"{t.base}",'
            f'"bidSize":{t.amount_text(book.bids[book.best_bid])},"board":1,"buy":{t.price_text(book.best_bid)},'
            f'"changePrice":{f["changePrice"]},"changeRate":{f["changeRate"]},"close":{f["last"]},'
            f'"datetime":{tick.now_ms},"high":{f["high"]},"lastTradedPrice":{f["last"]},"low":{f["low"]},'
            f'"market":"USDS","open":{f["open"]},"quoteCurrency":"{t.quote}","sell":{t.price_text(book.best_ask)},'
            f'"symbol":"{t.symbol}","symbolCode":"{t.symbol}","trading":true,"vol":{f["vol"]},'
            f'"volValue":{f["volValue"]}}}'
        )
        return push(topic, "trade.snapshot", f'{{"sequence":"{book.update_id}","data":{inner}}}')

    return whole(t.symbol, "ticker", first, lambda tick: tick.due(2000))


def _level2(listing: Listing, topic: str) -> Channel:
    window = Window(listing, 150)

    def texts(tick: Tick) -> list[str]:
        change = window.collect(tick)
        return [] if change is None else [push(topic, "trade.l2update", _changes(listing, change, tick.now_ms))]

    return Channel(symbol=listing.instrument.symbol, channel="depth", texts=texts, is_delta=True)


def _changes(listing: Listing, change: Change, now_ms: int) -> str:
    """Rows end with their own sequence; where several changes made one row, a row of price 0 moves the sequence on."""
    start, end = change.prev_id + 1, change.last_id
    spare = end - start + 1 - len(change.bids) - len(change.asks)
    asks = [f'["0","0","{start}"]'] if spare > 0 else []
    asks += _rows(listing, change.asks, start + max(spare, 0))
    bids = _rows(listing, change.bids, end - len(change.bids) + 1)
    return (
        f'{{"changes":{{"asks":[{",".join(asks)}],"bids":[{",".join(bids)}]}},"sequenceEnd":{end},'
        f'"sequenceStart":{start},"symbol":"{listing.instrument.symbol}","time":{now_ms}}}'
    )


def _rows(listing: Listing, levels: Levels, sequence: int) -> list[str]:
    t = listing.instrument
    return [f'["{t.price_text(p)}","{t.amount_text(a)}","{sequence + i}"]' for i, (p, a) in enumerate(levels)]


def _depth(listing: Listing, topic: str, levels: int) -> Channel:
    view = View(listing, levels, 100)

    def first(tick: Tick) -> str:
        bids = pairs_text(listing, listing.book.list_bids(levels))
        asks = pairs_text(listing, listing.book.list_asks(levels))
        return push(topic, "level2", f'{{"asks":{asks},"bids":{bids},"timestamp":{tick.now_ms}}}')

    return whole(listing.instrument.symbol, "depth", first, lambda tick: view.collect(tick) is not None)


def _candles(listing: Listing, topic: str, bar: str) -> Channel:
    t, length = listing.instrument, BARS[bar] * 10**6

    def first(tick: Tick) -> str:
        c = listing.candles.find(tick.now_us - tick.now_us % length, length)
        prices = ",".join(f'"{t.price_text(price)}"' for price in (c.open, c.close, c.high, c.low))
        quote = number_text(c.quote, t.price_scale + t.amount_scale, -1)
        row = f'["{c.start_us // 10**6}",{prices},"{t.amount_text(c.volume)}","{quote}"]'
        data = f'{{"symbol":"{t.symbol}","candles":{row},"time":{tick.now_us * 1000}}}'
        return push(topic, "trade.candles.update", data)

    return whole(t.symbol, "candles", first, lambda tick: tick.due(1000))
