"""KuCoin futures' topics: trades, best levels, books of one change a push, figures, candles. Sizes are contracts.

https://www.kucoin.com/docs-new/3470080w0 (ticker V2) to https://www.kucoin.com/docs-new/3470089w0 (24 hours)
"""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal

from producers.simulator.families.kucoin.classic import BARS, push
from producers.simulator.hub import Tick
from producers.simulator.market.instruments import number_text
from producers.simulator.market.listing import Listing
from producers.simulator.topics import Channel, whole
from producers.simulator.windows import Levels, Steps, Touch, View

PERIOD_MS = 500


def open_topic(name: str, symbol: str, listings: dict[str, Listing]) -> Channel | None:
    """The topic of a contract; None when either does not exist."""
    listed, _, bar = symbol.partition("_")
    listing = listings.get(listed)
    if listing is None or (bar and name != "/contractMarket/limitCandle"):
        return None
    topic = f"{name}:{symbol}"
    if name == "/contractMarket/limitCandle":
        return _candles(listing, topic, bar) if bar in BARS else None
    if name in ("/contractMarket/level2Depth5", "/contractMarket/level2Depth50"):
        return _depth(listing, topic, int(name.partition("Depth")[2]))
    makers: dict[str, Callable[[Listing, str], Channel]] = {
        "/contractMarket/execution": _match,
        "/contractMarket/ticker": _ticker_v1,
        "/contractMarket/tickerV2": _ticker,
        "/contractMarket/level2": _level2,
        "/contractMarket/snapshot": _day,
        "/contract/instrument": _figures,
    }
    return makers[name](listing, topic) if name in makers else None


def base_text(listing: Listing, contracts: int) -> str:
    """An amount of contracts in the base coin."""
    return _plain(Decimal(listing.instrument.contract) * contracts)


def quote_text(listing: Listing, units: int) -> str:
    """A sum of price x contracts in the quote coin."""
    t = listing.instrument
    return _plain(Decimal(t.contract) * units / 10**t.price_scale)


def _plain(value: Decimal) -> str:
    text = f"{value:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def _match(listing: Listing, topic: str) -> Channel:
    t = listing.instrument

    def texts(_tick: Tick) -> list[str]:
        return [
            push(
                topic,
                "match",
                f'{{"symbol":"{t.symbol}","sequence":{x.id},"side":"{"buy" if x.taker_buys else "sell"}",'
                f'"size":{x.amount},"price":"{t.price_text(x.price)}","takerOrderId":"{x.order}",'
                f'"makerOrderId":"{x.id}","tradeId":"{x.id}","ts":{x.ts_us * 1000}}}',
            )
            for x in listing.trades
        ]

    return Channel(symbol=t.symbol, channel="trades", texts=texts)


def full_ticker_data(listing: Listing) -> str:
    """The last fill and the best levels, as REST and the first version of the ticker have them."""
    t, book, last = listing.instrument, listing.book, listing.last
    return (
        f'{{"symbol":"{t.symbol}","sequence":{book.update_id},"side":"{"buy" if last.taker_buys else "sell"}",'
        f'"size":{last.amount},"tradeId":"{last.id}","price":"{t.price_text(last.price)}",'
        f'"bestBidPrice":"{t.price_text(book.best_bid)}","bestBidSize":{book.bids[book.best_bid]},'
        f'"bestAskPrice":"{t.price_text(book.best_ask)}","bestAskSize":{book.asks[book.best_ask]},'
        f'"ts":{last.ts_us * 1000}}}'
    )


def _ticker_v1(listing: Listing, topic: str) -> Channel:
    """`ticker`, the older one: after trades."""

    def texts(_tick: Tick) -> list[str]:
        return [push(topic, "ticker", full_ticker_data(listing))] if listing.trades else []

    return Channel(symbol=listing.instrument.symbol, channel="bbo", texts=texts)


def ticker_data(listing: Listing, now_us: int) -> str:
    """The best levels."""
    t, book = listing.instrument, listing.book
    return (
        f'{{"symbol":"{t.symbol}","sequence":{listing.book.update_id},"bestBidSize":{book.bids[book.best_bid]},'
        f'"bestBidPrice":"{t.price_text(book.best_bid)}","bestAskPrice":"{t.price_text(book.best_ask)}",'
        f'"bestAskSize":{book.asks[book.best_ask]},"ts":{now_us * 1000}}}'
    )


