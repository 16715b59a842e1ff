"""Coinbase's feed channels: the texts of matches, tickers, level 2 and heartbeats after a step.

https://docs.cdp.coinbase.com/exchange/websocket-feed/channels
"""

from __future__ import annotations

from typing import Any
from uuid import UUID

from producers.simulator.hub import Tick, encode, time_text
from producers.simulator.market.listing import Listing, Trade
from producers.simulator.topics import Topic
from producers.simulator.venue import pairs_text
from producers.simulator.windows import Window

SECOND_US = 1_000_000
AUTHENTICATED = ("level2", "level3", "full", "user")
CHANNELS = ("matches", "ticker", "ticker_batch", "level2", "level2_batch", "heartbeat", "status")


def open_channel(channel: str, listing: Listing) -> Topic:
    """The topic of one channel (one of CHANNELS) and product."""
    if channel == "matches":
        return Matches(listing)
    if channel in ("ticker", "ticker_batch"):
        return Ticker(listing, is_batch=channel == "ticker_batch")
    if channel == "heartbeat":
        return HeartbeatTopic(listing)
    if channel == "status":
        return Status(listing)
    return Level2(listing)


class Matches:
    """`matches`: one frame a fill, `side` is the maker's; a new subscriber receives the `last_match`."""

    channel = "trades"
    is_delta = False

    def __init__(self, listing: Listing) -> None:
        self._listing = listing
        self.symbol = listing.instrument.symbol

    def list_texts(self, tick: Tick) -> list[str]:
        return [self._text("match", trade) for trade in self._listing.trades]

    def snapshot(self, tick: Tick) -> str | None:
        return self._text("last_match", self._listing.last)

    def _text(self, kind: str, trade: Trade) -> str:
        t = self._listing.instrument
        return (
            f'{{"type":"{kind}","trade_id":{trade.id},"maker_order_id":"{UUID(int=trade.id << 70 | 0x4A1)}",'
            f'"taker_order_id":"{UUID(int=trade.order << 70 | 0x7B2)}","side":"{maker_side(trade)}",'
            f'"size":"{t.amount_text(trade.amount)}","price":"{t.price_text(trade.price)}","product_id":"{t.symbol}",'
            f'"sequence":{trade.order},"time":"{time_text(trade.ts_us)}"}}'
        )


class Ticker:
    """`ticker`: after every match; `ticker_batch`: every 5 s. `side` is the taker's."""

    channel = "ticker"
    is_delta = False

    def __init__(self, listing: Listing, *, is_batch: bool) -> None:
        self._listing = listing
        self._is_batch = is_batch
        self.symbol = listing.instrument.symbol

    def list_texts(self, tick: Tick) -> list[str]:
        if self._is_batch:
            return [self._text(self._listing.last)] if tick.due(5000) else []
        return [self._text(trade) for trade in self._listing.trades]

    def snapshot(self, tick: Tick) -> str | None:
        return self._text(self._listing.last)

    def _text(self, trade: Trade) -> str:
        listing, t, book = self._listing, self._listing.instrument, self._listing.book
        row: dict[str, Any] = {
            "type": "ticker",
            "sequence": trade.order,
            "product_id": t.symbol,
            "price": t.price_text(trade.price),
            "open_24h": t.price_text(listing.open_24h),
            "volume_24h": listing.volume_text(),
            "low_24h": t.price_text(listing.low_24h),
            "high_24h": t.price_text(listing.high_24h),
            "volume_30d": t.amount_text(listing.volume_units * 29),
            "best_bid": t.price_text(book.best_bid),
            "best_bid_size": t.amount_text(book.bids[book.best_bid]),
            "best_ask": t.price_text(book.best_ask),
            "best_ask_size": t.amount_text(book.asks[book.best_ask]),
            "side": "buy" if trade.taker_buys else "sell",
            "time": time_text(trade.ts_us),
            "trade_id": trade.id,
            "last_size": t.amount_text(trade.amount),
        }
        return encode(row)


class Level2:
    """`level2`, `level2_batch`: the whole book, then absolute sizes every 50 ms; there are no sequence numbers."""

    channel = "depth"
    is_delta = True

    def __init__(self, listing: Listing) -> None:
        self._listing = listing
        self._window = Window(listing, 50)
        self.symbol = listing.instrument.symbol

    def list_texts(self, tick: Tick) -> list[str]:
        change = self._window.collect(tick)
        if change is None:
            return []
        t = self._listing.instrument
        rows = [f'["buy","{t.price_text(price)}","{t.amount_text(amount)}"]' for price, amount in change.bids]
        rows.extend(f'["sell","{t.price_text(price)}","{t.amount_text(amount)}"]' for price, amount in change.asks)
        head = f'"type":"l2update","product_id":"{t.symbol}","changes":[{",".join(rows)}]'
        return [f'{{{head},"time":"{time_text(tick.now_us)}"}}']

    def snapshot(self, tick: Tick) -> str | None:
        book, listing = self._listing.book, self._listing
        asks, bids = pairs_text(listing, book.list_asks()), pairs_text(listing, book.list_bids())
        head = f'"type":"snapshot","product_id":"{self.symbol}","asks":{asks},"bids":{bids}'
        return f'{{{head},"time":"{time_text(tick.now_us)}"}}'


class HeartbeatTopic:
    """`heartbeat`: once a second, with the id of the last trade."""

    channel = "heartbeat"
    is_delta = False

    def __init__(self, listing: Listing) -> None:
        self._listing = listing
        self._sent_us = 0
        self.symbol = listing.instrument.symbol

    def list_texts(self, tick: Tick) -> list[str]:
        if tick.now_us - self._sent_us < SECOND_US:
            return []
        self._sent_us = tick.now_us
        sequence, last_id = self._listing.book.update_id, self._listing.last.id
        row = {"type": "heartbeat", "sequence": sequence, "last_trade_id": last_id, "product_id": self.symbol}
        return [encode({**row, "time": time_text(tick.now_us)})]

    def snapshot(self, tick: Tick) -> str | None:
        return None


class Status:
    """`status`: the product, once for a new subscriber."""

    channel = "ticker"
    is_delta = False

    def __init__(self, listing: Listing) -> None:
        self._listing = listing
        self.symbol = listing.instrument.symbol

    def list_texts(self, tick: Tick) -> list[str]:
        return []

    def snapshot(self, tick: Tick) -> str | None:
        return encode({"type": "status", "products": [product_row(self._listing)], "currencies": []})


def maker_side(trade: Trade) -> str:
    """The side of the resting order."""
    return "sell" if trade.taker_buys else "buy"


def product_row(listing: Listing) -> dict[str, Any]:
    """A product as `/products` lists it."""
    t = listing.instrument
    return {
        "id": t.symbol,
        "base_currency": t.base,
        "quote_currency": t.quote,
        "quote_increment": t.tick,
        "base_increment": t.lot,
        "display_name": t.symbol,
        "min_market_funds": "1",
        "margin_enabled": False,
        "post_only": False,
        "limit_only": False,
        "cancel_only": False,
        "status": "online",
        "status_message": "",
        "trading_disabled": False,
        "fx_stablecoin": False,
        "max_slippage_percentage": "0.02000000",
        "auction_mode": False,
        "high_bid_limit_percentage": "",
    }
