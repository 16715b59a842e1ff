"""What the routes of keys and of the audit trail take and give; what is in `data` is the reply of the command."""

from __future__ import annotations

from typing import Annotated

from fastapi import Path
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from contracts.services.access import DAY_SECONDS, KeyName, Overlap, Owner, Page, PageSize, Scopes

KeyIdInPath = Annotated[str, Path(max_length=64, description="id of a key", examples=["9f86d081884c7d65"])]


class Taken(BaseModel):
    """What a request may hold: nothing else."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class NewKey(Taken):
    """A key to be made."""

    name: KeyName
    owner: Owner
    scopes: Scopes = Field(examples=[["market:read"]])
    expires_at: AwareDatetime | None = Field(default=None, description="from then on it is refused; null for never")


class KeyRotation(Taken):
    """How a key is to be rotated."""

    overlap_seconds: Overlap = DAY_SECONDS


class KeysParameters(Taken):
    """Which keys."""

    owner: Annotated[Owner | None, Field(description="only the keys of this one")] = None
    page: Page = 1
    page_size: PageSize = 20


class AuditParameters(Taken):
    """Which changes."""

    actor: Annotated[str | None, Field(min_length=1, max_length=128, description="only what this one did")] = None
    action: Annotated[
        str | None,
        Field(max_length=65, pattern=r"^[a-z_]+(\.[a-z_]+)?$", description="`create`, or `access.create`"),
    ] = None
    since: Annotated[AwareDatetime | None, Field(description="only from this time on, ISO 8601")] = None
    page: Page = 1
    page_size: PageSize = 20
