"""Gate's tickers: figures of 24 hours, best prices, and what contracts tell beside them (funding, open interest)."""

from __future__ import annotations

from typing import Final

from msgspec.structs import replace

from contracts import market as events
from contracts.codec import fast
from contracts.instrument import INVERSE, PERP
from producers import sizes
from producers.venue import Decoded
from producers.venues.gate import values, wire
from producers.venues.gate.topic import Topic, Topics

FastFunding: Final = fast(events.Funding)
FastInterest: Final = fast(events.OpenInterest)


def decode_spot_tickers(topics: Topics, frame: bytes, ts_recv: int) -> tuple[Decoded, ...]:
    """Read the figures of a pair; best prices come without amounts."""
    push = wire.read_spot_tickers(frame)
    row, optional = push.result, values.optional_number
    topic = topics[row.currency_pair]
    native = f"24h-{push.time_ms or push.time}-{row.last}-{row.highest_bid}-{row.lowest_ask}-{row.base_volume}"
    return (
        replace(
            topic.ticker,
            id=f"{topic.tail}.ticker.{native}",
            ts_event=push.sent_ns,
            ts_recv=ts_recv,
            last=optional(row.last, "result.last"),
            bid=optional(row.highest_bid, "result.highest_bid"),
            ask=optional(row.lowest_ask, "result.lowest_ask"),
            high_24h=optional(row.high_24h, "result.high_24h"),
            low_24h=optional(row.low_24h, "result.low_24h"),
            volume_24h=optional(row.base_volume, "result.base_volume"),
            quote_volume_24h=optional(row.quote_volume, "result.quote_volume"),
            change_24h=optional(row.change_percentage, "result.change_percentage"),
        ),
    )


def decode_book_tickers(topics: Topics, frame: bytes, ts_recv: int) -> tuple[Decoded, ...]:
    """Read best prices; an empty side is null, and so is an amount of zero at a price that stands."""
    row = wire.read_book_tickers(frame).result
    topic = topics[row.s]
    bid, ask = values.optional_number(row.b, "result.b"), values.optional_number(row.a, "result.a")
    return (
        replace(
            topic.ticker,
            id=f"{topic.tail}.ticker.bbo-{row.u}-{row.t}",
            ts_event=row.t * values.MS,
            ts_recv=ts_recv,
            bid=bid,
            bid_amount=_amount(topic, row.B, bid, "result.B"),
            ask=ask,
            ask_amount=_amount(topic, row.A, ask, "result.A"),
            seq=row.u,
        ),
    )


def _amount(topic: Topic, size: values.Number, price: str | None, field: str) -> str | None:
    text = None if price is None or size == "" else values.number(size, field)
    return sizes.amount(topic.instrument, text, price) if text is not None and text.strip("0.") else None


def decode_futures_tickers(topics: Topics, frame: bytes, ts_recv: int) -> list[Decoded]:
    """Read the figures of contracts, each with its funding (perpetuals) and open interest."""
    push = wire.read_futures_tickers(frame)
    result: list[wire.FuturesTicker] | wire.FuturesTicker = push.result
    rows = [result] if isinstance(result, wire.FuturesTicker) else result
    found: list[Decoded] = []
    times = (push.sent_ns, ts_recv)
    for row in rows:
        topic = topics[row.contract]
        stamp = f"{push.time_ms or push.time}"
        found.append(_ticker(topic, row, times, stamp))
        if topic.instrument.contract in {PERP, INVERSE}:
            found.append(_funding(topic, row, times, stamp))
        found.append(_interest(topic, row, times, stamp))
    return found


def _ticker(topic: Topic, row: wire.FuturesTicker, times: tuple[int, int], stamp: str) -> Decoded:
    optional = values.optional_number
    bid, ask = optional(row.highest_bid, "result.highest_bid"), optional(row.lowest_ask, "result.lowest_ask")
    return replace(
        topic.ticker,
        id=f"{topic.tail}.ticker.24h-{stamp}-{row.last}-{row.highest_bid}-{row.lowest_ask}-{row.volume_24h_base}",
        ts_event=times[0],
        ts_recv=times[1],
        last=optional(row.last, "result.last"),
        bid=bid,
        bid_amount=_amount(topic, row.highest_size, bid, "result.highest_size"),
        ask=ask,
        ask_amount=_amount(topic, row.lowest_size, ask, "result.lowest_size"),
        high_24h=optional(row.high_24h, "result.high_24h"),
        low_24h=optional(row.low_24h, "result.low_24h"),
        volume_24h=optional(row.volume_24h_base, "result.volume_24h_base"),
        quote_volume_24h=optional(row.volume_24h_quote, "result.volume_24h_quote"),
        change_24h=optional(row.change_percentage, "result.change_percentage"),
    )


def _funding(topic: Topic, row: wire.FuturesTicker, times: tuple[int, int], stamp: str) -> Decoded:
    applied = row.funding_next_apply
    return FastFunding(
        id=f"{topic.tail}.funding.{stamp}-{row.funding_rate}-{row.mark_price}-{row.index_price}",
        **topic.common(*times),
        rate=values.optional_number(row.funding_rate, "result.funding_rate"),
        next_ts=values.seconds_time(applied, "result.funding_next_apply") if applied else None,
        mark_price=values.optional_number(row.mark_price, "result.mark_price"),
        index_price=values.optional_number(row.index_price, "result.index_price"),
    )


def _interest(topic: Topic, row: wire.FuturesTicker, times: tuple[int, int], stamp: str) -> Decoded:
    contracts = values.optional_number(row.total_size, "result.total_size")
    return FastInterest(
        id=f"{topic.tail}.interest.{stamp}-{row.total_size}",
        **topic.common(*times),
        amount=None if contracts is None else sizes.amount(topic.instrument, contracts, None),
        value=None,
        contracts=contracts,
    )
