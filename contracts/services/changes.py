"""What services that change an owner's documents do alike: the audit event of a change, a request's hash. Pure."""

from __future__ import annotations

import hashlib
from typing import Any

from pydantic import BaseModel

from contracts.services.access import Caller
from contracts.services.audit import AuditEvent


def audit_of(about: tuple[str, str, str], caller: Caller, now_ns: int, details: dict[str, Any]) -> AuditEvent:
    """Return the event of a change; the same change has the same id. `about`: service, action, what was changed."""
    service, action, target = about
    return AuditEvent(
        id=f"{service}.{target}.{action}.{now_ns}",
        ts=now_ns,
        actor=caller.actor,
        service=service,
        action=action,
        target=target,
        address=caller.address,
        request_id=caller.request_id,
        details=details,
    )


def hash_of(request: BaseModel, *without: str) -> str:
    """Return a hash of what a request asks for, some fields left out: who asks, its name, what is secret."""
    return hashlib.sha256(request.model_dump_json(exclude=set(without)).encode()).hexdigest()
