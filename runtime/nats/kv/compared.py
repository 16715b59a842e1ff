"""A bucket that several processes write: a key changes only where it is what its writer has read."""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass
from typing import Any, Final, cast

from nats.js.errors import APIError

from runtime.nats.bus import Bus
from runtime.nats.streams.api import ApiRefusalError, call
from runtime.nats.streams.config import BUCKET_PREFIX

_NOT_FOUND: Final = 404
_WRONG_SEQUENCE: Final = 10071
_EXPECTED: Final = "Nats-Expected-Last-Subject-Sequence"
_SECONDS: Final = 5.0


@dataclass(frozen=True, slots=True)
class Word:
    """What a key holds, None for nothing, and the revision of that."""

    value: bytes | None
    revision: int


class ComparedBucket:
    """One bucket; nats.errors.Error, NoAnswerError or ApiRefusalError where the server does not answer as it does."""

    def __init__(self, bus: Bus, name: str) -> None:
        self._bus, self.name = bus, name

    async def find(self, key: str) -> Word:
        """Return what a key holds, as the server itself has it."""
        body = json.dumps({"last_by_subj": f"$KV.{self.name}.{key}"}).encode()
        try:
            answer = await call(self._bus, f"STREAM.MSG.GET.{BUCKET_PREFIX}{self.name}", body)
        except ApiRefusalError as error:
            if error.code == _NOT_FOUND and "message" in str(error):
                return Word(None, 0)
            raise
        message = cast("dict[str, Any]", answer["message"])
        value = base64.b64decode(message.get("data", ""))
        return Word(value or None, int(message["seq"]))

    async def write(self, key: str, value: bytes | None, revision: int) -> int | None:
        """Put a value in the place of a revision (0: of nothing) and return its own; None where another was faster.

        None as a value takes the key away.
        """
        headers = {_EXPECTED: str(revision), **({} if value is not None else {"KV-Operation": "DEL"})}
        try:
            ack = await self._bus.jetstream(timeout=_SECONDS).publish(
                f"$KV.{self.name}.{key}", value or b"", stream=BUCKET_PREFIX + self.name, headers=headers
            )
        except APIError as error:
            if error.err_code == _WRONG_SEQUENCE:
                return None
            raise
        return ack.seq
