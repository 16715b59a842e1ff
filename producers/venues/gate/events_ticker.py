"""Gate's tickers to events: figures of 24 hours, best prices, and the funding and open interest of contracts."""

from __future__ import annotations

from contracts.instrument import INVERSE, PERP
from producers.normalize import sizes
from producers.normalize.topics import Topics
from producers.venue import Decoded
from producers.venues.gate import wire, wire_ticker
from producers.venues.gate.topics import Topic


def decode_spot_tickers(topics: Topics[Topic], frame: bytes, ts_recv: int) -> tuple[Decoded, ...]:
    """Read the figures of a pair; best prices come without amounts."""
    push = wire_ticker.read_spot_tickers(frame)
    row, price, optional = push.result, wire.optional_price, wire.optional_number
    topic = topics[row.currency_pair]
    native = f"24h-{push.time_ms or push.time}-{wire.fingerprint(row)}"
    return (
        topic.make.ticker(
            id=f"{topic.tail}.ticker.{native}",
            ts_event=push.sent_ns,
            ts_recv=ts_recv,
            last=price(row.last, "result.last"),
            bid=price(row.highest_bid, "result.highest_bid"),
            ask=price(row.lowest_ask, "result.lowest_ask"),
            high_24h=price(row.high_24h, "result.high_24h"),
            low_24h=price(row.low_24h, "result.low_24h"),
            volume_24h=optional(row.base_volume, "result.base_volume"),
            quote_volume_24h=optional(row.quote_volume, "result.quote_volume"),
            change_24h=wire.optional_signed(row.change_percentage, "result.change_percentage"),
        ),
    )


def decode_book_tickers(topics: Topics[Topic], frame: bytes, ts_recv: int) -> tuple[Decoded, ...]:
    """Read best prices; an empty side is null, and so is an amount of zero at a price that stands."""
    row = wire_ticker.read_book_tickers(frame).result
    topic = topics[row.s]
    bid, ask = wire.optional_price(row.b, "result.b"), wire.optional_price(row.a, "result.a")
    return (
        topic.make.ticker(
            id=f"{topic.tail}.ticker.bbo-{row.u}-{row.t}-{wire.fingerprint(row)}",
            ts_event=None if row.t is None else row.t * wire.MS,
            ts_recv=ts_recv,
            bid=bid,
            bid_amount=_amount(topic, row.B, bid, "result.B"),
            ask=ask,
            ask_amount=_amount(topic, row.A, ask, "result.A"),
            seq=row.u,
        ),
    )


def _amount(topic: Topic, size: wire.Maybe, price: str | None, field: str) -> str | None:
    text = None if price is None else wire.optional_number(size, field)
    return sizes.amount(topic.instrument, text, price) if text is not None and text.strip("0.") else None


def decode_futures_tickers(topics: Topics[Topic], frame: bytes, ts_recv: int) -> list[Decoded]:
    """Read the figures of contracts, each with its funding (perpetuals) and open interest."""
    push = wire_ticker.read_futures_tickers(frame)
    result: list[wire_ticker.FuturesTicker] | wire_ticker.FuturesTicker | None = push.result
    rows = [result] if isinstance(result, wire_ticker.FuturesTicker) else result or []
    found: list[Decoded] = []
    times = (push.sent_ns, ts_recv)
    for row in rows:
        topic = topics[row.contract]
        stamp = f"{push.time_ms or push.time}-{wire.fingerprint(row)}"
        found.append(_ticker(topic, row, times, stamp))
        if topic.instrument.contract in {PERP, INVERSE}:
            found.append(_funding(topic, row, times, stamp))
        found.append(_interest(topic, row, times, stamp))
    return found


def _ticker(topic: Topic, row: wire_ticker.FuturesTicker, times: tuple[int | None, int], stamp: str) -> Decoded:
    price, optional = wire.optional_price, wire.optional_number
    bid, ask = price(row.highest_bid, "result.highest_bid"), price(row.lowest_ask, "result.lowest_ask")
    return topic.make.ticker(
        id=f"{topic.tail}.ticker.24h-{stamp}",
        ts_event=times[0],
        ts_recv=times[1],
        last=price(row.last, "result.last"),
        bid=bid,
        bid_amount=_amount(topic, row.highest_size, bid, "result.highest_size"),
        ask=ask,
        ask_amount=_amount(topic, row.lowest_size, ask, "result.lowest_size"),
        high_24h=price(row.high_24h, "result.high_24h"),
        low_24h=price(row.low_24h, "result.low_24h"),
        volume_24h=optional(row.volume_24h_base, "result.volume_24h_base"),
        quote_volume_24h=optional(row.volume_24h_quote, "result.volume_24h_quote"),
        change_24h=wire.optional_signed(row.change_percentage, "result.change_percentage"),
    )


def _funding(topic: Topic, row: wire_ticker.FuturesTicker, times: tuple[int | None, int], stamp: str) -> Decoded:
    applied = row.funding_next_apply
    return topic.make.funding(
        id=f"{topic.tail}.funding.{stamp}",
        ts_event=times[0],
        ts_recv=times[1],
        rate=wire.optional_signed(row.funding_rate, "result.funding_rate"),
        next_ts=wire.seconds_time(applied, "result.funding_next_apply") if applied else None,
        mark_price=wire.optional_price(row.mark_price, "result.mark_price"),
        index_price=wire.optional_price(row.index_price, "result.index_price"),
    )


def _interest(topic: Topic, row: wire_ticker.FuturesTicker, times: tuple[int | None, int], stamp: str) -> Decoded:
    contracts = wire.optional_number(row.total_size, "result.total_size")
    return topic.make.interest(
        id=f"{topic.tail}.interest.{stamp}",
        ts_event=times[0],
        ts_recv=times[1],
        amount=None if contracts is None else sizes.amount(topic.instrument, contracts, None),
        value=None,
        contracts=contracts,
    )
