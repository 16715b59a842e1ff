"""Retries with backoff and jitter: the one place that has them, switched off or sped up as a whole in tests."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from random import uniform
from typing import TypeVar

import stamina

T = TypeVar("T")
Retryable = type[Exception] | tuple[type[Exception], ...] | Callable[[Exception], bool]


@dataclass(frozen=True, slots=True)
class Policy:
    """How long to go on: at most `attempts` (None: any number) and `timeout` seconds (None: for ever)."""

    attempts: int | None = None
    timeout: float | None = 10.0
    wait_initial: float = 0.1
    wait_max: float = 2.0
    jitter: float = 0.25


EFFECT = Policy(timeout=60.0)
"""For effects: well within the shortest duplicate window, so that a late retry is never a second effect."""


async def retried(call: Callable[[], Awaitable[T]], on: Retryable, policy: Policy) -> T:
    """Await `call()` until it returns; errors that `on` does not name, and the last one, are raised as they are."""
    async for attempt in stamina.retry_context(
        on=on,
        attempts=policy.attempts,
        timeout=policy.timeout,
        wait_initial=policy.wait_initial,
        wait_max=policy.wait_max,
        wait_jitter=policy.jitter,
    ):
        with attempt:
            return await call()
    raise AssertionError("stamina either returns or raises")


def delays(policy: Policy) -> Iterator[float]:
    """Endless seconds to wait between attempts of a loop that never gives up: doubling up to wait_max, with jitter."""
    wait = policy.wait_initial
    while True:
        yield min(policy.wait_max, wait) + uniform(0, policy.jitter)
        wait = min(policy.wait_max, wait * 2)


@contextmanager
def without_waiting(attempts: int = 1) -> Generator[None]:
    """In tests: every retry ends after so many attempts and waits for nothing between them."""
    with stamina.set_testing(True, attempts=attempts):  # its signature
        yield
