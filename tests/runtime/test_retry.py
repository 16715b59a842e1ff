"""Retries: what is tried again, what is not, and when it ends."""

from __future__ import annotations

from itertools import islice

import pytest

from runtime.retry import Policy, delays, retried, without_waiting


async def test_named_error_is_tried_again_until_it_works() -> None:
    tries = 0

    async def call() -> str:
        nonlocal tries
        tries += 1
        if tries < 3:
            raise ConnectionError
        return "done"

    assert await retried(call, on=ConnectionError, policy=Policy(wait_initial=0.001, jitter=0.001)) == "done"
    assert tries == 3


async def test_other_error_is_raised_at_once() -> None:
    tries = 0

    async def call() -> None:
        nonlocal tries
        tries += 1
        raise ValueError("price")

    with pytest.raises(ValueError, match="price"):
        await retried(call, on=ConnectionError, policy=Policy())
    assert tries == 1


async def test_last_error_is_raised_when_the_policy_ends() -> None:
    tries = 0

    async def call() -> None:
        nonlocal tries
        tries += 1
        raise ConnectionError(f"try {tries}")

    with without_waiting(attempts=4), pytest.raises(ConnectionError, match="try 4"):
        await retried(call, on=ConnectionError, policy=Policy(wait_initial=60))


def test_delays_double_up_to_the_longest() -> None:
    policy = Policy(wait_initial=1, wait_max=5, jitter=0)
    assert list(islice(delays(policy), 5)) == [1, 2, 4, 5, 5]
    jittered = list(islice(delays(Policy(wait_initial=1, wait_max=1, jitter=0.5)), 50))
    assert all(1 <= delay <= 1.5 for delay in jittered)
    assert len(set(jittered)) > 1
