"""One HTTP answer, made of bytes."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

from starlette.responses import Response

from api.http.conditional import LIVE

JSON_TYPE: Final = b"application/json"


@dataclass(frozen=True, slots=True)
class Reply:
    """One HTTP answer; `headers` beside content type and length. One with a `tag` may be kept and asked for again."""

    status: int
    body: bytes
    content_type: bytes = JSON_TYPE
    headers: tuple[tuple[bytes, bytes], ...] = field(default=())
    tag: bytes = b""

    def all_headers(self) -> list[tuple[bytes, bytes]]:
        """Return the headers beside content type and length, with those of the tag."""
        return [*self.headers, (b"etag", self.tag), (b"cache-control", LIVE)] if self.tag else [*self.headers]

    def as_response(self) -> Response:
        """Return the same for a FastAPI route."""
        response = Response(self.body, self.status, media_type=self.content_type.decode())
        response.raw_headers.extend(self.all_headers())
        return response
