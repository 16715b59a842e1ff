"""Reading a stream in order through kills, lost tails, new streams, lost deliveries: nothing missed, nothing twice."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
from nats.js.api import StorageType

from runtime.nats.bus import Bus, BusOptions
from runtime.nats.lanes.reader import LaneReader, Watchers
from runtime.nats.streams.api import ApiRefusalError, ack_position, parse_rfc3339, rfc3339
from runtime.nats.streams.reader import ALL, NEW, Start
from runtime.servers.embedded import nats_server

Eventually = Callable[..., Awaitable[None]]


class Read:
    """What a stream's reader handed over."""

    def __init__(self, bus: Bus) -> None:
        self.numbers: list[int] = []
        self.last: list[int] = []
        self.gaps: list[int] = []
        self.reader = LaneReader(bus, Watchers(lambda *_letter: None, self.gaps.append), heartbeat=0.3)

    def on_batch(self, batch: Sequence[tuple[str, int]], last: int) -> None:
        self.numbers += [number for _, number in batch]
        self.last.append(last)

    async def open(self, stream: str, subject: str = ">", start: Start = ALL, **more: Any) -> None:
        decode: Callable[[str, bytes], int] = lambda _subject, body: int(body)  # noqa: E731
        await self.reader.stream(stream, [subject], decode, self.on_batch, start=start, **more)


async def publish(bus: Bus, subject: str, numbers: Sequence[int]) -> None:
    js = bus.jetstream()
    for number in numbers:
        await js.publish(subject, b"%d" % number)


async def test_reads_from_the_start_from_a_sequence_from_a_time_and_only_new(bus: Bus, eventually: Eventually) -> None:
    await bus.jetstream().add_stream(name="S_START", subjects=["s.start.>"])
    await publish(bus, "s.start.a", range(1, 6))
    third = await bus.jetstream().get_msg("S_START", 3)
    assert third.time is not None
    reads = [Read(bus) for _ in range(4)]
    third_ns = parse_rfc3339(third.time.isoformat().replace("+00:00", "Z"))
    starts = [ALL, Start(sequence=4), Start(time_ns=third_ns), NEW]
    for read, start in zip(reads, starts, strict=True):
        await read.open("S_START", start=start)
    await publish(bus, "s.start.a", [6])
    await eventually(lambda: all(6 in read.numbers for read in reads))
    assert [read.numbers for read in reads] == [[1, 2, 3, 4, 5, 6], [4, 5, 6], [3, 4, 5, 6], [6]]
    assert reads[0].last[-1] == 6
    for read in reads:
        await read.reader.close()
    await bus.jetstream().delete_stream("S_START")


async def test_only_the_asked_subjects_are_read(bus: Bus, eventually: Eventually) -> None:
    await bus.jetstream().add_stream(name="S_FILTER", subjects=["s.filter.>"])
    read = Read(bus)
    await read.open("S_FILTER", "s.filter.yes.>")
    await publish(bus, "s.filter.no.a", [1])
    await publish(bus, "s.filter.yes.a", [2])
    await eventually(lambda: read.numbers == [2])
    await read.reader.close()
    await bus.jetstream().delete_stream("S_FILTER")


async def test_what_is_not_wanted_is_not_decoded_and_counts_as_read(bus: Bus, eventually: Eventually) -> None:
    await bus.jetstream().add_stream(name="S_WANTED", subjects=["s.wanted.>"])
    read = Read(bus)
    await read.open("S_WANTED", "s.wanted.>", wanted=lambda subject: subject.startswith(b"s.wanted.yes."))
    await publish(bus, "s.wanted.yes.a", [1])
    await bus.jetstream().publish("s.wanted.no.a", b"no number")
    await publish(bus, "s.wanted.yes.a", [3])
    await bus.jetstream().publish("s.wanted.no.a", b"no number")
    await eventually(lambda: read.numbers == [1, 3] and read.last[-1] == 4)
    assert read.gaps == []
    await read.reader.close()
    await bus.jetstream().delete_stream("S_WANTED")


async def test_stream_that_does_not_exist_is_an_error_at_start(bus: Bus) -> None:
    with pytest.raises(ApiRefusalError, match=r"S_NOT_THERE.*not found"):
        await Read(bus).open("S_NOT_THERE")


async def test_kill_of_the_server_under_load_misses_and_doubles_nothing(tmp_path: Path, eventually: Eventually) -> None:
    async with nats_server(tmp_path) as server:
        bus = await Bus(BusOptions(servers=(server.url,), name="test")).connect()
        await bus.jetstream().add_stream(name="LOAD", subjects=["load"])
        read, gate = Read(bus), asyncio.Semaphore(50)
        await read.open("LOAD")

        async def publish_one(number: int) -> None:
            async with gate:
                await bus.publish_acked("load", b"%d" % number, headers={"Nats-Msg-Id": f"n{number}"}, stream="LOAD")

        load = asyncio.gather(*(publish_one(number) for number in range(800)))
        await eventually(lambda: len(read.numbers) > 300)
        await server.kill()
        await asyncio.sleep(2.0)
        await server.start()
        await load
        await eventually(lambda: len(read.numbers) >= 800)
        assert sorted(read.numbers) == list(range(800))
        assert read.last[-1] == 800
        assert read.gaps == []
        await bus.close()


