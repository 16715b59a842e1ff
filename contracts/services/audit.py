"""The audit trail's event: who changed what, when and from where; one a change, on `audit.v1.<service>.<action>`."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

from contracts import subjects
from contracts.market import Nanoseconds

Word = Annotated[str, Field(min_length=1, max_length=32, pattern=r"^[a-z][a-z_]*$")]
Name = Annotated[str, Field(min_length=1, max_length=128)]


class AuditEvent(BaseModel):
    """One change; nothing secret and no user's text is in it."""

    model_config = ConfigDict(frozen=True, strict=True, extra="ignore", cache_strings="keys")

    id: Name = Field(description="stable: an event that comes again has the same")
    ts: Nanoseconds = Field(description="when it was changed, ns UTC")
    actor: Name = Field(description="who did it: a key's id, or the owner that keys of the settings have")
    service: Word
    action: Word
    target: str = Field(max_length=256, description="what was changed: its id")
    address: str | None = Field(default=None, max_length=64, description="where the request came from")
    request_id: str | None = Field(default=None, max_length=64, description="`X-Request-Id` of the request")
    details: dict[str, Any] = Field(default_factory=dict[str, Any])

    @property
    def subject(self) -> str:
        """Where it is published."""
        return f"{subjects.AUDIT}{self.service}.{self.action}"
