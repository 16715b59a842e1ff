"""Finds what waits and is not queued, and carries out what deliveries have noticed of an endpoint; under the lease."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Final, Protocol

import structlog

from consumers.webhooks.delivery.progress import Progress
from consumers.webhooks.delivery.queue import JobQueue
from consumers.webhooks.delivery.rules import SECOND_NS, DeliveryRules
from consumers.webhooks.matching.matcher import Matcher
from consumers.webhooks.matching.subscribers import Subscribers
from consumers.webhooks.payloads.body import message_fact
from consumers.webhooks.registry.endpoint import Endpoint
from consumers.webhooks.store.events import EventStore
from consumers.webhooks.store.rows import Overview
from contracts.services.access import Caller
from contracts.services.audit import AuditEvent
from contracts.services.changes import audit_of
from contracts.services.webhooks.endpoints import EndpointState
from runtime.nats.audit import publish_audit

_log = structlog.get_logger("webhooks")
_GRACE_NS: Final = 10 * SECOND_NS
_STOPPED: Final = frozenset({"paused", "disabled"})
_CALLER: Final = Caller(actor="webhooks")
_MESSAGES: Final = {
    "open": "{url} failed several times in a row: it is probed until it answers, and what waits for it is kept",
    "disabled.gone": "{url} answered that it is gone (410): it is disabled, and what waits for it is kept for 7 days",
    "disabled.failing": "{url} has failed for days: it is disabled, and what waits for it is kept for 7 days",
}


_NOTHING: Final = Overview(
    next=1, wake=-1, blocked_until=0, disabled=0, open=0, is_stopped=False, notice=False, asked=False
)


class States(Protocol):
    """Who writes endpoints."""

    async def set_state(self, endpoint: Endpoint, state: EndpointState, reason: str | None, at_ns: int, /) -> None:
        """Keep and announce what state an endpoint is in now, unless its owner has stopped it."""
        ...


class Reconciler:
    """Looks at every endpoint once in a while, and at the notices more often."""

    def __init__(
        self, events: EventStore, queue: JobQueue, matcher: Matcher, *, subscribers: Subscribers, states: States
    ) -> None:
        self._events, self._queue = events, queue
        self._subscribers, self._matcher, self._states = subscribers, matcher, states

    async def queue_waiting(self, now_ns: int, rules: DeliveryRules) -> int:
        """Queue a job for each endpoint that has something to be posted and nothing that says so; return how many."""
        overviews = await self._events.overviews()
        late: list[str] = []
        for endpoint_id in self._subscribers.ids():
            endpoint, seen = self._subscribers.find(endpoint_id), overviews.get(endpoint_id)
            if endpoint is not None and seen is not None and is_resumed(endpoint, seen):
                await self.resume(endpoint_id, now_ns)
                continue
            last = await self._matcher.last_sequence(endpoint_id)
            if endpoint is not None and is_late(endpoint, seen, last, now_ns=now_ns, rules=rules):
                late.append(endpoint_id)
        await self._queue.wake_all(late)
        return len(late)

    async def resume(self, endpoint_id: str, now_ns: int) -> None:
        """Have an endpoint's events posted again, whatever failed before."""
        await self._events.ask_resume(endpoint_id, now_ns)
        await self._queue.wake(endpoint_id)

    async def carry_out(self, now_ns: Callable[[], int]) -> None:
        """Set the states that deliveries ask for, and notify each owner of it once."""
        for progress, notice in await self._events.notices():
            endpoint = self._subscribers.find(progress.endpoint)
            if endpoint is not None and notice != "resumed":
                await self._carry_out(endpoint, progress, notice, now_ns())
            await self._events.noticed(progress.endpoint, notice)

    async def _carry_out(self, endpoint: Endpoint, progress: Progress, notice: str, now_ns: int) -> None:
        state, _, reason = notice.partition(".")
        if endpoint.state in _STOPPED and state != "disabled":
            return
        new: EndpointState = "active" if state == "closed" else "open" if state == "open" else "disabled"
        since = progress.disabled or progress.circuit.opened or now_ns
        await self._states.set_state(endpoint, new, reason or None, now_ns)
        self._subscribers.put(replace(endpoint, state=new, state_reason=reason or None, updated_ns=now_ns))
        await publish_audit(self._queue.bus, _audit(endpoint, state, reason, since))
        _log.info("webhook.state", endpoint=endpoint.id, state=new, reason=reason or None)
        text = _MESSAGES.get(notice)
        if text is None:
            return
        fact = message_fact(
            "endpoint.disabled", f"{notice}.{endpoint.id}.{since}", since, text.format(url=endpoint.url)
        )
        for other in self._subscribers.others_of(endpoint):
            self._matcher.add(other, fact)


def is_resumed(endpoint: Endpoint, seen: Overview) -> bool:
    """Return whether its owner has resumed an endpoint whose delivery does not know of it. Pure."""
    return endpoint.state == "active" and seen.is_stopped and not seen.notice and not seen.asked


def is_late(endpoint: Endpoint, seen: Overview | None, last: int, *, now_ns: int, rules: DeliveryRules) -> bool:
    """Return whether an endpoint has something to be posted that no job may be there for. Pure."""
    seen = seen or _NOTHING
    if seen.asked:
        return True
    waiting = last >= seen.next or seen.wake >= 0
    if endpoint.state in _STOPPED or seen.disabled:
        since = seen.disabled or endpoint.updated_ns
        return waiting and now_ns - since >= int(rules.keep_waiting * SECOND_NS)
    if now_ns < seen.blocked_until + _GRACE_NS and seen.blocked_until:
        return False
    return last >= seen.next or 0 <= seen.wake <= now_ns - _GRACE_NS


def _audit(endpoint: Endpoint, action: str, reason: str, since: int) -> AuditEvent:
    details = {"owner": endpoint.owner, **({"reason": reason} if reason else {})}
    return audit_of(("webhooks", action, endpoint.id), _CALLER, since, details)