async def test_stream_that_lost_its_tail_is_read_on_with_every_new_message(
    tmp_path: Path, eventually: Eventually
) -> None:
    store, saved = tmp_path / "live" / "jetstream", tmp_path / "saved"
    async with nats_server(tmp_path / "live") as server:
        bus = await Bus(BusOptions(servers=(server.url,), name="test")).connect()
        await bus.jetstream().add_stream(name="TAIL", subjects=["tail"])
        await publish(bus, "tail", [1, 2])
        read = Read(bus)
        await read.open("TAIL")
        await server.kill()
        shutil.copytree(store, saved)
        await server.start()
        await publish(bus, "tail", [3, 4])
        await eventually(lambda: read.numbers == [1, 2, 3, 4])
        await server.kill()
        shutil.rmtree(store)
        shutil.copytree(saved, store)
        writer = asyncio.create_task(_publish_when_back(server.start, bus))
        await eventually(lambda: read.numbers == [1, 2, 3, 4, 5, 6, 7])
        await writer
        await bus.close()


async def _publish_when_back(start: Callable[[], Awaitable[None]], bus: Bus) -> None:
    await start()
    for number in (5, 6, 7):
        await bus.publish_acked("tail", b"%d" % number, headers={"Nats-Msg-Id": str(number)}, stream="TAIL")


async def test_big_backlog_is_read_in_order_with_flow_control(bus: Bus, eventually: Eventually) -> None:
    await bus.jetstream().add_stream(name="S_BACKLOG", subjects=["s.backlog"], storage=StorageType.MEMORY)
    for number in range(30_000):
        await bus.client.publish("s.backlog", b"%0200d" % number)
    await bus.client.flush()
    read = Read(bus)
    await read.open("S_BACKLOG")
    await eventually(lambda: len(read.numbers) >= 30_000, seconds=20)
    assert read.numbers == list(range(30_000))
    await read.reader.close()
    await bus.jetstream().delete_stream("S_BACKLOG")


async def test_vanished_consumer_is_made_again_from_where_it_was(bus: Bus, eventually: Eventually) -> None:
    await bus.jetstream().add_stream(name="S_GONE", subjects=["s.gone"])
    read = Read(bus)
    await read.open("S_GONE")
    await publish(bus, "s.gone", [1, 2])
    await eventually(lambda: read.numbers == [1, 2])
    [consumer] = await bus.jetstream().consumers_info("S_GONE")
    await bus.jetstream().delete_consumer("S_GONE", consumer.name)
    await publish(bus, "s.gone", [3, 4])
    await eventually(lambda: read.numbers == [1, 2, 3, 4])
    await read.reader.close()
    await bus.jetstream().delete_stream("S_GONE")


async def test_lost_delivery_is_noticed_and_read_again(bus: Bus, eventually: Eventually) -> None:
    await bus.jetstream().add_stream(name="S_HOLE", subjects=["s.hole"])
    read = Read(bus)
    await read.open("S_HOLE")
    await publish(bus, "s.hole", [1])
    await eventually(lambda: read.numbers == [1])
    [stream] = read.reader._streams
    generation = stream.generation
    assert generation is not None
    stream.generation = None  # whatever is delivered now is lost on the way
    await publish(bus, "s.hole", [2, 3])
    await bus.client.flush()
    stream.generation = generation
    await publish(bus, "s.hole", [4])
    await eventually(lambda: read.numbers == [1, 2, 3, 4])
    await read.reader.close()
    await bus.jetstream().delete_stream("S_HOLE")


async def test_stream_made_anew_is_read_from_its_first_message(bus: Bus, eventually: Eventually) -> None:
    await bus.jetstream().add_stream(name="S_ANEW", subjects=["s.anew"])
    read, late = Read(bus), Read(bus)
    await publish(bus, "s.anew", [1, 2, 3])
    await read.open("S_ANEW")
    await late.open("S_ANEW", start=NEW)
    await eventually(lambda: read.numbers == [1, 2, 3])
    await bus.jetstream().delete_stream("S_ANEW")
    await bus.jetstream().add_stream(name="S_ANEW", subjects=["s.anew"])
    await publish(bus, "s.anew", [11, 12, 13, 14])
    await eventually(lambda: read.numbers == [1, 2, 3, 11, 12, 13, 14], seconds=12)
    await eventually(lambda: late.numbers == [11, 12, 13, 14], seconds=12)
    assert read.gaps == [0]
    await read.reader.close()
    await late.reader.close()
    await bus.jetstream().delete_stream("S_ANEW")


async def test_messages_that_aged_out_meanwhile_are_a_counted_gap(bus: Bus, eventually: Eventually) -> None:
    await bus.jetstream().add_stream(name="S_AGED", subjects=["s.aged"])
    read = Read(bus)
    await read.open("S_AGED")
    await publish(bus, "s.aged", [1])
    await eventually(lambda: read.numbers == [1])
    [stream] = read.reader._streams
    stream.generation = None
    await publish(bus, "s.aged", [2, 3, 4])
    await bus.jetstream().purge_stream("S_AGED", seq=4)
    stream.renew("test")
    await eventually(lambda: read.numbers == [1, 4])
    assert read.gaps == [2]
    await read.reader.close()
    await bus.jetstream().delete_stream("S_AGED")


def test_positions_are_read_from_both_forms_of_reply_subjects() -> None:
    short = ack_position(b"$JS.ACK.MARKET.abc.1.42.7.1700000000000000001.0")
    long = ack_position(b"$JS.ACK._.hash.MARKET.abc.1.42.7.1700000000000000001.0.rnd")
    assert short == long
    assert (short.stream_seq, short.consumer_seq, short.time_ns) == (42, 7, 1700000000000000001)


@pytest.mark.parametrize("time_ns", [0, 1, 1_700_000_000_000_000_001, 1_700_000_000_120_000_000])
def test_server_times_are_written_and_read_back(time_ns: int) -> None:
    assert parse_rfc3339(rfc3339(time_ns)) == time_ns
