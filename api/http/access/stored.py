"""The keys of the store, as this process knows them from the ACCESS bucket: HMACs of secrets, owners, scopes, ends."""

from __future__ import annotations

import hmac
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import structlog
from pydantic import ValidationError

from api.http.access.keys import Identity, stored_identity
from contracts import streams
from contracts.services import access
from contracts.services.access import KeyEntry
from runtime.nats.bus import Bus
from runtime.nats.kv.mirror import Entry, Mirror

_log = structlog.get_logger("access")
SECOND_NS: Final = 1_000_000_000
TRUSTED_SECONDS: Final = 60.0  # without the bus: a key that was revoked meanwhile must not be accepted for longer
OnRefused = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class StoredKey:
    """A key that is accepted: whose it is, the HMACs of its secrets with their ends (seconds UTC), and its own end."""

    identity: Identity
    secrets: tuple[tuple[str, float], ...]
    expires: float


class StoredKeys:
    """Finds whom a key of the store stands for; `follow` keeps it equal to the bucket."""

    def __init__(self, pepper: bytes) -> None:
        self._pepper = pepper
        self._mark = access.pepper_mark(pepper)
        self._keys: dict[str, StoredKey] = {}
        self._mirror: Mirror | None = None
        self._listeners: list[OnRefused] = []
        self._differs = False

    def __len__(self) -> int:
        return len(self._keys)

    @property
    def is_ready(self) -> bool:
        """Whether what is here is what the bucket holds, as of a minute ago at most."""
        return self._mirror is not None and self._mirror.age() <= TRUSTED_SECONDS

    def listen_refused(self, listener: OnRefused) -> None:
        """Call it with the id of each key that was accepted and is not any more: open streams of it have to end."""
        self._listeners.append(listener)

    def find(self, token: str, now: float) -> Identity | None:
        """Return whom `id.secret` stands for at a time (seconds UTC); every secret is compared in constant time."""
        key_id, _, secret = token.partition(".")
        key = self._keys.get(key_id)
        if key is None:
            return None
        mac = access.key_mac(self._pepper, secret)
        matches = [hmac.compare_digest(mac, known) and now < ends for known, ends in key.secrets]
        return key.identity if any(matches) and now < key.expires else None

    async def follow(self, bus: Bus) -> None:
        """Read the bucket and keep up with it, for ever; raises what ends its mirror."""
        mirror = Mirror(bus, streams.ACCESS)
        mirror.listen("", self.on_entry)
        try:
            await mirror.open(timeout=None)
            self._mirror = mirror
            await mirror.failed
        finally:
            await mirror.close()

    def on_entry(self, key_id: str, entry: Entry | None) -> None:
        """Take what the bucket holds for a key now, None for nothing."""
        before = self._keys.pop(key_id, None)
        after = None if entry is None else self._read(key_id, entry.value)
        if after is not None:
            self._keys[key_id] = after
        elif before is not None:
            for listener in self._listeners:
                listener(key_id)

    def _read(self, key_id: str, body: bytes) -> StoredKey | None:
        try:
            found = KeyEntry.model_validate_json(body)
        except ValidationError as error:
            _log.error("access.entry_unreadable", key=key_id, error=str(error))
            return None
        if found.pepper != self._mark and not self._differs:
            self._differs = True
            hint = "HYDROPHONE_KEY_PEPPER is not what the access consumer has: keys of the store are refused"
            _log.critical("access.pepper_differs", hint=hint)
        return StoredKey(
            identity=stored_identity(key_id, found.owner, found.scopes),
            secrets=tuple((one.mac, _seconds(one.ends)) for one in found.secrets),
            expires=_seconds(found.expires),
        )


def _seconds(ts_ns: int | None) -> float:
    return float("inf") if ts_ns is None else ts_ns / SECOND_NS
