"""One HTTP answer."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

JSON_TYPE: Final = b"application/json"


@dataclass(frozen=True, slots=True)
class Reply:
    """One HTTP answer; `headers` beside content type and length."""

    status: int
    body: bytes
    content_type: bytes = JSON_TYPE
    headers: tuple[tuple[bytes, bytes], ...] = field(default=())
