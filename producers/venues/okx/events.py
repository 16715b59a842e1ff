"""OKX's frames to events, one function a channel, and what only contracts have: funding, mark price, open interest."""

from __future__ import annotations

from typing import Final
from zlib import crc32

from msgspec.structs import astuple

from contracts.errors import FrameError
from contracts.instrument import INVERSE, PERP, SPOT, Instrument
from producers.normalize import numbers, sizes
from producers.normalize.ids import distinct
from producers.venue import Decoded, TradeSpan
from producers.venues.okx import wire
from producers.venues.okx.topics import Topic

WHOLE_BOOKS: Final = frozenset({"books5"})
_FORCED: Final = {"sell": "long", "buy": "short"}  # the side of the order: the position that it closes
_FIGURES: Final = tuple(f"data.{name}" for name in wire.Ticker.__struct_fields__[1:])  # all but the time
_PRICES: Final = tuple("Sz" not in name and "vol" not in name for name in _FIGURES)
_TRADED: Final = ("data.px", "data.sz")
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
    """Read trades: in `trades` a row is one taker order at one price, in `trades-all` one fill.

    A row of several fills has the number of the last one: a `TradeSpan` before it says which numbers it stands for.
    """
    id_start = f"{topic.tail}.trade." if channel == "trades" else f"{topic.tail}.trade.fill-"
    found: list[Decoded] = []
    for row in wire.decode_trades(frame).data:
        if row.count != "1" and channel == "trades":
            found.append(_span(topic.instrument, row.tradeId, row.count))
        found.append(make_trade(topic, row, id_start, ts_recv))
    return found


def make_trade(topic: Topic, row: wire.Trade, id_start: str, ts_recv: int) -> Decoded:
    """Make the event of one row, of the socket or of REST."""
    price, size = numbers.traded(row.px, row.sz, _TRADED)
    number = row.tradeId
    if not (number.isascii() and number.isdigit()):
        raise FrameError(f"data.tradeId is no number: {number[:40]!r}", field="data.tradeId")
    instrument = topic.instrument
    amount, contracts = sizes.sizes(instrument, size, price) if instrument.sized_in_contracts else (size, None)
    return topic.make.trade(
        id=id_start + number,
        ts_event=wire.time(row.ts, "data.ts"),
        ts_recv=ts_recv,
        trade_id=number,
        price=price,
        amount=amount,
        contracts=contracts,
        side=row.side,
        seq=row.seqId,
    )


