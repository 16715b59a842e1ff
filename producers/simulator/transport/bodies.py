"""Requests with a body: the plain fields of a JSON body are read as a query, so that venues see one kind of request."""

from __future__ import annotations

import json
from typing import Any, Final, cast
from urllib.parse import quote, urlencode

from websockets.asyncio.server import ServerConnection

LONGEST_HEAD: Final = 64 * 1024
LONGEST_BODY: Final = 1024 * 1024
_END: Final = b"\r\n\r\n"


class BodyConnection(ServerConnection):
    """A server connection that waits for a request's body and passes the request on without one.

    `sent` is the request's target and its body as they came.
    """

    sent: tuple[str, str] = ("", "")
    _request = b""
    _is_read = False

    def data_received(self, data: bytes) -> None:
        """Holds back what belongs to the first request until all of it is here."""
        if not self._is_read:
            self._request += data
            whole = without_body(self._request)
            if whole is None:
                return
            self.sent = read_sent(self._request)
            self._is_read, self._request, data = True, b"", whole
        super().data_received(data)


def without_body(received: bytes) -> bytes | None:
    """Return what to pass on of the bytes received so far; None while some of the request is still missing."""
    head, end, body = received.partition(_END)
    if not end:
        return received if len(received) > LONGEST_HEAD else None
    length = _length(head)
    if not 0 < length <= LONGEST_BODY:
        return received
    if len(body) < length:
        return None
    lines = [line for line in head.split(b"\r\n") if not line.lower().startswith(b"content-length:")]
    method, _, rest = lines[0].partition(b" ")
    target, _, protocol = rest.rpartition(b" ")
    query = urlencode(read_fields(body[:length]), quote_via=quote).encode()
    target += (b"&" if b"?" in target else b"?") + query if query else b""
    return b"\r\n".join([b" ".join((method, target, protocol)), *lines[1:]]) + _END


def read_sent(received: bytes) -> tuple[str, str]:
    """Return a whole request's target and body."""
    head, _, body = received.partition(_END)
    target = head.partition(b"\r\n")[0].partition(b" ")[2].rpartition(b" ")[0]
    return target.decode("ascii", "replace"), body.decode("utf-8", "replace")


def read_fields(body: bytes) -> dict[str, str]:
    """The plain fields of a JSON object, those of objects within it included; nothing where it is no such object."""
    try:
        found = json.loads(body)
    except ValueError:
        return {}
    if not isinstance(found, dict):
        return {}
    fields: dict[str, str] = {}
    for name, value in cast("dict[str, Any]", found).items():
        inner = cast("dict[str, Any]", value) if isinstance(value, dict) else {name: value}
        fields.update({key: str(item) for key, item in inner.items() if isinstance(item, str | int | float)})
    return fields


def _length(head: bytes) -> int:
    for line in head.split(b"\r\n")[1:]:
        name, _, value = line.partition(b":")
        if name.strip().lower() == b"content-length" and value.strip().isdigit():
            return int(value)
    return 0
