"""OKX's trades, books, tickers, liquidations and candles: pure functions from one channel's frame to its events."""

from __future__ import annotations

from typing import Final

from msgspec.structs import replace

from contracts import market as events
from contracts.codec import fast
from contracts.errors import FrameError
from contracts.instrument import SPOT
from producers import sizes
from producers.venue import Decoded
from producers.venues.okx import wire
from producers.venues.okx.topic import Topic

FastLiquidation = fast(events.Liquidation)
FastCandle = fast(events.Candle)

WHOLE_BOOKS: Final = frozenset({"books5"})
_FORCED: Final = {"sell": "long", "buy": "short"}  # the side of the order: the position that it closes
_TICKER_FIGURES: Final = (
    *("last", "bidPx", "bidSz", "askPx", "askSz", "open24h", "high24h", "low24h", "vol24h", "volCcy24h"),
)
_POSITIONS: Final = frozenset({"long", "short"})
# Bars of six hours and more are Hong Kong's days, but for those that say `utc`: only these are candles of ours.
TIMEFRAMES: Final[dict[str, str]] = {
    "1s": "1s",
    "1m": "1m",
    "3m": "3m",
    "5m": "5m",
    "15m": "15m",
    "30m": "30m",
    "1H": "1h",
    "2H": "2h",
    "4H": "4h",
    "6Hutc": "6h",
    "12Hutc": "12h",
    "1Dutc": "1d",
    "1Wutc": "1w",
    "1Mutc": "1M",
}


def decode_trades(topic: Topic, frame: bytes, ts_recv: int, channel: str) -> list[Decoded]:
    """Read trades: in `trades` a row is one taker order at one price, in `trades-all` one fill."""
    instrument, blank = topic.instrument, topic.trade
    in_contracts = instrument.sized_in_contracts
    id_start = f"{topic.tail}.trade." if channel == "trades" else f"{topic.tail}.trade.fill-"
    found: list[Decoded] = []
    for row in wire.decode_trades(frame).data:
        price = row.px
        if not (price.replace(".", "", 1).isdigit() and row.sz.replace(".", "", 1).isdigit()):
            raise FrameError(f"data.px or data.sz is no number: {price!r}, {row.sz!r}", field="data.px or data.sz")
        amount, contracts = sizes.sizes(instrument, row.sz, price) if in_contracts else (row.sz, None)
        found.append(
            replace(
                blank,
                id=id_start + row.tradeId,
                ts_event=wire.time(row.ts, "data.ts"),
                ts_recv=ts_recv,
                trade_id=row.tradeId,
                price=price,
                amount=amount,
                contracts=contracts,
                side=row.side,
                seq=row.seqId,
            )
        )
    return found


def decode_books(topic: Topic, frame: bytes, ts_recv: int, channel: str) -> list[Decoded]:
    """Read a book's snapshot or update; `books5` is a whole book of five levels each time.

    Frames of before 2023 have no `seqId`; their ids are made of time and checksum. The checksum of today is always 0.
    """
    push = wire.decode_books(frame)
    whole = push.action == "snapshot" or channel in WHOLE_BOOKS
    if push.action is None and not whole:
        raise FrameError(f"a push of {channel} has no action", field="action")
    instrument = topic.instrument
    found: list[Decoded] = []
    for row in push.data:
        bids, asks = wire.read_levels(row.bids, whole=whole), wire.read_levels(row.asks, whole=whole)
        bids, asks, unit = sizes.book(instrument, bids, asks)
        native = f"{channel}-{'snapshot-' if whole else ''}{row.checksum if row.seqId is None else row.seqId}-{row.ts}"
        found.append(
            replace(
                topic.delta,
                id=f"{topic.tail}.delta.{native}",
                ts_event=wire.time(row.ts, "data.ts"),
                ts_recv=ts_recv,
                bids=bids,
                asks=asks,
                seq=row.seqId,
                prev_seq=None if whole else row.prevSeqId,
                is_snapshot=whole,
                unit=unit,
            )
        )
    return found


def decode_best(topic: Topic, frame: bytes, ts_recv: int, channel: str) -> list[Decoded]:
    """Read `bbo-tbt`: the best level of each side, either of which may be empty."""
    instrument = topic.instrument
    found: list[Decoded] = []
    for row in wire.decode_books(frame).data:
        bid = next(iter(wire.read_levels(row.bids, whole=True)), (None, None))
        ask = next(iter(wire.read_levels(row.asks, whole=True)), (None, None))
        found.append(
            replace(
                topic.ticker,
                id=f"{topic.tail}.ticker.{channel}-{row.seqId}-{row.ts}",
                ts_event=wire.time(row.ts, "data.ts"),
                ts_recv=ts_recv,
                bid=bid[0],
                bid_amount=None if bid[1] is None else sizes.amount(instrument, bid[1], bid[0]),
                ask=ask[0],
                ask_amount=None if ask[1] is None else sizes.amount(instrument, ask[1], ask[0]),
                seq=row.seqId,
            )
        )
    return found


