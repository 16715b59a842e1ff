"""What services of one process share is one object, and is closed once, by the last."""

from __future__ import annotations

import pytest

from runtime.app.shared import Shared


class Held:
    def __init__(self) -> None:
        self.closed = 0

    async def close(self) -> None:
        self.closed += 1


async def test_one_object_for_a_key_is_closed_by_the_last_who_leaves():
    shared = Shared()
    async with shared.open("a", Held) as first:
        async with shared.open("a", Held) as second, shared.open("b", Held) as other:
            assert first is second
            assert other is not first
        assert (first.closed, other.closed) == (0, 1)
    assert first.closed == 1


async def test_who_comes_after_the_last_gets_a_new_one():
    shared = Shared()
    async with shared.open("a", Held) as before:
        pass
    async with shared.open("a", Held) as after:
        assert after is not before
        assert not after.closed


async def test_it_is_closed_where_its_user_fails():
    shared = Shared()
    kept = Held()
    with pytest.raises(RuntimeError, match="broken"):
        async with shared.open("a", lambda: kept):
            raise RuntimeError("broken")
    assert kept.closed == 1
