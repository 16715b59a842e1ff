"""One HTTP answer, made of bytes."""

from __future__ import annotations

from collections.abc import Iterable
from http import HTTPStatus
from typing import Final, NamedTuple

from starlette.responses import Response

from api.http.conditional import LIVE

JSON_TYPE: Final = b"application/json"
_HEAD: Final = b"content-type: %b\r\ncontent-length: %d\r\n"
_TAGGED: Final = b"etag: %b\r\ncache-control: " + LIVE + b"\r\n"


class Reply(NamedTuple):
    """One HTTP answer; `headers` beside content type and length. One with a `tag` may be kept and asked for again."""

    status: int
    body: bytes
    content_type: bytes = JSON_TYPE
    headers: tuple[tuple[bytes, bytes], ...] = ()
    tag: bytes = b""

    def all_headers(self) -> list[tuple[bytes, bytes]]:
        """Return the headers beside content type and length, with those of the tag."""
        return [*self.headers, (b"etag", self.tag), (b"cache-control", LIVE)] if self.tag else [*self.headers]

    def head(self) -> bytes:
        """Return the lines of the same headers, with content type and length."""
        lines = _HEAD % (self.content_type, len(self.body))
        if self.tag:
            lines += _TAGGED % self.tag
        return lines + header_lines(self.headers) if self.headers else lines

    def as_response(self) -> Response:
        """Return the same for a FastAPI route."""
        response = Response(self.body, self.status, media_type=self.content_type.decode())
        response.raw_headers.extend(self.all_headers())
        return response


def header_lines(headers: Iterable[tuple[bytes, bytes]]) -> bytes:
    """Return headers as they stand in an answer."""
    return b"".join([b"%b: %b\r\n" % header for header in headers])


def response_bytes(reply: Reply) -> bytes:
    """Give a whole HTTP answer, after which the connection ends."""
    status = HTTPStatus(reply.status)
    length = (b"content-length", b"%d" % len(reply.body))
    headers = ((b"content-type", reply.content_type), length, (b"connection", b"close"), *reply.headers)
    return b"HTTP/1.1 %d %b\r\n%b\r\n%b" % (status, status.phrase.encode(), header_lines(headers), reply.body)
