"""Taking back what a bucket holds: a document that cannot be read is a dead letter, and its owner starts without it."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

import structlog

from runtime.nats.deadletter import one_line
from runtime.nats.lanes.reader import OnBad

T = TypeVar("T")
_log = structlog.get_logger("restore")


class Restored:
    """Reads the documents of one bucket; `refused` counts those that could not be."""

    def __init__(self, bucket: str, on_bad: OnBad) -> None:
        self.refused = 0
        self._bucket = bucket
        self._on_bad = on_bad

    def read(self, key: str, body: bytes, read: Callable[[bytes], T]) -> T | None:
        """Give what `read` makes of a document, which must change nothing where it raises; None where it cannot."""
        try:
            return read(body)
        except Exception as error:  # noqa: BLE001  # whatever it is, it costs this document only
            self.refused += 1
            self._on_bad(f"$KV.{self._bucket}.{key}", body, error)
            _log.error("restore.refused", bucket=self._bucket, key=key, error=one_line(error))
            return None
