"""Who reads, by the ends of its window: numbers as Linux gave them for clients that did and did not."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from api.stream.events import window
from api.stream.events.window import LOOKS, SENT_EACH, ReadingWatch
from tests.api.test_stream_events import BOTH, EventSource, Publisher
from tests.api.world import READ_KEY, Start, Store

CLIENTS = "hydrophone_stream_event_clients {}.0"


def looks(ends: list[int]) -> list[bool]:
    watch = ReadingWatch()
    return [watch.is_reading(end) for end in ends]


@pytest.mark.parametrize("each", [SENT_EACH, 100_000])
def test_a_client_that_reads_moves_the_end_of_its_window_by_what_it_is_sent(each: int) -> None:
    assert all(looks([70_000 + number * each for number in range(50)]))


def test_a_client_that_does_not_read_is_seen_after_some_looks_though_its_buffer_grows() -> None:
    windows = [91_136, 90_112, 89_088, 87_040, 86_016, 83_968, 82_944, 81_920]
    ends = [2548 + number * SENT_EACH + window for number, window in enumerate(windows)]
    assert looks(ends).index(False) == LOOKS


def test_a_client_that_reads_again_stays() -> None:
    watch, end = ReadingWatch(), 70_000
    for _ in range(3 * LOOKS):
        for moved in (0, 0, 0, 4 * SENT_EACH):
            end += moved
            assert watch.is_reading(end)


def test_a_connection_that_acknowledges_nothing_is_seen() -> None:
    assert looks([70_000] * (LOOKS + 1)) == [*[True] * LOOKS, False]


def test_where_the_system_does_not_say_nobody_is_judged() -> None:
    watch = ReadingWatch()
    assert all(watch.is_reading(None) for _ in range(3 * LOOKS))


@pytest.mark.nats
async def test_a_client_of_a_quiet_stream_that_reads_nothing_is_cut_and_the_others_stay(
    store: Store, start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert window.LOOK_SECONDS * (window.LOOKS + 1) < 10
    monkeypatch.setattr(window, "LOOK_SECONDS", 0.15)
    api = await start()
    good = EventSource()

    async def read_until(name: str) -> None:
        while (await good.next(60))["id"] != name:
            pass

    async with good.connected(api):
        reading = asyncio.create_task(read_until("whale-1"))
        for read in (0, 100_000):  # one that never reads, and one that read for a while
            reader, writer = await asyncio.open_connection("127.0.0.1", api.port, limit=1024)
            writer.write(f"GET {BOTH} HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer {READ_KEY}\r\n\r\n".encode())
            await reader.readuntil(b"\r\n\r\n")
            await reader.readexactly(window.SENT_EACH)
            if read:
                await Publisher(store).publish(1)
                await reader.readuntil(b"liquidation-0")
            transport: Any = writer.transport
            transport.pause_reading()
            await api.until("/metrics", lambda answer: CLIENTS.format(2) in answer.text)
            await api.until("/metrics", lambda answer: CLIENTS.format(1) in answer.text)
            writer.close()
        assert "hydrophone_stream_closed_slow_total 2.0" in (await api.get("/metrics")).text
        await Publisher(store).publish(2)
        await reading
