"""OKX's funding rates, mark prices and open interest: what only contracts have."""

from __future__ import annotations

from contracts import market as events
from contracts.codec import fast
from contracts.instrument import INVERSE, PERP
from producers.normalize import numbers, sizes
from producers.venue import Decoded
from producers.venues.okx import wire
from producers.venues.okx.topic import Topic

FastFunding = fast(events.Funding)
FastInterest = fast(events.OpenInterest)


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
    return FastFunding(
        id=f"{topic.tail}.funding.{native}",
        **topic.common(ts_event, ts_recv),
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
            FastInterest(
                id=f"{topic.tail}.interest.{row.ts}-{contracts}-{amount}",
                **topic.common(wire.time(row.ts, "data.ts"), ts_recv),
                amount=amount,
                value=wire.amount(row.oiUsd, "data.oiUsd") if instrument.quote == "USD" else None,
                contracts=contracts,
            )
        )
    return found
