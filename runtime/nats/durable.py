"""A durable pull consumer on the server: found, waited for, and watched while it is served.

FastStream would only spin where it vanished.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import structlog

from contracts.streams import DurableSpec
from runtime import clock
from runtime.nats.bus import Bus, NoAnswerError
from runtime.nats.streams.api import ApiRefusalError, call

_log = structlog.get_logger("durable")
_NOT_FOUND = 404


class MissingDurableError(RuntimeError):
    """The durable is not on the server, or was made again meanwhile; the message names it."""


@dataclass(frozen=True, slots=True)
class DurableRule:
    """Seconds: first and longest delay before a message is asked for again, between looks at the durable, and how long
    to wait for it at the start.
    """  # noqa: D205

    delay: float = 1.0
    delay_max: float = 60.0
    look: float = 1.0
    wait: float = 30.0


async def find_durable(bus: Bus, spec: DurableSpec) -> dict[str, Any] | None:
    """Give the server's account of a durable, None where it has none."""
    try:
        return await call(bus, f"CONSUMER.INFO.{spec.stream}.{spec.name}")
    except ApiRefusalError as error:
        if error.code == _NOT_FOUND:
            return None
        raise


async def wait_for_durable(bus: Bus, spec: DurableSpec, rule: DurableRule) -> dict[str, Any]:
    """Give the server's account as soon as the provisioner has made it; MissingDurableError after `rule.wait`."""
    deadline = clock.monotonic() + rule.wait
    while True:
        info = await find_durable(bus, spec)
        if info is not None:
            return info
        if clock.monotonic() >= deadline:
            raise MissingDurableError(f"durable {spec.stream}/{spec.name}: missing, run the provisioner")
        await clock.sleep(min(rule.look, 0.2))


async def watch_durable(bus: Bus, spec: DurableSpec, rule: DurableRule, created: str) -> None:
    """Run until the durable is gone, or is another one of the same name: then raise MissingDurableError."""
    while True:
        await clock.sleep(rule.look)
        try:
            info = await find_durable(bus, spec)
        except (NoAnswerError, ApiRefusalError) as error:
            _log.warning("durable.unknown", durable=spec.name, error=str(error))
            continue
        if info is None or info["created"] != created:
            what = "vanished" if info is None else "was made again"
            _log.critical("durable.lost", durable=spec.name, what=what)
            raise MissingDurableError(f"durable {spec.stream}/{spec.name}: {what}")
