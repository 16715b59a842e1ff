"""Whether the bus keeps what is written: a small synced message a second, and what came of it."""

from __future__ import annotations

import asyncio
from typing import Final

import structlog
from nats.errors import Error as NatsError

from contracts import streams, subjects
from runtime.nats.bus import Bus

EVERY_SECONDS: Final = 1.0
ANSWER_SECONDS: Final = 1.5
FAILURES: Final = 2  # in a row: one slow answer is no fault
_BODY: Final = bytes(8192)  # more than a page, so that it needs room of its own
_log = structlog.get_logger("probe")


class WriteProbe:
    """Writes as `who`; `problem` says why the bus does not keep it, None while it does or is away."""

    def __init__(self, bus: Bus, who: str) -> None:
        self._bus, self._subject = bus, subjects.PROBE + who
        self._failures = 0
        self.problem: str | None = None

    async def run(self) -> None:
        """Write until it is cancelled."""
        while True:
            await self.write()
            await asyncio.sleep(EVERY_SECONDS)

    async def write(self) -> None:
        """Write once; while the bus is away nothing is known, and what was known before is forgotten."""
        if not self._bus.connected:
            self._note(None, failures=0)
            return
        try:
            await self._bus.jetstream().publish(self._subject, _BODY, timeout=ANSWER_SECONDS, stream=streams.PROBE)
        except (TimeoutError, NatsError) as error:
            reason = f"stream {streams.PROBE} takes no message: {str(error) or 'no answer'}"
            self._note(reason if self._failures + 1 >= FAILURES else self.problem, failures=self._failures + 1)
        else:
            self._note(None, failures=0)

    def _note(self, problem: str | None, *, failures: int) -> None:
        if (problem is None) != (self.problem is None):
            _log.warning("probe.bus_cannot_write" if problem else "probe.bus_can_write", reason=problem)
        self.problem, self._failures = problem, failures