def decode_tickers(topic: Topic, frame: bytes, ts_recv: int, channel: str) -> list[Decoded]:
    """Read tickers. `volCcy24h` is in the quote coin on spot, in the base coin on derivatives."""
    instrument = topic.instrument
    is_spot = instrument.contract == SPOT
    found: list[Decoded] = []
    for row in wire.decode_tickers(frame).data:
        figures = (row.last, row.bidPx, row.bidSz, row.askPx, row.askSz, row.open24h, row.high24h, row.low24h,
                   row.vol24h, row.volCcy24h)  # fmt: skip
        if not wire.are_plain(figures):
            for name, figure in zip(_TICKER_FIGURES, figures, strict=True):
                wire.optional_number(figure, f"data.{name}")
        bid, ask = row.bidPx or None, row.askPx or None
        in_currency = row.volCcy24h or None
        found.append(
            replace(
                topic.ticker,
                id=f"{topic.tail}.ticker.{channel}-{row.ts}-{row.last}-{row.bidPx}-{row.askPx}",
                ts_event=wire.time(row.ts, "data.ts"),
                ts_recv=ts_recv,
                last=row.last or None,
                bid=bid,
                bid_amount=sizes.amount(instrument, row.bidSz, bid) if row.bidSz else None,
                ask=ask,
                ask_amount=sizes.amount(instrument, row.askSz, ask) if row.askSz else None,
                open_24h=row.open24h or None,
                high_24h=row.high24h or None,
                low_24h=row.low24h or None,
                volume_24h=row.vol24h or None if is_spot else in_currency,
                quote_volume_24h=in_currency if is_spot else None,
            )
        )
    return found


def decode_forced(topic: Topic, rows: list[wire.Forced], ts_recv: int) -> list[Decoded]:
    """Read one instrument's liquidations. The price is the bankruptcy price; in net mode `posSide` says nothing.

    The venue gives no id, and repeats a backlog on subscribing: an id is made of what a row says, and equal rows of one
    frame are told apart by number.
    """
    seen: dict[str, int] = {}
    found: list[Decoded] = []
    for row in rows:
        native = f"{row.ts}-{row.side}-{row.bkPx}-{row.sz}"
        again = seen[native] = seen.get(native, -1) + 1
        price = wire.number(row.bkPx, "data.details.bkPx")
        amount, contracts = sizes.sizes(topic.instrument, wire.number(row.sz, "data.details.sz"), price)
        found.append(
            FastLiquidation(
                id=f"{topic.tail}.liquidation.{native}" + (f"-{again}" if again else ""),
                **topic.common(wire.time(row.ts, "data.details.ts"), ts_recv),
                price=price,
                price_kind="bankruptcy",
                amount=amount,
                contracts=contracts,
                position_side=row.posSide if row.posSide in _POSITIONS else _FORCED[row.side],
                order_side=row.side,
                sampled=True,
            )
        )
    return found


def decode_instrument_liquidations(topic: Topic, frame: bytes, ts_recv: int, channel: str) -> list[Decoded]:  # noqa: ARG001
    """Read the bare rows of one instrument (channel `liquidations` of recordings)."""
    return decode_forced(topic, wire.decode_instrument_liquidations(frame).data, ts_recv)


def decode_candles(topic: Topic, frame: bytes, ts_recv: int, channel: str) -> list[Decoded]:
    """Read candles. `vol` counts coins on spot and contracts on derivatives, whose `volCcy` counts coins."""
    timeframe = TIMEFRAMES[channel.removeprefix("candle")]
    is_spot = topic.instrument.contract == SPOT
    found: list[Decoded] = []
    for row in wire.decode_candles(frame).data:
        in_quote = row.volCcy if row.volCcyQuote is None and is_spot else row.volCcyQuote or ""
        found.append(
            FastCandle(
                id=f"{topic.tail}.candle.{timeframe}-{row.ts}-{row.vol}-{row.close}-{row.confirm}",
                **topic.common(None, ts_recv),
                timeframe=timeframe,
                open=wire.number(row.open, "data[1] (open)"),
                high=wire.number(row.high, "data[2] (high)"),
                low=wire.number(row.low, "data[3] (low)"),
                close=wire.number(row.close, "data[4] (close)"),
                volume=wire.number(row.vol if is_spot else row.volCcy, "data[5] (vol), data[6] (volCcy)"),
                quote_volume=wire.optional_number(in_quote, "data[7] (volCcyQuote)"),
                trades=None,
                closed=row.confirm == "1",
                start_ts=wire.time(row.ts, "data[0] (ts)"),
            )
        )
    return found
