"""HTX's trades, books, tickers and candles: pure functions from one channel's frame to its events."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Final
from zlib import crc32

from msgspec.structs import replace

from contracts import market as events
from contracts.codec import fast
from contracts.errors import FrameError
from producers.normalize import sizes
from producers.venue import Decoded
from producers.venues.htx import figures, wire
from producers.venues.htx.figures import ABSENT, MS, identity, levels, number, optional_amount, optional_price
from producers.venues.htx.topic import Topic

FastTrade = fast(events.Trade)
FastTicker = fast(events.Ticker)
FastDelta = fast(events.BookDelta)
FastBook = fast(events.BookSnapshot)
FastCandle = fast(events.Candle)

TIMEFRAMES: Final[dict[str, str]] = {
    "1min": "1m",
    "5min": "5m",
    "15min": "15m",
    "30min": "30m",
    "60min": "1h",
    "4hour": "4h",
    "1day": "1d",
    "1week": "1w",
    "1mon": "1M",
}
_SIDES: Final = {"buy": "buy", "sell": "sell", "": None}
_SECONDS: Final = {"1d": 86_400, "1w": 604_800}
_MONDAY: Final = 4 * 86_400  # 1970-01-05, in s


def decode_trades(topic: Topic, frame: bytes, ts_recv: int, channel: str) -> list[Decoded]:  # noqa: ARG001
    """Read trades."""
    return [trade_event(topic, row, ts_recv) for row in wire.decode_trades(frame).tick.data or ()]


def trade_event(topic: Topic, row: wire.Trade, ts_recv: int) -> Decoded:
    """Make the event of a trade. Contracts give coins as `quantity`, used where the contract's worth is not known.

    Whether the `amount` of contracts counts both sides is not confirmed; it is taken as one side's, as all venues do.
    """
    instrument, contracts = topic.instrument, None
    price, amount = figures.price(row.price, "tick.data.price"), number(row.amount, "tick.data.amount")
    if instrument.sized_in_contracts:
        quantity = figures.optional_quotient(row.quantity, "tick.data.quantity")
        base, contracts = sizes.sizes(instrument, amount, price)
        amount = quantity if base is None else base
    trade_id = identity(row.id if row.tradeId == ABSENT else row.tradeId)
    if not trade_id:
        raise FrameError("a trade has neither tradeId nor id", field="tick.data.id")
    return FastTrade(
        id=f"{topic.tail}.trade.{trade_id}",
        venue=instrument.venue,
        symbol=instrument.symbol,
        venue_symbol=instrument.venue_symbol,
        ts_event=row.ts * MS,
        ts_recv=ts_recv,
        sim=topic.sim,
        trade_id=trade_id,
        price=price,
        amount=amount,
        contracts=contracts,
        side=_side(row.direction),
        seq=None,
    )


def _side(direction: str) -> str | None:
    if direction not in _SIDES:
        raise FrameError(f"unknown direction {direction!r}", field="tick.data.direction")
    return _SIDES[direction]


def decode_mbp(topic: Topic, frame: bytes, ts_recv: int, channel: str) -> list[Decoded]:
    """Read changes of a spot book, chained by `prevSeqNum`."""
    push = wire.decode_book(frame)
    seq, prev = push.tick.seqNum, push.tick.prevSeqNum
    if seq is None or prev is None:
        raise FrameError(f"{channel} without tick.seqNum or tick.prevSeqNum", field="tick.seqNum, tick.prevSeqNum")
    return [_delta(topic, push, ts_recv, (f"{channel}-{seq}", seq, prev))]


def decode_refresh(topic: Topic, frame: bytes, ts_recv: int, channel: str) -> list[Decoded]:
    """Read `mbp.refresh.N`: the best levels of a spot book, whole."""
    push = wire.decode_book(frame)
    native = f"{channel}-{push.tick.seqNum}-{push.ts}-{crc32(frame):08x}"
    return [_delta(topic, push, ts_recv, (native, push.tick.seqNum, None))]


def decode_step0(topic: Topic, frame: bytes, ts_recv: int, channel: str) -> list[Decoded]:
    """Read `depth.step0`: 150 levels, whole. The `version` of contracts is a time in seconds here: no sequence."""
    push = wire.decode_book(frame)
    seq = push.tick.version if topic.is_spot else None
    native = f"{channel}-{push.tick.version}-{push.ts}-{crc32(frame):08x}"
    return [_delta(topic, push, ts_recv, (native, seq, None), whole=not push.update)]


def decode_high_freq(topic: Topic, frame: bytes, ts_recv: int, channel: str) -> list[Decoded]:
    """Read the book of a contract: a snapshot, then updates whose `version` grows by one, empty ones too."""
    push = wire.decode_book(frame)
    event, version = push.tick.event, push.tick.version
    if version is None or event not in {"snapshot", "update"}:
        raise FrameError(f"{channel} with event {event!r} and version {version!r}", field="tick.event, tick.version")
    if event == "snapshot":
        return [_delta(topic, push, ts_recv, (f"{channel}-snapshot-{version}-{push.ts}", version, None))]
    return [_delta(topic, push, ts_recv, (f"{channel}-{version}", version, version - 1))]


def _delta(
    topic: Topic, push: wire.Book, ts_recv: int, chain: tuple[str, int | None, int | None], *, whole: bool | None = None
) -> Decoded:
    """Build a delta; one that continues nothing is a whole book. The time is the push's, not the `tick`'s."""
    native, seq, prev = chain
    if whole is None:
        whole = prev is None
    instrument = topic.instrument
    bids, asks = levels(push.tick.bids, whole=whole), levels(push.tick.asks, whole=whole)
    bids, asks, unit = sizes.book(instrument, bids, asks)
    return FastDelta(
        id=f"{topic.tail}.delta.{native}",
        venue=instrument.venue,
        symbol=instrument.symbol,
        venue_symbol=instrument.venue_symbol,
        ts_event=push.ts * MS,
        ts_recv=ts_recv,
        sim=topic.sim,
        bids=bids,
        asks=asks,
        seq=seq,
        prev_seq=prev,
        is_snapshot=whole,
        unit=unit,
    )


def decode_book_answer(topic: Topic, frame: bytes, ts_recv: int, channel: str) -> list[Decoded]:
    """Read the book that was asked for on the socket; its `seqNum` is of the changes' chain."""
    answer = wire.decode_book_answer(frame)
    return [whole_book(topic, (answer.data, f"{channel}-{answer.data.seqNum}"), answer.ts, ts_recv)]


