"""What a post came to: an answer, a refusal that is final, or a failure that may pass. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

Failing = Literal["timeout", "dns", "connect", "tls", "reset", "protocol"]


@dataclass(frozen=True, slots=True)
class Answer:
    """What the receiver answered: names of headers in lower case, the first KB of the body, how long it took."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    seconds: float


class RefusedAddressError(Exception):
    """Nothing was sent, and nothing will be: the URL is not one that may be posted to. The text says why."""


class DeliveryError(Exception):
    """No answer came; a later attempt may get one. `kind` says at which step, `seconds` how long it took."""

    def __init__(self, kind: Failing, message: str, seconds: float) -> None:
        super().__init__(message)
        self.kind: Failing = kind
        self.seconds = seconds
