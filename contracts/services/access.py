"""Requests and replies of `cmd.v1.access.<verb>`: keys and the audit trail; and what the ACCESS bucket holds.

A key is `id.secret`. Its secret is shown once, when it is made or rotated; what is kept is an HMAC of it.
"""

from __future__ import annotations

import hmac
import re
from typing import Annotated, Any, Final, Literal

from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field

from contracts.commands import Command, command
from contracts.market import Nanoseconds

QUEUE: Final = "access"
DAY_SECONDS: Final = 86_400
LONGEST_OVERLAP: Final = 30 * DAY_SECONDS
MOST_ON_A_PAGE: Final = 100
MOST_SECRETS: Final = 4  # of one key at a time: the newest, and those that live on for a while
SECRET_BYTES: Final = 32
ID_BYTES: Final = 8
KEY_FORM: Final = re.compile(r"([0-9a-f]{16})\.([A-Za-z0-9_-]{43})")  # id.secret

KEY_ID: Final = re.compile(r"[0-9a-f]{16}")

Scope = Literal["market:read", "alerts:write", "webhooks:write", "groups:admin", "trade", "admin"]
State = Literal["active", "expired", "revoked"]


def key_mac(pepper: bytes, secret: str) -> str:
    """Return what is kept of a secret: HMAC-SHA256 under the pepper, as hexadecimal digits."""
    return hmac.digest(pepper, secret.encode(), "sha256").hex()


def pepper_mark(pepper: bytes) -> str:
    """Return what tells one pepper from another without disclosing it."""
    return hmac.digest(pepper, b"hydrophone pepper", "sha256").hex()[:16]


def _each_once(scopes: tuple[Scope, ...]) -> tuple[Scope, ...]:
    if len(set(scopes)) != len(scopes):
        raise ValueError("each scope may stand once")
    return scopes


KeyId = Annotated[
    str, Field(pattern=r"^[0-9a-f]{16}$", description="the part before the dot", examples=["9f86d081884c7d65"])
]
KeyName = Annotated[
    str,
    Field(
        min_length=1,
        max_length=100,
        pattern=r"^[^\x00-\x1f\x7f]+$",
        description="what people call it",
        examples=["dashboard"],
    ),
]
Owner = Annotated[
    str,
    Field(
        min_length=1,
        max_length=64,
        pattern=r"^[A-Za-z0-9][A-Za-z0-9._:@-]*$",
        description="whose it is, and whose everything is that is made with it",
        examples=["alice"],
    ),
]
Scopes = Annotated[
    tuple[Scope, ...], Field(min_length=1, strict=False, description="what it may do"), AfterValidator(_each_once)
]
Page = Annotated[int, Field(ge=1, le=1_000_000, description="from 1")]
PageSize = Annotated[int, Field(ge=1, le=MOST_ON_A_PAGE, description="entries of a page")]
Overlap = Annotated[
    int, Field(ge=0, le=LONGEST_OVERLAP, description="seconds for which the secret that it had is accepted still")
]


class AccessModel(BaseModel):
    """What every request and reply is."""

    model_config = ConfigDict(frozen=True, strict=True, extra="ignore", cache_strings="keys")


class Caller(AccessModel):
    """Who asks, for the audit trail: whoever sends the command has checked it."""

    actor: str = Field(min_length=1, max_length=128, description="a key's id, or the owner of one of the settings")
    address: str | None = Field(default=None, max_length=64, description="where the request came from")
    request_id: str | None = Field(default=None, max_length=64, description="`X-Request-Id` of the request")


class CreateKey(AccessModel):
    """Make a key."""

    caller: Caller = Field(description="who wants it")
    name: KeyName
    owner: Owner
    scopes: Scopes
    expires_at: AwareDatetime | None = Field(default=None, description="from then on it is refused; null for never")
    request_key: str | None = Field(
        default=None,
        max_length=64,
        pattern=r"^[0-9a-f]+$",
        description="names this request: within a day the same one makes no second key, but gives the key a new secret",
    )


class ListKeys(AccessModel):
    """The keys, the newest first, a page at a time."""

    owner: Owner | None = Field(default=None, description="only what belongs to this one; null for all")
    page: Page = 1
    page_size: PageSize = 20


class FindKey(AccessModel):
    """One key."""

    id: KeyId


class RotateKey(AccessModel):
    """Give a key a new secret."""

    caller: Caller = Field(description="who wants it")
    id: KeyId
    overlap_seconds: Overlap = DAY_SECONDS


class RevokeKey(AccessModel):
    """Refuse a key from now on, with every secret of it."""

    caller: Caller = Field(description="who wants it")
    id: KeyId


class HeldConnections(AccessModel):
    """What one process of the API holds, on `api.v1.connections`: each second, and at once when it grows."""

    process: str = Field(min_length=1, max_length=64, description="unique among the processes")
    held: dict[str, int] = Field(description="connections of the stream by the key's id; keys with none are left out")


class AuditQuery(AccessModel):
    """The audit trail, the newest first, a page at a time."""

    actor: str | None = Field(default=None, min_length=1, max_length=128, description="only what this one did")
    action: str | None = Field(
        default=None, max_length=65, pattern=r"^[a-z_]+(\.[a-z_]+)?$", description="`create`, or `access.create`"
    )
    since: AwareDatetime | None = Field(default=None, description="only from this time on")
    page: Page = 1
    page_size: PageSize = 20


class KeyInfo(AccessModel):
    """A key as it may be shown: nothing of its secrets."""

    id: KeyId
    name: str
    owner: str
    scopes: Scopes
    state: State
    created_at: AwareDatetime
    expires_at: AwareDatetime | None
    rotated_at: AwareDatetime | None = Field(description="when it got the secret that it has; null for the first")
    previous_ends_at: AwareDatetime | None = Field(
        description="until when a secret that it had before is accepted; null where none is"
    )
    revoked_at: AwareDatetime | None


class KeyShown(KeyInfo):
    """A key with its secret, this once."""

    key: str = Field(description="`id.secret`: it cannot be had again", examples=["9f86d081884c7d65.…"])


class KeyPage(AccessModel):
    """One page of keys."""

    items: list[KeyInfo]
    total: int
    page: int
    page_size: int
    pages: int


class AuditEntry(AccessModel):
    """One change."""

    id: str
    timestamp: AwareDatetime
    actor: str
    service: str
    action: str
    target: str
    address: str | None
    request_id: str | None
    details: dict[str, Any]


class AuditPage(AccessModel):
    """One page of the audit trail."""

    items: list[AuditEntry]
    total: int
    page: int
    page_size: int
    pages: int


class SecretEntry(AccessModel):
    """One secret of a key: its HMAC, and when it ends (ns UTC; null for the present one)."""

    mac: str
    ends: Nanoseconds | None = None


class KeyEntry(AccessModel):
    """What the ACCESS bucket holds for a key's id; a key that is not there is refused. Nothing secret is in it."""

    name: str
    owner: str
    scopes: Scopes
    secrets: list[SecretEntry]
    expires: Nanoseconds | None = Field(default=None, description="ns UTC")
    pepper: str = Field(description="the mark of the pepper that the HMACs were made with")


COMMANDS: Final[tuple[Command, ...]] = (
    command("access.create", CreateKey, KeyShown),
    command("access.list", ListKeys, KeyPage),
    command("access.find", FindKey, KeyInfo),
    command("access.rotate", RotateKey, KeyShown),
    command("access.revoke", RevokeKey, KeyInfo),
    command("access.audit", AuditQuery, AuditPage),
)
