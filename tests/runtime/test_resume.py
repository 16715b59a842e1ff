"""Where to go on in a stream: decided by the server's times, whatever became of the stream."""

from __future__ import annotations

from collections.abc import AsyncGenerator

import pytest
import pytest_asyncio
from nats.js.api import StorageType

from runtime.app.resume import Found, Mark, Resumed, Start, decide_start, find_start
from runtime.nats.bus import Bus
from runtime.nats.streams.api import call, parse_rfc3339

READ = 1000
SAME = Found(created=10, first=1, last=90, taken_at=READ)


@pytest.mark.parametrize(
    ("found", "wanted"),
    [
        (SAME, Resumed(Start(sequence=51))),
        (Found(created=10, first=1, last=50, taken_at=READ), Resumed(Start(sequence=51))),
        (Found(created=10, first=1, last=90, taken_at=None), Resumed(Start(sequence=51))),  # replaced by a newer one
        (Found(created=10, first=51, last=90, taken_at=None), Resumed(Start(sequence=51))),
        (Found(created=10, first=61, last=90, taken_at=None), Resumed(Start(sequence=51), missed=10)),
        (Found(created=10, first=1, last=49, taken_at=None), Resumed(Start(time_ns=READ + 1), None)),  # lost its tail
        (Found(created=10, first=1, last=90, taken_at=READ + 1), Resumed(Start(time_ns=READ + 1), None)),  # grown past
        (Found(created=2000, first=61, last=90, taken_at=None), Resumed(Start(time_ns=READ + 1), None)),
        (Found(created=2000, first=1, last=90, taken_at=2500), Resumed(Start(time_ns=READ + 1), None)),
    ],
)
@pytest.mark.parametrize("exact", [True, False])
def test_goes_on_after_the_mark_only_in_the_same_stream(found: Found, wanted: Resumed, *, exact: bool) -> None:
    assert decide_start(Mark(50, READ, exact=exact), found) == wanted


def test_message_of_another_time_is_another_message_where_the_time_is_known_exactly() -> None:
    earlier = Found(created=10, first=1, last=90, taken_at=READ - 5)  # the server's clock was set back
    assert decide_start(Mark(50, READ), earlier).missed == 0
    assert decide_start(Mark(50, READ, exact=True), earlier).missed is None


@pytest_asyncio.fixture
async def stream(bus: Bus) -> AsyncGenerator[str]:
    await make(bus, 5)
    yield "R_SAME"
    await bus.jetstream().delete_stream("R_SAME")


async def make(bus: Bus, messages: int) -> None:
    await bus.jetstream().add_stream(name="R_SAME", subjects=["r.same"], storage=StorageType.MEMORY)
    for _ in range(messages):
        await bus.jetstream().publish("r.same", b"x")


async def test_stream_made_again_and_grown_past_the_mark_is_noticed(bus: Bus, stream: str) -> None:
    message = (await call(bus, f"STREAM.MSG.GET.{stream}", b'{"seq":3}'))["message"]
    mark = Mark(3, parse_rfc3339(message["time"]), exact=True)
    assert await find_start(bus, stream, mark) == Resumed(Start(sequence=4))
    await bus.jetstream().delete_stream(stream)
    await make(bus, 20)
    assert await find_start(bus, stream, mark) == Resumed(Start(time_ns=mark.read_by + 1), None)
