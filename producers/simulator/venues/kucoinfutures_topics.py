"""KuCoin futures' topics: trades, best levels, books of one change a push, figures, candles. Sizes are contracts.

https://www.kucoin.com/docs-new/3470080w0 (ticker V2) to https://www.kucoin.com/docs-new/3470089w0 (24 hours)
"""

from __future__ import annotations

from bisect import bisect_right
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from decimal import Decimal

from producers.simulator.hub import Tick
from producers.simulator.instruments import number_text
from producers.simulator.listing import Listing
from producers.simulator.venues.kucoin_classic import BARS, Channel, push
from producers.simulator.windows import Levels, Touch, View, Window

PERIOD_MS = 500
KEPT_STEPS = 200


@dataclass(frozen=True, slots=True)
class Step:
    """One changed level, as one push tells it."""

    sequence: int
    price: int
    amount: int
    is_bid: bool


@dataclass(slots=True)
class Ladder:
    """One book's changes as single steps, each one sequence further, whether anybody listens or not.

    `steps` are those of the last step of the market. What is removed comes before what is set: a reader's book must not
    cross between two pushes. `told` remembers up to which of the book's own ids each sequence reaches.
    """

    listing: Listing
    sequence: int = field(init=False)
    steps: list[Step] = field(default_factory=list[Step])
    told: deque[tuple[int, int]] = field(default_factory=lambda: deque[tuple[int, int]](maxlen=KEPT_STEPS))
    _window: Window = field(init=False)

    def __post_init__(self) -> None:
        self.sequence = self.listing.book.update_id
        self._window = Window(self.listing, PERIOD_MS)
        self.told.append((self.listing.book.update_id, self.sequence))

    def collect(self, tick: Tick) -> None:
        """To be called after every step."""
        change = self._window.collect(tick)
        if change is None:
            self.steps = []
            return
        rows = [(p, a, True) for p, a in change.bids] + [(p, a, False) for p, a in change.asks]
        rows.sort(key=lambda row: row[1] > 0)
        self.steps = [Step(self.sequence + i, *row) for i, row in enumerate(rows, start=1)]
        self.sequence += len(rows)
        self.told.append((change.last_id, self.sequence))

    def find_sequence(self, update_id: int) -> int:
        """The sequence that a copy of the book at this id of its own reaches at least."""
        at = bisect_right(self.told, update_id, key=lambda pair: pair[0])
        return self.told[max(at - 1, 0)][1]


def open_topic(name: str, symbol: str, ladders: dict[str, Ladder]) -> Channel | None:
    """The topic of a contract; None when either does not exist."""
    listed, _, bar = symbol.partition("_")
    ladder = ladders.get(listed)
    if ladder is None or (bar and name != "/contractMarket/limitCandle"):
        return None
    topic = f"{name}:{symbol}"
    if name == "/contractMarket/limitCandle":
        return _candles(ladder, topic, bar) if bar in BARS else None
    if name in ("/contractMarket/level2Depth5", "/contractMarket/level2Depth50"):
        return _depth(ladder, topic, int(name.partition("Depth")[2]))
    makers: dict[str, Callable[[Ladder, str], Channel]] = {
        "/contractMarket/execution": _match,
        "/contractMarket/tickerV2": _ticker,
        "/contractMarket/level2": _level2,
        "/contractMarket/snapshot": _day,
        "/contract/instrument": _figures,
    }
    return makers[name](ladder, topic) if name in makers else None


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


def _match(ladder: Ladder, topic: str) -> Channel:
    listing = ladder.listing
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


def ticker_data(ladder: Ladder, now_us: int) -> str:
    """The best levels."""
    t, book = ladder.listing.instrument, ladder.listing.book
    return (
        f'{{"symbol":"{t.symbol}","sequence":{ladder.sequence},"bestBidSize":{book.bids[book.best_bid]},'
        f'"bestBidPrice":"{t.price_text(book.best_bid)}","bestAskPrice":"{t.price_text(book.best_ask)}",'
        f'"bestAskSize":{book.asks[book.best_ask]},"ts":{now_us * 1000}}}'
    )