def _span(instrument: Instrument, last: str, count: str) -> TradeSpan:
    if not (f"{last}{count}".isascii() and last.isdigit() and count.isdigit() and 0 < int(count) <= int(last)):
        raise FrameError(f"data.count is no number of fills up to {last}: {count[:40]!r}", field="data.count")
    return TradeSpan(instrument, int(last) - int(count) + 1, int(last))


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
        bids = wire.read_levels(row.bids, "data.bids", whole=whole)
        asks = wire.read_levels(row.asks, "data.asks", whole=whole)
        bids, asks, unit = sizes.book(instrument, bids, asks)
        native = f"{channel}-{'snapshot-' if whole else ''}{row.checksum if row.seqId is None else row.seqId}-{row.ts}"
        found.append(
            topic.make.delta(
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
        bid = next(iter(wire.read_levels(row.bids, "data.bids")), (None, None))
        ask = next(iter(wire.read_levels(row.asks, "data.asks")), (None, None))
        found.append(
            topic.make.ticker(
                id=f"{topic.tail}.ticker.{channel}-{row.seqId}-{row.ts}",
                ts_event=wire.time(row.ts, "data.ts"),
                ts_recv=ts_recv,
                bid=bid[0],
                bid_amount=_amount(instrument, bid[1], bid[0]),
                ask=ask[0],
                ask_amount=_amount(instrument, ask[1], ask[0]),
                seq=row.seqId,
            )
        )
    return found


def decode_tickers(topic: Topic, frame: bytes, ts_recv: int, channel: str) -> list[Decoded]:
    """Read tickers. `volCcy24h` is in the quote coin on spot, in the base coin on derivatives.

    Within one ms a ticker may change again, so that its figures are in its id.
    """
    instrument = topic.instrument
    is_spot = instrument.contract == SPOT
    found: list[Decoded] = []
    for row in wire.decode_tickers(frame).data:
        figures = numbers.figures(astuple(row)[1:], _FIGURES)
        last, bid, bid_size, ask, ask_size, opened, high, low, volume, in_currency = numbers.said(figures, _PRICES)
        found.append(
            topic.make.ticker(
                id=f"{topic.tail}.ticker.{channel}-{row.ts}-{crc32(','.join(figures).encode()):08x}",
                ts_event=wire.time(row.ts, "data.ts"),
                ts_recv=ts_recv,
                last=last,
                bid=bid,
                bid_amount=_amount(instrument, bid_size, bid),
                ask=ask,
                ask_amount=_amount(instrument, ask_size, ask),
                open_24h=opened,
                high_24h=high,
                low_24h=low,
                volume_24h=volume if is_spot else in_currency,
                quote_volume_24h=in_currency if is_spot else None,
            )
        )
    return found


def _amount(instrument: Instrument, size: str | None, price: str | None) -> str | None:
    """Return the amount at a best price in the base coin; without a price there is none."""
    return None if size is None or price is None else sizes.amount(instrument, size, price)


def decode_forced(topic: Topic, rows: list[wire.Forced], ts_recv: int) -> list[Decoded]:
    """Read one instrument's liquidations. The price is the bankruptcy price; in net mode `posSide` says nothing.

    The venue gives no id, and repeats a backlog on subscribing: an id is made of what a row says, and equal rows of one
    frame are numbered.
    """
    seen: dict[str, int] = {}
    found: list[Decoded] = []
    for row in rows:
        native = distinct(seen, f"{row.ts}-{row.side}-{row.bkPx}-{row.sz}")
        price = numbers.price_text(row.bkPx, "data.details.bkPx")
        amount, contracts = sizes.sizes(topic.instrument, numbers.unsigned(row.sz, "data.details.sz"), price)
        found.append(
            topic.make.liquidation(
                id=f"{topic.tail}.liquidation.{native}",
                ts_event=wire.time(row.ts, "data.details.ts"),
                ts_recv=ts_recv,
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
    """Read candles."""
    timeframe = TIMEFRAMES[channel.removeprefix("candle")]
    return [make_candle(topic, row, timeframe, ts_recv) for row in wire.decode_candles(frame).data]


def make_candle(topic: Topic, row: wire.Candle, timeframe: str, ts_recv: int) -> Decoded:
    """Make a candle. `vol` counts coins on spot and contracts on derivatives, whose `volCcy` counts coins."""
    is_spot = topic.instrument.contract == SPOT
    in_quote = row.volCcy if row.volCcyQuote is None and is_spot else row.volCcyQuote
    return topic.make.candle(
        id=f"{topic.tail}.candle.{timeframe}-{row.ts}-{row.vol}-{row.close}-{row.confirm}",
        ts_recv=ts_recv,
        timeframe=timeframe,
        open=numbers.price_text(row.open, "data[1] (open)"),
        high=numbers.price_text(row.high, "data[2] (high)"),
        low=numbers.price_text(row.low, "data[3] (low)"),
        close=numbers.price_text(row.close, "data[4] (close)"),
        volume=numbers.unsigned(row.vol if is_spot else row.volCcy, "data[5] (vol), data[6] (volCcy)"),
        quote_volume=wire.amount(in_quote, "data[7] (volCcyQuote)"),
        trades=None,
        closed=row.confirm == "1",
        start_ts=wire.time(row.ts, "data[0] (ts)"),
    )


def decode_funding_rates(topic: Topic, frame: bytes, ts_recv: int, channel: str) -> list[Decoded]:  # noqa: ARG001
    """Read the rate that is paid at `fundingTime` (`nextFundingTime` is the payment after that one)."""
    found: list[Decoded] = []
    for row in wire.decode_funding_rates(frame).data:
        rate, next_ts = (
            wire.signed(row.fundingRate, "data.fundingRate"),
            wire.optional_time(row.fundingTime, "fundingTime"),
        )
        native, ts_event = f"rate-{row.fundingTime}-{rate}-{row.ts}", wire.optional_time(row.ts, "data.ts")
        topic.rate, topic.next_ts = rate, next_ts
        found.append(_funding(topic, native, ts_event, ts_recv))
    return found


def decode_mark_prices(topic: Topic, frame: bytes, ts_recv: int, channel: str) -> list[Decoded]:  # noqa: ARG001
    """Read mark prices: of perpetuals they go with the funding rate before them; others have no event to carry them."""
    if topic.instrument.contract not in {PERP, INVERSE}:
        return []
    found: list[Decoded] = []
    for row in wire.decode_mark_prices(frame).data:
        price, ts_event = numbers.optional_price_text(row.markPx, "data.markPx"), wire.time(row.ts, "data.ts")
        topic.mark_price = price
        found.append(_funding(topic, f"mark-{row.ts}-{row.markPx}", ts_event, ts_recv))
    return found


def _funding(topic: Topic, native: str, ts_event: int | None, ts_recv: int) -> Decoded:
    return topic.make.funding(
        id=f"{topic.tail}.funding.{native}",
        ts_event=ts_event,
        ts_recv=ts_recv,
        rate=topic.rate,
        next_ts=topic.next_ts,
        mark_price=topic.mark_price,
        index_price=topic.index_price,
    )


def decode_interests(topic: Topic, frame: bytes, ts_recv: int, channel: str) -> list[Decoded]:  # noqa: ARG001
    """Read open interest: `oi` contracts, `oiCcy` coins; `oiUsd` is the value where the quote is USD."""
    instrument = topic.instrument
    found: list[Decoded] = []
    for row in wire.decode_interests(frame).data:
        contracts, amount = wire.amount(row.oi, "data.oi"), wire.amount(row.oiCcy, "data.oiCcy")
        if amount is None and contracts is not None:
            amount = sizes.amount(instrument, contracts, None)
        found.append(
            topic.make.interest(
                id=f"{topic.tail}.interest.{row.ts}-{contracts}-{amount}",
                ts_event=wire.time(row.ts, "data.ts"),
                ts_recv=ts_recv,
                amount=amount,
                value=wire.amount(row.oiUsd, "data.oiUsd") if instrument.quote == "USD" else None,
                contracts=contracts,
            )
        )
    return found
