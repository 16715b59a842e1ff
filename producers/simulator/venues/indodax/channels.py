"""Indodax's channels: streams of publications with a position, what they kept, and what they publish after a step.

https://github.com/btcid/indodax-official-api-docs/blob/master/Marketdata-websocket.md
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from itertools import groupby
from typing import Any

from producers.simulator.hub import Tick, rows_text
from producers.simulator.market.instruments import number_text
from producers.simulator.market.listing import Listing, Trade
from producers.simulator.windows import View

TRADES = "market:trade-activity-"
BOOK = "market:order-book-"
TICK = "chart:tick-"
SUMMARY = "market:summary-24h"
KINDS = {TRADES: "trades", BOOK: "depth", TICK: "trades", SUMMARY: "ticker"}
KEPT = {TRADES: 500, BOOK: 5, TICK: 500, SUMMARY: 0}  # publications; how many the venue keeps is not documented
LEVELS = 50
BOOK_MS, SUMMARY_MS = 500, 1000  # assumed: the page names no intervals
ListPayloads = Callable[[Tick], list[str]]


class Channel:
    """One stream: within an epoch the offset of its publications counts up by one."""

    def __init__(self, name: str, terms: tuple[str, str, int], list_payloads: ListPayloads) -> None:
        self.name = name
        self.symbol, self.kind, kept = terms
        self.epoch = ""
        self.offset = 0
        self._kept: deque[tuple[int, str]] = deque(maxlen=kept)
        self._list_payloads = list_payloads

    def begin(self, epoch: str, offset: int = 0) -> None:
        """Start a new stream: nothing is kept."""
        self.epoch, self.offset = epoch, offset
        self._kept.clear()

    def publish(self, tick: Tick) -> list[str]:
        """The messages after a step."""
        texts: list[str] = []
        for payload in self._list_payloads(tick):
            self.offset += 1
            self._kept.append((self.offset, payload))
            texts.append(f'{{"result":{{"channel":"{self.name}","data":{{"data":{payload},"offset":{self.offset}}}}}}}')
        return texts

    def position(self, params: dict[str, Any]) -> str:
        """The answer to a subscription: where the stream is, and what came since the requested offset.

        `recovered` is there only when nothing is missing.
        """
        recovered, wanted = "", params.get("offset")
        if params.get("recover") and isinstance(wanted, int) and params.get("epoch", self.epoch) == self.epoch:
            missed = [(offset, payload) for offset, payload in self._kept if offset > wanted]
            if len(missed) == self.offset - wanted:
                rows = rows_text(f'{{"data":{payload},"offset":{offset}}}' for offset, payload in missed)
                recovered = f'"publications":{rows},"recovered":true,'
        return f'{{"recoverable":true,"epoch":"{self.epoch}",{recovered}"offset":{self.offset}}}'


def open_channel(name: str, prefix: str, listing: Listing | None, listings: list[Listing]) -> Channel:
    """The channel of this name; of an unknown pair (no listing) it never publishes anything."""
    sources: dict[str, Callable[[Listing], ListPayloads]] = {TRADES: _trades, TICK: _ticks, BOOK: _books}
    if prefix == SUMMARY:
        return Channel(name, ("", KINDS[prefix], KEPT[prefix]), _summaries(listings))
    symbol = name.removeprefix(prefix)
    source: ListPayloads = (lambda _tick: []) if listing is None else sources[prefix](listing)
    return Channel(name, (symbol, KINDS[prefix], KEPT[prefix]), source)


def quote_text(listing: Listing, units: int) -> str:
    """An amount of the quote coin, in whole rupiah."""
    t = listing.instrument
    return number_text(units, t.price_scale + t.amount_scale, 0)


def _orders(listing: Listing) -> list[list[Trade]]:
    return [list(fills) for _, fills in groupby(listing.trades, key=lambda trade: trade.order)]


def _trades(listing: Listing) -> ListPayloads:
    """A publication an aggressor, a row a fill."""
    t = listing.instrument

    def row(trade: Trade) -> str:
        side = "buy" if trade.taker_buys else "sell"
        price, amount = t.price_text(trade.price), t.amount_text(trade.amount)
        worth = quote_text(listing, trade.price * trade.amount)
        return f'["{t.symbol}",{trade.ts_us // 10**6},{trade.id},"{side}",{price},"{worth}","{amount}"]'

    return lambda _tick: [rows_text(row(trade) for trade in fills) for fills in _orders(listing)]


def _ticks(listing: Listing) -> ListPayloads:
    t = listing.instrument

    def row(trade: Trade) -> str:
        return f'[{trade.ts_us // 10**6},{trade.id},{t.price_text(trade.price)},"{t.amount_text(trade.amount)}"]'

    return lambda _tick: [rows_text(row(trade) for trade in fills) for fills in _orders(listing)]


def _books(listing: Listing) -> ListPayloads:
    """The whole visible book whenever it changed; amounts under keys that name the coin."""
    t, view = listing.instrument, View(listing, LEVELS, BOOK_MS)
    base, quote = t.base.lower(), t.quote.lower()

    def side(levels: list[tuple[int, int]]) -> str:
        return rows_text(
            f'{{"{base}_volume":"{t.amount_text(amount)}","{quote}_volume":"{quote_text(listing, price * amount)}",'
            f'"price":"{t.price_text(price)}"}}'
            for price, amount in levels
        )

    def payloads(tick: Tick) -> list[str]:
        if view.collect(tick) is None:
            return []
        bids, asks = view.levels()
        return [f'{{"pair":"{t.symbol}","ask":{side(asks)},"bid":{side(bids)}}}']

    return payloads


def _summaries(listings: list[Listing]) -> ListPayloads:
    """The pairs that traded since the last time; low comes before high."""
    counts: dict[str, int] = {}

    def row(listing: Listing, now_us: int) -> str:
        t = listing.instrument
        prices = (listing.last.price, listing.low_24h, listing.high_24h, listing.open_24h)
        shown = ",".join(t.price_text(price) for price in prices)
        worth = number_text(listing.quote_units, t.price_scale + t.amount_scale, 8)
        return f'["{t.symbol}",{now_us // 10**6},{shown},"{worth}","{listing.volume_text()}"]'

    def payloads(tick: Tick) -> list[str]:
        if not tick.due(SUMMARY_MS):
            return []
        changed = [item for item in listings if counts.get(item.instrument.symbol) != item.trade_count]
        counts.update({item.instrument.symbol: item.trade_count for item in changed})
        return [rows_text(row(item, tick.now_us) for item in changed)] if changed else []

    return payloads
