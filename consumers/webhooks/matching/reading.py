"""What the matcher reads: a row for each stream, with how its messages are decoded and what webhooks make of them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from consumers.webhooks.payloads.facts import Fact, Sources, fact_of, order_fact
from contracts import streams, subjects
from contracts.services.trading.events import OrderChanged
from runtime.nats.lanes.reader import Decode, read_event


@dataclass(frozen=True, slots=True, kw_only=True)
class StreamRow:
    """A stream: the subjects that are read, their decoder, and what an event is sent as (None: it is not)."""

    stream: str
    subjects: tuple[str, ...]
    decode: Decode[Any] = read_event
    make_fact: Callable[[Any, Sources], Fact | None] = fact_of


def _read_order(_subject: str, body: bytes) -> OrderChanged:
    """Decode an order that changed; raises ValidationError, which is a ValueError."""
    return OrderChanged.model_validate_json(body)


STREAMS: Final[tuple[StreamRow, ...]] = (
    StreamRow(stream=streams.SIGNALS, subjects=(subjects.ALL_WHALES, subjects.ALL_CLUSTERS, subjects.ALL_STORMS)),
    StreamRow(stream=streams.LIQUIDATIONS, subjects=(subjects.ALL_LIQUIDATIONS,)),
    StreamRow(stream=streams.FEEDS, subjects=(subjects.ALL_FEEDS,)),
    StreamRow(stream=streams.OWN_ALERTS, subjects=(subjects.ALL_PRICE_ALERTS,)),
    StreamRow(
        stream=streams.TRADING, subjects=(f"{subjects.ORDER}changed.*",), decode=_read_order, make_fact=order_fact
    ),
)
