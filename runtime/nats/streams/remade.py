"""Notices streams and buckets that were made again, or led by another server: their writers then write their state."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final, cast

import structlog

from runtime import clock
from runtime.nats.bus import Bus, NoAnswerError
from runtime.nats.streams.api import ApiRefusalError, call
from runtime.nats.streams.config import BUCKET_PREFIX

_log = structlog.get_logger("remade")
_NOT_FOUND: Final = 404
_SECONDS: Final = 2.0
_AWAY: Final = ("", "")  # it did not answer
OnRemade = Callable[[], None]


def bucket_stream(bucket: str) -> str:
    """Give the name of the stream that a bucket is."""
    return BUCKET_PREFIX + bucket


async def watch_remade(
    bus: Bus,
    listeners: Mapping[str, OnRemade],
    *,
    on_moved: Mapping[str, OnRemade] | None = None,
    interval: float = 1.0,
) -> None:
    """Run for ever: each `interval` seconds look at every stream by name, and call its listener if it is another one.

    A stream is another one when the server's time of its creation is not the one that was seen first. In a cluster
    `on_moved` is called where a stream has a new leader, or was away: what was published meanwhile without waiting for
    an acknowledgement is not in it.
    """
    created: dict[str, str] = {}
    terms: dict[str, object] = {}
    moved = on_moved or {}
    while True:
        for stream, listener in listeners.items():
            try:
                info = await call(bus, f"STREAM.INFO.{stream}", timeout=_SECONDS)
            except ApiRefusalError as error:
                if error.code != _NOT_FOUND:
                    _log.warning("remade.unknown", stream=stream, error=str(error))
                continue
            except NoAnswerError as error:
                _log.warning("remade.unknown", stream=stream, error=str(error))
                if bus.connected and stream in terms:
                    terms[stream] = _AWAY
                break
            now, term = str(info["created"]), find_term(info)
            if created.setdefault(stream, now) != now:
                _log.warning("remade.noticed", stream=stream)
                listener()
            elif stream in moved and term is not None and terms.setdefault(stream, term) != term:
                _log.warning("remade.moved", stream=stream, leader=term)
                moved[stream]()
            created[stream] = now
            if term is not None:
                terms[stream] = term
        await clock.sleep(interval)


def find_term(info: Mapping[str, Any]) -> tuple[str, str] | None:
    """Return the leader that an answer to STREAM.INFO names, and since when; None without one, or without a cluster."""
    cluster = cast("Mapping[str, object]", info.get("cluster") or {})
    leader = cluster.get("leader")
    return None if not leader else (str(leader), str(cluster.get("leader_since", "")))
