"""Which `Host` and `Origin` a request may name, so that no page's name can be bent to this service.

A browser sends the name that it looked up as `Host` (DNS rebinding), and the page that it is on as `Origin`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

from api.http.errors import ForbiddenError

LOOPBACK: Final = frozenset({"127.0.0.1", "localhost", "::1"})


@dataclass(frozen=True, slots=True)
class Hosts:
    """The names that may be asked for, and the origins of pages that may ask."""

    names: frozenset[str]
    origins: frozenset[str]

    @classmethod
    def of(cls, public_url: str | None, origins: Iterable[str] = ()) -> Hosts:
        """Return loopback, the host of the public URL, and the pages of both."""
        public = _host(public_url or "")
        allowed = {_origin(public_url)} if public_url else set[str]()
        return cls(LOOPBACK | ({public} if public else set[str]()), frozenset({*allowed, *origins}))

    def check(self, headers: Mapping[bytes, bytes]) -> None:
        """Raise ForbiddenError where the request names another host, or comes from another page."""
        host = headers.get(b"host", b"").decode("latin-1")
        if _host(f"//{host}") not in self.names:
            raise ForbiddenError("This host is not served: GPT_API_PUBLIC_URL names another", host=host[:255])
        origin = headers.get(b"origin")
        if origin is None:
            return
        text = origin.decode("latin-1")
        if _host(text) not in LOOPBACK and text.lower() not in self.origins:
            raise ForbiddenError("Pages of this origin may not ask here", origin=text[:255])


def _host(url: str) -> str:
    try:
        return (urlsplit(url).hostname or "").lower()
    except ValueError:
        return ""


def _origin(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}".lower()
