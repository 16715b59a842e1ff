"""HTX's funding rates, basis and open interest to events: what only contracts have."""

from __future__ import annotations

from zlib import crc32

from contracts.instrument import INVERSE, PERP
from producers.normalize import sizes
from producers.normalize.topics import Topics
from producers.venue import Decoded
from producers.venues.htx import wire, wire_numbers
from producers.venues.htx.topics import Topic
from producers.venues.htx.wire_numbers import MS, number, optional_amount, optional_number


def decode_rates(topics: Topics[Topic], frame: bytes, ts_recv: int) -> list[Decoded]:
    """Read the rate that is paid at `settlement_time`."""
    push = wire.decode_rates(frame)
    found: list[Decoded] = []
    for row in push.data or ():
        topic = topics[row.contract_code]
        rate = optional_number(row.funding_rate, "data.funding_rate")
        due = optional_amount(row.settlement_time, "data.settlement_time")
        topic.rate, topic.next_ts = rate, int(due.partition(".")[0]) * MS if due else None
        found.append(_funding(topic, f"rate-{push.ts}-{rate}-{due}", push.ts * MS, ts_recv))
    return found


def decode_basis(topic: Topic, frame: bytes, ts_recv: int, channel: str) -> list[Decoded]:
    """Read a perpetual's index price out of its basis; other contracts have no event to carry it."""
    if topic.instrument.contract not in {PERP, INVERSE}:
        return []
    push = wire.decode_basis(frame)
    topic.index_price = wire_numbers.optional_price(push.tick.index_price, "tick.index_price")
    return [_funding(topic, f"{channel}-{push.ts}-{topic.index_price}", push.ts * MS, ts_recv)]


def _funding(topic: Topic, native: str, ts_event: int, ts_recv: int) -> Decoded:
    return topic.make.funding(
        id=f"{topic.tail}.funding.{native}",
        ts_event=ts_event,
        ts_recv=ts_recv,
        rate=topic.rate,
        next_ts=topic.next_ts,
        mark_price=None,
        index_price=topic.index_price,
    )


def decode_interest(topic: Topic, frame: bytes, ts_recv: int, channel: str) -> list[Decoded]:
    """Read open interest: `volume` contracts, `amount` coins, `value` the quote."""
    push = wire.decode_interest(frame)
    found: list[Decoded] = []
    for row in push.data or ():
        contracts = number(row.volume, "data.volume")
        amount = optional_amount(row.amount, "data.amount")
        value = optional_amount(row.value, "data.value")
        native = f"{channel}-{push.ts}-{contracts}-{crc32(f'{amount}-{value}'.encode()):08x}"
        found.append(
            topic.make.interest(
                id=f"{topic.tail}.interest.{native}",
                ts_event=push.ts * MS,
                ts_recv=ts_recv,
                amount=sizes.amount(topic.instrument, contracts, None) if amount is None else amount,
                value=value,
                contracts=contracts,
            )
        )
    return found
