"""The bytes of a body: made once, then kept, signed and sent as they are; and the digest of many events. Pure."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from decimal import Decimal
from typing import Final

import msgspec

from consumers.webhooks.payloads.facts import Fact, encode
from contracts.arithmetic.exact import EXACT
from contracts.schema.literals import decimal_number, iso
from contracts.services.webhooks.events import MOST_IN_DIGEST, SentType

EVENT_ID_DIGITS: Final = 32


def event_id(endpoint_id: str, source_id: str) -> str:
    """Return the id of an event at an endpoint: a function of both, whoever computes it and however often."""
    digest = hashlib.sha256(f"{endpoint_id}\n{source_id}".encode()).hexdigest()
    return f"evt_{digest[:EVENT_ID_DIGITS]}"


def make_body(event_id: str, fact: Fact, sequence: int) -> bytes:
    """Return the exact bytes that are kept, signed and sent."""
    return encode(
        {
            "event_id": event_id,
            "event_type": fact.event_type,
            "symbol": fact.base,
            "timestamp": iso(fact.ts_ns),
            "sequence": sequence,
            "sim": fact.sim,
            "data": msgspec.Raw(fact.data),
        }
    )


def digest_fact(facts: Sequence[Fact], span: tuple[int, int] | None = None) -> Fact:
    """Return what stands for facts of one event type and symbol, at least one; ValueError for others.

    `span` is from when to when, ns UTC; by default from the oldest of them to the newest. The same facts make the
    same digest, in whatever order they come.
    """
    kinds = {(fact.event_type, fact.base, fact.owner) for fact in facts}
    if len(kinds) != 1:
        raise ValueError("a digest is of facts of one event type, symbol and owner")
    ordered = sorted(facts, key=lambda fact: (fact.ts_ns, fact.source_id))
    start, end = span or (ordered[0].ts_ns, ordered[-1].ts_ns)
    first, values = ordered[0], [fact.usd_value for fact in ordered if fact.usd_value is not None]
    total = None
    if values:
        total = Decimal(0)
        for value in values:
            total = EXACT.add(total, value)
    data = {
        "event_type": first.event_type,
        "from": iso(start),
        "to": iso(end),
        "count": len(ordered),
        "usd_value": decimal_number(total),
        "largest": [{"timestamp": iso(fact.ts_ns), "data": msgspec.Raw(fact.data)} for fact in _largest(ordered)],
    }
    return Fact(
        event_type="digest",
        source_id=_source_id(ordered),
        ts_ns=end,
        sim=any(fact.sim for fact in ordered),
        data=encode(data),
        symbol=first.symbol if len({fact.symbol for fact in ordered}) == 1 else None,
        base=first.base,
        exchanges=tuple(sorted({exchange for fact in ordered for exchange in fact.exchanges})),
        usd_value=total,
        owner=first.owner,
    )


def message_fact(event_type: SentType, source_id: str, ts_ns: int, message: str) -> Fact:
    """Return what is sent about the endpoint itself: `test`, or `endpoint.disabled`."""
    data = encode({"message": message})
    return Fact(event_type=event_type, source_id=source_id, ts_ns=ts_ns, sim=False, data=data)


def _largest(ordered: Sequence[Fact]) -> list[Fact]:
    """Return the largest by value, the largest first; of those without a value, or with the same, the newest."""
    newest_first = reversed(ordered)
    return sorted(newest_first, key=lambda fact: -1 if fact.usd_value is None else fact.usd_value, reverse=True)[
        :MOST_IN_DIGEST
    ]


def _source_id(ordered: Sequence[Fact]) -> str:
    ids = "\n".join(sorted(fact.source_id for fact in ordered))
    return f"digest.{hashlib.sha256(ids.encode()).hexdigest()[:EVENT_ID_DIGITS]}"
