"""Events of Kraken's WebSocket v2: trades, books with their checksums, tickers and candles.

https://docs.kraken.com/exchange/api-reference/spot-websocket-v2/trade and its neighbours.
"""

from __future__ import annotations

from collections.abc import Mapping
from zlib import crc32

from msgspec import Raw

from producers.normalize import numbers
from producers.venue import Decoded, Proof
from producers.venues.kraken import wire
from producers.venues.kraken.plan import TIMEFRAMES
from producers.venues.kraken.topics import Pair

Pairs = Mapping[str, Pair]


def on_trades(pairs: Pairs, frame: bytes, ts_recv: int) -> list[Decoded]:
    """Read trades; the backlog that a snapshot repeats is put into order, its ids are those of before.

    `trade_id` is a sequence number of the pair's trades (https://docs.kraken.com/api/docs/websocket-v2/trade).
    """
    message = wire.decode_trades(frame)
    rows = message.data if message.type == "update" else sorted(message.data, key=lambda row: row.trade_id)
    found: list[Decoded] = []
    for row in rows:
        pair, native = pairs[row.symbol], str(row.trade_id)
        found.append(
            pair.trade(
                id=pair.trade_id + native,
                ts_event=wire.time(row.timestamp, "data.timestamp"),
                ts_recv=ts_recv,
                trade_id=native,
                price=numbers.price(row.price, "data.price"),
                amount=numbers.number(row.qty, "data.qty"),
                side=row.side,
                seq=row.trade_id,
            )
        )
    return found


def on_books(pairs: Pairs, frame: bytes, ts_recv: int) -> list[Decoded]:
    """Read snapshots and changes, each with the checksum of the book after it. There are no sequence numbers."""
    message = wire.decode_books(frame)
    is_snapshot = message.type == "snapshot"
    found: list[Decoded] = []
    stamp = f"{crc32(frame):08x}"
    for place, row in enumerate(message.data):
        pair, ts_event = pairs[row.symbol], wire.optional_time(row.timestamp, "data.timestamp")
        found.append(
            pair.delta(
                id=f"{pair.tail}.delta.{ts_event or 0}-{stamp}" + (f"-{place}" if place else ""),
                ts_event=ts_event,
                ts_recv=ts_recv,
                bids=wire.read_levels(row.bids, "data.bids"),
                asks=wire.read_levels(row.asks, "data.asks"),
                is_snapshot=is_snapshot,
            )
        )
        if row.checksum is not None:
            found.append(Proof(pair.instrument, row.checksum))
    return found


def on_tickers(pairs: Pairs, frame: bytes, ts_recv: int) -> list[Decoded]:
    """Read tickers. A price of 0 stands for no price; a ticker that then says nothing is left out."""
    found: list[Decoded] = []
    stamp = f"{crc32(frame):08x}"
    for place, row in enumerate(wire.decode_tickers(frame).data):
        pair = pairs[row.symbol]
        ts_event = wire.optional_time(row.timestamp, "data.timestamp")
        bid, bid_amount = _quote(row.bid, row.bid_qty, "bid")
        ask, ask_amount = _quote(row.ask, row.ask_qty, "ask")
        last = numbers.optional_price(row.last, "data.last")
        if bid is None and ask is None and last is None:
            continue
        found.append(
            pair.ticker(
                id=f"{pair.tail}.ticker.{ts_event or 0}-{stamp}" + (f"-{place}" if place else ""),
                ts_event=ts_event,
                ts_recv=ts_recv,
                last=last,
                bid=bid,
                bid_amount=bid_amount,
                ask=ask,
                ask_amount=ask_amount,
                high_24h=numbers.optional_price(row.high, "data.high"),
                low_24h=numbers.optional_price(row.low, "data.low"),
                volume_24h=numbers.optional_amount(row.volume, "data.volume"),
                change_24h=numbers.optional(row.change_pct, "data.change_pct"),
            )
        )
    return found


def on_candles(pairs: Pairs, frame: bytes, ts_recv: int) -> list[Decoded]:
    """Read candles; the venue marks none as closed."""
    found: list[Decoded] = []
    for row in wire.decode_candles(frame).data:
        timeframe = TIMEFRAMES.get(row.interval)
        if timeframe is None:
            continue
        pair, start = pairs[row.symbol], wire.time(row.interval_begin, "data.interval_begin")
        volume = numbers.number(row.volume, "data.volume")
        bar = [numbers.price(raw, "data.open, high, low, close") for raw in (row.open, row.high, row.low, row.close)]
        found.append(
            pair.candle(
                id=f"{pair.tail}.candle.{timeframe}-{start}-{row.trades}-{volume}-{'-'.join(bar)}",
                ts_recv=ts_recv,
                timeframe=timeframe,
                open=bar[0],
                high=bar[1],
                low=bar[2],
                close=bar[3],
                volume=volume,
                trades=row.trades,
                start_ts=start,
            )
        )
    return found


def _quote(price: Raw, amount: Raw, side: str) -> tuple[str | None, str | None]:
    return numbers.quote(
        numbers.optional_price(price, f"data.{side}"), numbers.optional_amount(amount, f"data.{side}_qty")
    )
