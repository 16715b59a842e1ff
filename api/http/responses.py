"""One HTTP answer, made of bytes."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

from starlette.responses import Response

JSON_TYPE: Final = b"application/json"


@dataclass(frozen=True, slots=True)
class Reply:
    """One HTTP answer; `headers` beside content type and length."""

    status: int
    body: bytes
    content_type: bytes = JSON_TYPE
    headers: tuple[tuple[bytes, bytes], ...] = field(default=())

    def as_response(self) -> Response:
        """Return the same for a FastAPI route."""
        response = Response(self.body, self.status, media_type=self.content_type.decode())
        response.raw_headers.extend(self.headers)
        return response
