"""Finds what became of an alert or a signal at an owner's endpoints."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from typing import Final

from consumers.webhooks.delivery.progress import Progress
from consumers.webhooks.delivery.rules import SECOND_NS
from consumers.webhooks.delivery.sending import Sending
from consumers.webhooks.payloads.body import event_id
from consumers.webhooks.store.events import KEPT_SECONDS
from consumers.webhooks.store.rows import Dead, Row
from contracts.services.explaining import Delivery, FindDeliveries
from contracts.services.webhooks.deliveries import EventState

_BEFORE_NS: Final = 60 * SECOND_NS
_LOOKS_NS: Final = tuple(seconds * SECOND_NS for seconds in (600, 86_400, KEPT_SECONDS))  # how far, one after the other


async def find_deliveries(sending: Sending, endpoints: Sequence[str], query: FindDeliveries) -> list[Delivery]:
    """Return what became of it at some endpoints, those that did not want it left out; the oldest first."""
    sources = [query.id] if query.signal is None else [query.id, query.signal]
    ids = {event_id(endpoint, source) for endpoint in endpoints for source in sources}
    rows = await _find_rows(sending, ids, query.since)
    digests = await _find_rows(sending, {row.digest for _, row in rows if row.digest is not None}, query.since)
    by_id = {row.event_id: row for _, row in digests}
    found = await asyncio.gather(
        *(_delivery(sending, endpoint, row, by_id.get(row.digest or "")) for endpoint, row in rows)
    )
    return sorted(found, key=lambda one: one.at or sending.now_ns())


def state_of(row: Row, progress: Progress, dead: Dead | None) -> EventState:
    """Return what became of an event. Pure."""
    if row.digest is not None:
        return "coalesced"
    if row.sequence in progress.open or row.sequence >= progress.next:
        return "waiting"
    return "delivered" if dead is None else "dead"


async def _find_rows(sending: Sending, ids: set[str], since: int) -> list[tuple[str, Row]]:
    if not ids:
        return []
    for span in _spans(since, sending.now_ns()):
        if found := await sending.events.find_rows(ids, span):
            return found
    return []


async def _delivery(sending: Sending, endpoint: str, row: Row, digest: Row | None) -> Delivery:
    """Return what became of one event, or of the digest that it stands in."""
    sent, reason = (row, None) if digest is None else (digest, f"in digest {digest.event_id}")
    progress, _ = await sending.events.load_progress(endpoint)
    dead = (await sending.events.dead_between(endpoint, sent.sequence, sent.sequence)).get(sent.sequence)
    state = state_of(sent, progress, dead)
    if state == "waiting":
        one = progress.open.get(sent.sequence)
        tries = None if one is None or not one.tries else f"{one.tries} attempts have failed"
        return Delivery(to="webhook", target=endpoint, state="waiting", reason=tries or reason)
    if dead is not None:
        return Delivery(to="webhook", target=endpoint, state="failed", at=dead.at_ns, reason=dead.error)
    for span in _spans(sent.created_ns, sending.now_ns()):
        if (attempt := await sending.attempts.delivered(endpoint, sent.event_id, span)) is not None:
            return Delivery(to="webhook", target=endpoint, state="done", at=attempt.at_ns, reason=reason)
    return Delivery(to="webhook", target=endpoint, state="done", reason=reason)


def _spans(since: int, now_ns: int) -> Iterator[tuple[int, int]]:
    """Give spans, one behind the other, up to now."""
    begin = max(0, since - _BEFORE_NS)
    for look in _LOOKS_NS:
        end = min(since + look, now_ns + SECOND_NS)
        if begin < end:
            yield begin, end
        begin = end
