"""HTX's best levels and figures of 24 hours to events."""

from __future__ import annotations

from zlib import crc32

from producers.normalize import sizes
from producers.venue import Decoded
from producers.venues.htx import wire
from producers.venues.htx.topics import Topic
from producers.venues.htx.wire_numbers import ABSENT, MS, levels, optional_amount, optional_price


def decode_best(topic: Topic, frame: bytes, ts_recv: int, channel: str) -> list[Decoded]:
    """Read `bbo`; a side may be null. Without a `quoteTime` a spot quote is none."""
    if topic.is_spot:
        tick = wire.decode_best_spot(frame).tick
        if not tick.quoteTime:
            return []
        bid, ask = (tick.bid, tick.bidSize), (tick.ask, tick.askSize)
        native = (f"{channel}-{tick.seqId}-{crc32(frame):08x}", tick.seqId, ts_recv)
        return [_quote(topic, (bid, ask), tick.quoteTime, native)]
    best = wire.decode_best(frame).tick
    native = (f"{channel}-{best.version}-{best.ts}-{crc32(frame):08x}", best.version, ts_recv)
    return [_quote(topic, (_pair(best.bid), _pair(best.ask)), best.ts, native)]


def _pair(side: list[wire.Raw] | None) -> tuple[wire.Raw, wire.Raw]:
    if not side:
        return ABSENT, ABSENT
    price, size = side
    return price, size


def _quote(
    topic: Topic,
    sides: tuple[tuple[wire.Raw, wire.Raw], tuple[wire.Raw, wire.Raw]],
    ts: int,
    native: tuple[str, int | None, int],
) -> Decoded:
    (bid, bid_amount), (ask, ask_amount) = (_side_of(topic, *side) for side in sides)
    return topic.make.ticker(
        id=f"{topic.tail}.ticker.{native[0]}",
        ts_event=ts * MS,
        ts_recv=native[2],
        bid=bid,
        bid_amount=bid_amount,
        ask=ask,
        ask_amount=ask_amount,
        seq=native[1],
    )


def _side_of(topic: Topic, price: wire.Raw, size: wire.Raw) -> tuple[str | None, str | None]:
    found, amount = optional_price(price, "tick.bid/tick.ask"), optional_amount(size, "tick.bidSize/tick.askSize")
    return found, None if found is None or amount is None else sizes.amount(topic.instrument, amount, found)


def decode_day(topic: Topic, frame: bytes, ts_recv: int, channel: str) -> list[Decoded]:
    """Read the figures of 24 hours; spot's `ticker` and contracts' `detail` may have the best levels beside them."""
    push = wire.decode_day(frame)
    tick, price = push.tick, optional_price
    quoted = tick.vol if topic.is_spot else tick.turnover
    bid, bid_amount = _best_of(topic, tick.bid, tick.bidSize)
    ask, ask_amount = _best_of(topic, tick.ask, tick.askSize)
    return [
        topic.make.ticker(
            id=f"{topic.tail}.ticker.{channel}-{push.ts}-{crc32(frame):08x}",
            ts_event=push.ts * MS,
            ts_recv=ts_recv,
            last=price(tick.close, "tick.close"),
            bid=bid,
            bid_amount=bid_amount,
            ask=ask,
            ask_amount=ask_amount,
            open_24h=price(tick.open, "tick.open"),
            high_24h=price(tick.high, "tick.high"),
            low_24h=price(tick.low, "tick.low"),
            volume_24h=optional_amount(tick.amount, "tick.amount"),
            quote_volume_24h=optional_amount(quoted, "tick.vol, tick.trade_turnover"),
        )
    ]


def _best_of(topic: Topic, price: wire.Raw, size: wire.Raw) -> tuple[str | None, str | None]:
    """Read a best level given as number and size, or as a pair."""
    if not bytes(price).startswith(b"["):
        return _side_of(topic, price, size)
    found = levels(wire.Raw(b"[" + bytes(price) + b"]"), whole=True)
    if not found:
        return None, None
    return found[0][0], sizes.amount(topic.instrument, found[0][1], found[0][0])
