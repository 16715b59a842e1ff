"""Answers what became of an endpoint's events, to its owner only, and posts them again on request."""

from __future__ import annotations

import asyncio
import json
from typing import Any, Final

from faststream.nats import NatsRouter

from consumers.webhooks.delivery.explained import find_deliveries, state_of
from consumers.webhooks.delivery.progress import Progress
from consumers.webhooks.delivery.rules import SECOND_NS
from consumers.webhooks.delivery.sending import Sending
from consumers.webhooks.matching.running import Matching
from consumers.webhooks.registry.registry import reachable_store
from consumers.webhooks.store import attempts
from consumers.webhooks.store.endpoints import EndpointStore
from consumers.webhooks.store.rows import Dead, Row
from contracts import subjects
from contracts.arithmetic.moments import as_datetime, read_moment
from contracts.errors import NotFoundError
from contracts.services.changes import audit_of
from contracts.services.explaining import Deliveries, FindDeliveries
from contracts.services.webhooks.deliveries import (
    Attempt,
    AttemptsReply,
    DeliveriesHealthQuery,
    EventInfo,
    EventsReply,
    ListAttempts,
    ListEvents,
    ReplayEvents,
    ReplayReply,
    WebhookHealth,
)
from contracts.services.webhooks.endpoints import QUEUE
from runtime.app.commands import command
from runtime.nats.audit import publish_audit

_OVERDUE_NS: Final = 60 * SECOND_NS


def add_delivery_commands(router: NatsRouter, sending: Sending, matching: Matching, endpoints: EndpointStore) -> None:
    """Serve what is about deliveries on a router."""

    @router.subscriber(**command(subjects.WEBHOOKS_COMMAND + "attempts", QUEUE))
    async def on_attempts(query: ListAttempts) -> AttemptsReply:
        async with reachable_store():
            await _check(endpoints, query.owner, query.id)
            before = sending.now_ns() if query.before is None else read_moment(query.before)
            found = await sending.attempts.newest(query.id, query.limit, before)
        return AttemptsReply(attempts=[_attempt(one) for one in found])

    @router.subscriber(**command(subjects.WEBHOOKS_COMMAND + "events", QUEUE))
    async def on_events(query: ListEvents) -> EventsReply:
        async with reachable_store():
            await _check(endpoints, query.owner, query.id)
            return await _events(sending, query)

    @router.subscriber(**command(subjects.WEBHOOKS_COMMAND + "replay", QUEUE))
    async def on_replay(request: ReplayEvents) -> ReplayReply:
        async with reachable_store():
            await _check(endpoints, request.owner, request.id)
            return await _replay(sending, request)

    @router.subscriber(**command(subjects.WEBHOOKS_COMMAND + "deliveries", QUEUE))
    async def on_deliveries(query: FindDeliveries) -> Deliveries:
        async with reachable_store():
            mine = [] if query.owner is None else await endpoints.ids_of(query.owner)
            return Deliveries(deliveries=await find_deliveries(sending, mine, query))

    @router.subscriber(**command(subjects.WEBHOOKS_COMMAND + "health", QUEUE))
    async def on_health(_query: DeliveriesHealthQuery) -> WebhookHealth:
        async with reachable_store():
            return await _health(sending, matching)


async def _check(endpoints: EndpointStore, owner: str, endpoint_id: str) -> None:
    if not await endpoints.has(owner, endpoint_id):
        raise NotFoundError(f"There is no endpoint {endpoint_id}", id=endpoint_id)


async def _events(sending: Sending, query: ListEvents) -> EventsReply:
    rows = await sending.events.rows_after(query.id, query.after, query.limit)
    progress, _ = await sending.events.load_progress(query.id)
    dead: dict[int, Dead] = {}
    if rows:
        dead = await sending.events.dead_between(query.id, rows[0].sequence, rows[-1].sequence)
    last = await sending.events.last_sequence(query.id)
    return EventsReply(events=[_event(row, progress, dead.get(row.sequence)) for row in rows], last=last)


async def _replay(sending: Sending, request: ReplayEvents) -> ReplayReply:
    first = await sending.events.first_since(request.id, read_moment(request.since))
    if first is None:
        return ReplayReply(first=None, events=0)
    last = await sending.events.last_sequence(request.id)
    await sending.events.ask(request.id, replay=first)
    await sending.queue.wake(request.id)
    now_ns = sending.now_ns()
    details = {"owner": request.owner, "first": first}
    event = audit_of(("webhooks", "replay", request.id), request.caller, now_ns, details)
    await publish_audit(sending.queue.bus, event)
    return ReplayReply(first=first, events=last - first + 1)


async def _health(sending: Sending, matching: Matching) -> WebhookHealth:
    overviews, dead = await asyncio.gather(sending.events.overviews(), sending.events.count_dead())
    waiting = overdue = 0
    now_ns = sending.now_ns()
    for endpoint_id in matching.subscribers.ids():
        endpoint, seen = matching.subscribers.find(endpoint_id), overviews.get(endpoint_id)
        last = await matching.matcher.last_sequence(endpoint_id)
        waiting += last if seen is None else last - seen.next + 1 + seen.open
        due = seen is not None and seen.wake >= 0 and max(seen.wake, seen.blocked_until) <= now_ns - _OVERDUE_NS
        overdue += due and endpoint is not None and endpoint.state == "active"
    return WebhookHealth(
        status="degraded" if overdue else "healthy",
        endpoints=matching.subscribers.count_states(),
        waiting=waiting,
        overdue=overdue,
        dead=dead,
    )


def _attempt(kept: attempts.Attempt) -> Attempt:
    fields: dict[str, Any] = {
        name: getattr(kept, name) for name in ("event_id", "sequence", "event_type", "number", "status", "error")
    }
    answer = None if kept.status is None else kept.answer.decode("utf-8", "replace")
    return Attempt(**fields, at=as_datetime(kept.at_ns), seconds=round(kept.seconds, 6), answer=answer)


def _event(row: Row, progress: Progress, dead: Dead | None) -> EventInfo:
    one = progress.open.get(row.sequence)
    tries = dead.attempts if dead is not None else None if one is None else one.tries
    fields: dict[str, Any] = {"event_type": row.event_type, "fault": None if dead is None else dead.fault}
    return EventInfo(
        event_id=row.event_id,
        sequence=row.sequence,
        state=state_of(row, progress, dead),
        created_at=as_datetime(row.created_ns),
        digest=row.digest,
        attempts=tries,
        error=None if dead is None else dead.error,
        body=json.loads(row.body),
        **fields,
    )
