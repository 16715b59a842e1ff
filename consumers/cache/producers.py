"""Says on a venue's feed that its producer is gone, and learns from the producers' leases which silence is too long.

The producer itself cannot say that it was killed, and a standby is not always there. What is said here is written only
where nothing was published on the feed since the producer was found gone, so it never overtakes a new one.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Iterable
from typing import Any, Final

import structlog
from nats.errors import Error as NatsError
from nats.js.errors import APIError

from contracts import codec, subjects
from contracts.instrument import unescape_token
from contracts.market import FeedState, FeedStatus
from contracts.subjects import HEADER_MESSAGE_ID, HEADER_SCHEMA, LEASE_PRODUCERS
from runtime import clock
from runtime.hops.times import Percentiles
from runtime.nats.bus import Bus, NoAnswerError
from runtime.nats.leases.holders import HolderWatch
from runtime.nats.leases.lease import Grant, find_grant
from runtime.nats.streams.api import ApiRefusalError, call

_log = structlog.get_logger("cache")
_FAST: Final = codec.fast(FeedStatus)
_SECOND: Final = 1_000_000_000
_NOT_FOUND: Final = 404
_EXPECTED: Final = "Nats-Expected-Last-Subject-Sequence"
_OVER: Final = frozenset({"down", "gap"})


class ProducerWatch:
    """The leases of every unit; `run` for ever."""

    def __init__(self, bus: Bus, feeds: str) -> None:
        self._bus, self._feeds = bus, feeds
        self._holders = HolderWatch(bus, LEASE_PRODUCERS, self._on_ended)

    async def run(self) -> None:
        """Watch for ever."""
        await self._holders.run()

    def silence_limits(self) -> dict[str, dict[str, int]]:
        """Give ns by venue and channel, the shortest where several units serve one."""
        limits: dict[str, dict[str, int]] = {}
        for unit, grant in self._holders.grants():
            of_venue = limits.setdefault(unit.partition(".")[0], {})
            for channel, seconds in grant.about.get("silence", {}).items():
                limit = int(seconds * _SECOND)
                of_venue[channel] = min(limit, of_venue.get(channel, limit))
        return limits

    def publish_times(self) -> dict[str, dict[str, Percentiles]]:
        """Give what `read_publish_times` reads of the leases."""
        return read_publish_times(self._holders.grants())

    async def _on_ended(self, unit: str, grant: Grant, reason: str) -> bool:
        """Publish it, unless the feed's last word is as bad already; False where something came in between."""
        venue, _, group = unit.partition(".")
        subject = subjects.FEED + venue
        try:
            sequence, last = await self._find_last(subject)
            if last is not None and last.state in _OVER and last.channel is None and last.symbol is None:
                return True
            if await find_grant(self._bus, LEASE_PRODUCERS + unit) != grant:
                return False  # another one has it: only before that is the sequence from before its first word
            state: FeedState = "gap" if group else "down"  # other units may still serve the venue
            event = self._status(unit, grant, state, reason)
            headers = {_EXPECTED: str(sequence), HEADER_MESSAGE_ID: event.id}
            headers[HEADER_SCHEMA] = codec.schema_of(FeedStatus)
            await self._bus.jetstream(timeout=1.0).publish(
                subject, codec.encode(event), stream=self._feeds, headers=headers
            )
        except (APIError, NatsError, NoAnswerError, ApiRefusalError) as error:
            _log.warning("cache.not_announced", unit=unit, reason=reason, error=str(error) or type(error).__name__)
            return False
        _log.warning("cache.producer_ended", unit=unit, reason=reason)
        return True

    def _status(self, unit: str, grant: Grant, state: FeedState, reason: str) -> Any:  # a fast struct
        venue, _, group = unit.partition(".")
        return _FAST(
            id=f"{venue}.feed.ended.{unit}.{grant.token}.{grant.revision}",
            venue=unescape_token(venue),
            symbol=None,
            venue_symbol=None,
            ts_event=None,
            ts_recv=clock.now_ns(),
            sim=bool(grant.about.get("sim")),
            state=state,
            reason=f"group {group}: {reason}" if group else reason,
            channel=None,
        )

    async def _find_last(self, subject: str) -> tuple[int, Any]:
        """The sequence and the event of a feed's newest message; 0 and None where there is none."""
        body = json.dumps({"last_by_subj": subject}).encode()
        try:
            message = (await call(self._bus, f"STREAM.MSG.GET.{self._feeds}", body))["message"]
        except ApiRefusalError as error:
            if error.code == _NOT_FOUND and "message" in str(error):
                return 0, None
            raise
        return int(message["seq"]), codec.decode(subject, base64.b64decode(message.get("data", "")))


def read_publish_times(grants: Iterable[tuple[str, Grant]]) -> dict[str, dict[str, Percentiles]]:
    """Return by venue and kind how long producers take from receipt to the bus, ns; the slowest of its units. Pure."""
    times: dict[str, dict[str, Percentiles]] = {}
    for unit, grant in grants:
        of_venue = times.setdefault(unescape_token(unit.partition(".")[0]), {})
        for kind, (p50, p95, p99) in grant.about.get("publish", {}).items():
            of_venue[kind] = max((p50, p95, p99), of_venue.get(kind, (0, 0, 0)))
    return times