def whole_book(topic: Topic, book: tuple[wire.Depth, str], ts: int | None, ts_recv: int) -> Decoded:
    """Build the event of a book that was asked for, given with the native part of its id; `ts` in ms."""
    depth, native = book
    instrument = topic.instrument
    bids, asks = levels(depth.bids, whole=True), levels(depth.asks, whole=True)
    bids, asks, unit = sizes.book(instrument, bids, asks)
    return FastBook(
        id=f"{topic.tail}.book.{native}",
        **topic.common(None if ts is None else ts * MS, ts_recv),
        bids=bids,
        asks=asks,
        seq=depth.seqNum,
        quality="sim" if topic.sim else "live",
        checksum=None,
        venue_checksum=None,
        unit=unit,
    )


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
    return replace(
        _blank(topic),
        id=f"{topic.tail}.ticker.{native[0]}",
        ts_event=ts * MS,
        ts_recv=native[2],
        bid=bid,
        bid_amount=bid_amount,
        ask=ask,
        ask_amount=ask_amount,
        seq=native[1],
    )


def _blank(topic: Topic) -> Decoded:
    """Give the instrument's ticker without figures, of which others are made: cheaper than naming every field."""
    if topic.blank is None:
        topic.blank = FastTicker(id="", **topic.common(None, 0))
    return topic.blank


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
        replace(
            _blank(topic),
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


def decode_candle(topic: Topic, frame: bytes, ts_recv: int, channel: str) -> list[Decoded]:
    """Read a candle. Days, weeks and months are ours only where they open at midnight UTC, weeks on a Monday.

    The venue never says that a candle is closed: it pushes the next one. `amount` counts coins, also of contracts.
    """
    timeframe = TIMEFRAMES[channel.removeprefix("kline.")]
    tick = wire.decode_kline(frame).tick
    if not _is_utc(timeframe, tick.id):
        return []
    volume = number(tick.amount, "tick.amount")
    count = optional_amount(tick.count, "tick.count")
    quoted = tick.vol if topic.is_spot else tick.turnover
    return [
        FastCandle(
            id=f"{topic.tail}.candle.{timeframe}-{tick.id}-{crc32(frame):08x}",
            **topic.common(None, ts_recv),
            timeframe=timeframe,
            open=figures.price(tick.open, "tick.open"),
            high=figures.price(tick.high, "tick.high"),
            low=figures.price(tick.low, "tick.low"),
            close=figures.price(tick.close, "tick.close"),
            volume=volume,
            quote_volume=optional_amount(quoted, "tick.vol, tick.trade_turnover"),
            trades=None if count is None else int(count.partition(".")[0]),
            closed=False,
            start_ts=tick.id * 1000 * MS,
        )
    ]


def _is_utc(timeframe: str, start: int) -> bool:
    if timeframe == "1M":
        opened = datetime.fromtimestamp(start, UTC)
        return (opened.day, opened.hour, opened.minute) == (1, 0, 0)
    length = _SECONDS.get(timeframe)
    return length is None or (start - (_MONDAY if timeframe == "1w" else 0)) % length == 0
