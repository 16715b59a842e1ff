"""The trail of what administrators change by command: published before it is changed, so that no change lacks it."""

from __future__ import annotations

from typing import Annotated, Any
from uuid import uuid4

from fastapi import Depends, Request
from nats.errors import Error as NatsError

from contracts.errors import NotReadyError
from contracts.services.audit import AuditEvent
from runtime import clock
from runtime.nats.audit import publish_audit
from runtime.nats.bus import Bus


class AuditTrail:
    """Publishes who changes what of a service, for one request."""

    def __init__(self, request: Request) -> None:
        self._bus: Bus = request.app.state.bus
        self._scope = request.scope

    async def __call__(self, service: str, action: str, target: str, **details: Any) -> None:
        """Publish that a change is made; raises NotReadyError where the bus does not keep it."""
        admission = self._scope["hydrophone.admission"]
        event = AuditEvent(
            id=f"{service}.{uuid4().hex}",
            ts=clock.now_ns(),
            actor=admission.identity.uid,
            service=service,
            action=action,
            target=target,
            address=None if admission.address is None else str(admission.address),
            request_id=self._scope["hydrophone.request_id"],
            details=details,
        )
        try:
            await publish_audit(self._bus, event)
        except NatsError as error:
            raise NotReadyError("The bus does not keep the audit trail", waiting_for=["bus"]) from error


Audit = Annotated[AuditTrail, Depends()]
