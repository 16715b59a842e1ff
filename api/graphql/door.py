"""The key of one WebSocket, and what it may: shown by header, or in the payload of `connection_init`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from api.http.access.admission import AccessControl, Admission
from api.http.access.keys import Identity, bearer_token
from runtime import clock

SECOND_NS: Final = 1_000_000_000


@dataclass(slots=True)
class Door:
    """The key of one connection, as it is known: by header, or later by `connection_init`."""

    access: AccessControl
    path: str
    at_connect: Admission
    token: str | None
    on_key: Callable[[Identity], None]  # of a key that is accepted later

    def admit(self) -> Admission:
        """Decide on one more request with the key."""
        return self.access.admit_token(self.token, self.path, self.at_connect.address, clock.now_ns() / SECOND_NS)

    def show(self, payload: Mapping[str, Any]) -> Admission:
        """Take the key of a `connection_init` where it has one, and decide; a header's key stays otherwise."""
        token = find_token(payload)
        if token is None:
            return self.at_connect
        self.token = token
        admission = self.admit()
        if admission.refused is None:
            self.on_key(admission.identity)
        return admission


def find_token(payload: Mapping[str, Any]) -> str | None:
    """Return the key in the payload of `connection_init`: `Authorization: Bearer KEY`, or `key`; None without one."""
    for name, value in payload.items():
        if not isinstance(value, str):
            continue
        if name.lower() == "authorization":
            return bearer_token(value.encode("utf-8", "replace"))
        if name.lower() == "key":
            return value
    return None
