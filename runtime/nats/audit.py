"""Publishes what was changed: every service that changes something does it through here."""

from __future__ import annotations

from contracts import streams
from contracts.services.audit import AuditEvent
from contracts.subjects import HEADER_MESSAGE_ID, HEADER_SCHEMA
from runtime import retry
from runtime.nats.bus import Bus

SCHEMA = "audit/1"
_SOON = retry.Policy(timeout=3.0)


async def publish_audit(bus: Bus, event: AuditEvent, policy: retry.Policy = _SOON) -> None:
    """Publish an event until the AUDIT stream has it on disk; nats.errors.Error where it has not in the policy's time.

    Keep the event beside what was changed until this returns: a change without its trace is a fault.
    """
    headers = {HEADER_MESSAGE_ID: event.id, HEADER_SCHEMA: SCHEMA}
    body = event.model_dump_json().encode()
    await bus.publish_acked(event.subject, body, headers=headers, stream=streams.AUDIT, policy=policy)
