"""Notices streams and buckets that were deleted and made again: their writers must then write their state again."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

import structlog

from runtime import clock
from runtime.nats.bus import Bus, NoAnswerError
from runtime.nats.streams.api import ApiRefusalError, call
from runtime.nats.streams.config import BUCKET_PREFIX

_log = structlog.get_logger("remade")
_NOT_FOUND: Final = 404
OnRemade = Callable[[], None]


def bucket_stream(bucket: str) -> str:
    """Give the name of the stream that a bucket is."""
    return BUCKET_PREFIX + bucket


async def watch_remade(bus: Bus, listeners: Mapping[str, OnRemade], *, interval: float = 1.0) -> None:
    """Run for ever: each `interval` seconds look at every stream by name, and call its listener if it is another one.

    A stream is another one when the server's time of its creation is not the one that was seen first.
    """
    created: dict[str, str] = {}
    while True:
        for stream, listener in listeners.items():
            try:
                now = str((await call(bus, f"STREAM.INFO.{stream}"))["created"])
            except ApiRefusalError as error:
                if error.code != _NOT_FOUND:
                    _log.warning("remade.unknown", stream=stream, error=str(error))
                continue
            except NoAnswerError as error:
                _log.warning("remade.unknown", stream=stream, error=str(error))
                break
            if created.setdefault(stream, now) != now:
                created[stream] = now
                _log.warning("remade.noticed", stream=stream)
                listener()
        await clock.sleep(interval)
