"""Coinbase Advanced Trade's channels: the messages of trades, books and tickers after a step.

https://docs.cdp.coinbase.com/coinbase-app/advanced-trade-apis/websocket/websocket-channels; a message carries no
`client_id` any more, and `heartbeat_counter` is a number (recorded 2026-09-30).
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from producers.simulator.hub import Tick, encode, rows_text, time_text
from producers.simulator.market.listing import Listing, Trade
from producers.simulator.topics import Topic
from producers.simulator.venues.coinbase.options import Options
from producers.simulator.windows import Levels, Window

BOOK_MS, BATCH_MS = 50, 5000
BACKLOG = 50
NUMBER = '"sequence_num":null'  # stands in every text where the socket's own number is to be written
CHANNELS = ("market_trades", "level2", "ticker", "ticker_batch")


def message(channel: str, now_us: int, events: list[dict[str, Any]]) -> str:
    """One message, its number still to be written."""
    return _wrap(channel, now_us, encode(events))


def open_channel(channel: str, listing: Listing, options: Options) -> Topic:
    """The topic of one channel (one of CHANNELS) and product."""
    if channel == "market_trades":
        return MarketTrades(listing, side_is_taker=options.advanced_side_is_taker)
    if channel == "level2":
        return Level2(listing)
    return Ticker(listing, channel)


class MarketTrades:
    """`market_trades`: the fills of a step in one message, newest first; a snapshot repeats the last ones."""

    channel = "trades"
    is_delta = False

    def __init__(self, listing: Listing, *, side_is_taker: bool) -> None:
        self._listing = listing
        self._side_is_taker = side_is_taker
        self.symbol = listing.instrument.symbol

    def list_texts(self, tick: Tick) -> list[str]:
        trades = self._listing.trades
        return [self._text(tick, "update", trades)] if trades else []

    def snapshot(self, tick: Tick) -> str:
        return self._text(tick, "snapshot", list(self._listing.recent)[-BACKLOG:])

    def _text(self, tick: Tick, kind: str, trades: list[Trade]) -> str:
        rows = [trade_row(self._listing, trade, side_is_taker=self._side_is_taker) for trade in reversed(trades)]
        return message("market_trades", tick.now_us, [{"type": kind, "trades": rows}])


class Level2:
    """`level2`, pushed as `l2_data`: the whole book, then absolute quantities every 50 ms."""

    channel = "depth"
    is_delta = True

    def __init__(self, listing: Listing) -> None:
        self._listing = listing
        self._window = Window(listing, BOOK_MS)
        self.symbol = listing.instrument.symbol

    def list_texts(self, tick: Tick) -> list[str]:
        change = self._window.collect(tick)
        return [] if change is None else [self._text(tick, "update", change.bids, change.asks)]

    def snapshot(self, tick: Tick) -> str:
        book = self._listing.book
        return self._text(tick, "snapshot", book.list_bids(), book.list_asks())

    def _text(self, tick: Tick, kind: str, bids: Levels, asks: Levels) -> str:
        now = time_text(tick.now_us)
        rows = rows_text([*self._rows("bid", now, bids), *self._rows("offer", now, asks)])
        event = f'[{{"type":"{kind}","product_id":"{self.symbol}","updates":{rows}}}]'
        return _wrap("l2_data", tick.now_us, event)

    def _rows(self, side: str, now: str, levels: Levels) -> Iterable[str]:
        t = self._listing.instrument
        return (
            f'{{"side":"{side}","event_time":"{now}","price_level":"{t.price_text(price)}",'
            f'"new_quantity":"{t.amount_text(amount)}"}}'
            for price, amount in levels
        )


class Ticker:
    """`ticker`: after matches; `ticker_batch`: every 5 s, and without the best prices."""

    channel = "ticker"
    is_delta = False

    def __init__(self, listing: Listing, name: str) -> None:
        self._listing = listing
        self._name = name
        self.symbol = listing.instrument.symbol

    def list_texts(self, tick: Tick) -> list[str]:
        due = tick.due(BATCH_MS) if self._name == "ticker_batch" else bool(self._listing.trades)
        return [self._text(tick, "update")] if due else []

    def snapshot(self, tick: Tick) -> str:
        return self._text(tick, "snapshot")

    def _text(self, tick: Tick, kind: str) -> str:
        row = ticker_row(self._listing, with_best=self._name == "ticker")
        return message(self._name, tick.now_us, [{"type": kind, "tickers": [row]}])


def trade_row(listing: Listing, trade: Trade, *, side_is_taker: bool) -> dict[str, str]:
    """Return one fill; whose side it names is one of the `Options`."""
    t = listing.instrument
    return {
        "product_id": t.symbol,
        "trade_id": str(trade.id),
        "price": t.price_text(trade.price),
        "size": t.amount_text(trade.amount).rstrip("0").rstrip("."),
        "time": time_text(trade.ts_us),
        "side": "BUY" if trade.taker_buys == side_is_taker else "SELL",
    }


def ticker_row(listing: Listing, *, with_best: bool) -> dict[str, str]:
    """The figures of a product."""
    t, book, last = listing.instrument, listing.book, listing.last.price
    row = {
        "type": "ticker",
        "product_id": t.symbol,
        "price": t.price_text(last),
        "volume_24_h": listing.volume_text(),
        "low_24_h": t.price_text(listing.low_24h),
        "high_24_h": t.price_text(listing.high_24h),
        "low_52_w": t.price_text(listing.low_24h // 2),
        "high_52_w": t.price_text(listing.high_24h * 2),
        "price_percent_chg_24_h": f"{(last - listing.open_24h) / listing.open_24h * 100:.14f}",
    }
    if not with_best:
        return row
    return row | {
        "best_bid": t.price_text(book.best_bid),
        "best_bid_quantity": t.amount_text(book.bids[book.best_bid]),
        "best_ask": t.price_text(book.best_ask),
        "best_ask_quantity": t.amount_text(book.asks[book.best_ask]),
    }


def _wrap(channel: str, now_us: int, events: str) -> str:
    return f'{{"channel":"{channel}","timestamp":"{time_text(now_us)}",{NUMBER},"events":{events}}}'