def _ticker(listing: Listing, topic: str) -> Channel:
    touch = Touch(listing)

    def first(tick: Tick) -> str:
        return push(topic, "tickerV2", ticker_data(listing, tick.now_us))

    return whole(listing.instrument.symbol, "bbo", first, lambda tick: tick.due(PERIOD_MS) and touch.has_moved())


def _level2(listing: Listing, topic: str) -> Channel:
    """Every single change, one sequence further each, in the order in which they happened."""
    t, steps = listing.instrument, Steps(listing, PERIOD_MS)

    def texts(tick: Tick) -> list[str]:
        return [
            push(
                topic,
                "level2",
                f'{{"sequence":{x.update_id},"change":"{t.price_text(x.price)},{"buy" if x.is_bid else "sell"},'
                f'{x.amount}","timestamp":{tick.now_ms}}}',
            )
            for x in steps.collect(tick)
        ]

    return Channel(symbol=t.symbol, channel="depth", texts=texts, is_delta=True)


def depth_rows(listing: Listing, levels: Levels) -> str:
    """JSON rows of [price, size]: prices are text here."""
    t = listing.instrument
    return "[" + ",".join(f'["{t.price_text(p)}",{a}]' for p, a in levels) + "]"


def _depth(listing: Listing, topic: str, levels: int) -> Channel:
    view = View(listing, levels, 100)

    def first(tick: Tick) -> str:
        bids, asks = listing.book.list_bids(levels), listing.book.list_asks(levels)
        data = (
            f'{{"bids":{depth_rows(listing, bids)},"sequence":{listing.book.update_id},"timestamp":{tick.now_ms},'
            f'"ts":{tick.now_ms},"asks":{depth_rows(listing, asks)}}}'
        )
        return push(topic, "level2", data)

    return whole(listing.instrument.symbol, "depth", first, lambda tick: view.collect(tick) is not None)


def _day(listing: Listing, topic: str) -> Channel:
    t = listing.instrument

    def first(tick: Tick) -> str:
        last, opened = listing.last.price, listing.open_24h
        data = (
            f'{{"highPrice":{t.price_text(listing.high_24h)},"lastPrice":{t.price_text(last)},'
            f'"lowPrice":{t.price_text(listing.low_24h)},"price24HoursBefore":{t.price_text(opened)},'
            f'"priceChg":{number_text(last - opened, t.price_scale, -1)},'
            f'"priceChgPct":{Decimal(last - opened) / opened:.4f},"symbol":"{t.symbol}",'
            f'"turnover":{quote_text(listing, listing.quote_units)},'
            f'"volume":{base_text(listing, listing.volume_units)},"ts":{tick.now_us * 1000}}}'
        )
        return push(topic, "snapshot.24h", data)

    return whole(t.symbol, "ticker", first, lambda tick: tick.due(5000))


def mark_texts(listing: Listing) -> tuple[str, str]:
    """Mark and index price, two decimals finer than the contract's own."""
    scale = listing.instrument.price_scale
    mark = round(listing.mark_price() * 100)
    return number_text(mark, scale + 2, -1), number_text(mark * 10_002 // 10_000, scale + 2, -1)


def _figures(listing: Listing, topic: str) -> Channel:
    """`/contract/instrument`: mark and index every second, the funding rate every minute and to new subscribers."""

    def rate(tick: Tick) -> str:
        data = f'{{"granularity":60000,"fundingRate":{listing.funding_rate:.6f},"timestamp":{tick.now_ms}}}'
        return push(topic, "funding.rate", data)

    def texts(tick: Tick) -> list[str]:
        found = [rate(tick)] if tick.due(60_000) else []
        if tick.due(1000):
            mark, index = mark_texts(listing)
            data = f'{{"markPrice":{mark},"indexPrice":{index},"granularity":1000,"timestamp":{tick.now_ms}}}'
            found.append(push(topic, "mark.index.price", data))
        return found

    return Channel(symbol=listing.instrument.symbol, channel="mark", texts=texts, first=rate)


def _candles(listing: Listing, topic: str, bar: str) -> Channel:
    t, length = listing.instrument, BARS[bar] * 10**6

    def first(tick: Tick) -> str:
        c = listing.candles.find(tick.now_us - tick.now_us % length, length)
        prices = ",".join(f'"{t.price_text(price)}"' for price in (c.open, c.close, c.high, c.low))
        row = f'["{c.start_us // 10**6}",{prices},"{quote_text(listing, c.quote)}","{c.volume}"]'
        data = f'{{"symbol":"{t.symbol}","candles":{row},"time":{tick.now_ms}}}'
        return push(topic, "candle.stick", data)

    return whole(t.symbol, "candles", first, lambda tick: tick.due(1000))
