"""What is known of a request once it was answered, for whoever counts requests."""

from __future__ import annotations

from typing import NamedTuple


class Notes:
    """What is noted of a request on its way: the error's code, and whether it was answered from memory."""

    __slots__ = ("cached", "code")

    def __init__(self) -> None:
        self.code: str | None = None
        self.cached: bool | None = None


class Answered(NamedTuple):
    """One answered request; `key` is the key's name in part, None for anonymous; `seconds` until its answer began."""

    ts: int
    endpoint: str
    method: str
    status: int
    seconds: float
    key: str | None
    path: str
    query: bytes
    error: str | None
    cached: bool | None