def _ticker(ladder: Ladder, topic: str) -> Channel:
    touch = Touch(ladder.listing)

    def first(tick: Tick) -> str:
        return push(topic, "tickerV2", ticker_data(ladder, tick.now_us))

    def texts(tick: Tick) -> list[str]:
        return [first(tick)] if tick.due(PERIOD_MS) and touch.has_moved() else []

    return Channel(symbol=ladder.listing.instrument.symbol, channel="bbo", texts=texts, first=first)


def _level2(ladder: Ladder, topic: str) -> Channel:
    t = ladder.listing.instrument

    def texts(tick: Tick) -> list[str]:
        return [
            push(
                topic,
                "level2",
                f'{{"sequence":{x.sequence},"change":"{t.price_text(x.price)},{"buy" if x.is_bid else "sell"},'
                f'{x.amount}","timestamp":{tick.now_ms}}}',
            )
            for x in ladder.steps
        ]

    return Channel(symbol=t.symbol, channel="depth", texts=texts, is_delta=True)


def depth_rows(listing: Listing, levels: Levels) -> str:
    """JSON rows of [price, size]: prices are text here."""
    t = listing.instrument
    return "[" + ",".join(f'["{t.price_text(p)}",{a}]' for p, a in levels) + "]"


def _depth(ladder: Ladder, topic: str, levels: int) -> Channel:
    listing = ladder.listing
    view = View(listing, levels, 100)

    def first(tick: Tick) -> str:
        bids, asks = listing.book.list_bids(levels), listing.book.list_asks(levels)
        data = (
            f'{{"bids":{depth_rows(listing, bids)},"sequence":{ladder.sequence},"timestamp":{tick.now_ms},'
            f'"ts":{tick.now_ms},"asks":{depth_rows(listing, asks)}}}'
        )
        return push(topic, "level2", data)

    def texts(tick: Tick) -> list[str]:
        return [first(tick)] if view.collect(tick) is not None else []

    return Channel(symbol=listing.instrument.symbol, channel="depth", texts=texts, first=first)


def _day(ladder: Ladder, topic: str) -> Channel:
    listing = ladder.listing
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

    def texts(tick: Tick) -> list[str]:
        return [first(tick)] if tick.due(5000) else []

    return Channel(symbol=t.symbol, channel="ticker", texts=texts, first=first)


def mark_texts(listing: Listing) -> tuple[str, str]:
    """Mark and index price, two decimals finer than the contract's own."""
    scale = listing.instrument.price_scale
    mark = round(listing.mark_price() * 100)
    return number_text(mark, scale + 2, -1), number_text(mark * 10_002 // 10_000, scale + 2, -1)


def _figures(ladder: Ladder, topic: str) -> Channel:
    """`/contract/instrument`: mark and index every second, the funding rate every minute and to newcomers."""
    listing = ladder.listing

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


def _candles(ladder: Ladder, topic: str, bar: str) -> Channel:
    listing = ladder.listing
    t, length = listing.instrument, BARS[bar] * 10**6

    def first(tick: Tick) -> str:
        c = listing.candles.find(tick.now_us - tick.now_us % length, length)
        prices = ",".join(f'"{t.price_text(price)}"' for price in (c.open, c.close, c.high, c.low))
        row = f'["{c.start_us // 10**6}",{prices},"{quote_text(listing, c.quote)}","{c.volume}"]'
        data = f'{{"symbol":"{t.symbol}","candles":{row},"time":{tick.now_ms}}}'
        return push(topic, "candle.stick", data)

    def texts(tick: Tick) -> list[str]:
        return [first(tick)] if tick.due(1000) else []

    return Channel(symbol=t.symbol, channel="candles", texts=texts, first=first)
