"""Slow, silent and swollen HTTP connections end within their bounds, and honest ones beside them are served."""

from __future__ import annotations

import asyncio
import gc
import itertools
import json
import os
import signal
import socket
import statistics
import sys
import time
from asyncio import StreamReader, StreamWriter
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import Any
from weakref import WeakSet

import pytest
from fastapi import FastAPI, Request
from websockets.exceptions import InvalidStatus

from api.app import ApiOptions
from api.http.access.addresses import Networks
from api.http.connections import GOODBYE_SECONDS, BoundedHttp, ConnectionLimits
from api.http.server import make_server
from runtime.nats.bus import BusOptions
from runtime.servers.embedded import NatsServer, free_port
from tests.api.world import PEPPER, READ_KEY, Start, Store, api_settings, message_of, serving

LARGE = 30_000_000
ROOT = Path(__file__).parents[2]
QUICK = ConnectionLimits(request_seconds=0.6, idle_seconds=1.0)
HEAD = b"GET /x HTTP/1.1\r\nhost: a\r\n"
BODY_HEAD = b"POST /x HTTP/1.1\r\nhost: a\r\ncontent-length: 1000\r\n\r\n"
UPGRADE = (
    b"GET /ws HTTP/1.1\r\nhost: a\r\nupgrade: websocket\r\nconnection: upgrade\r\n"
    b"sec-websocket-version: 13\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
)
CHUNKED_HEAD = b"POST /x HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n"


def make_app() -> FastAPI:
    app = FastAPI()

    @app.api_route("/x", methods=["GET", "POST"])
    async def answer(request: Request) -> dict[str, int]:
        await asyncio.sleep(float(request.query_params.get("seconds", 0)))
        return {"bytes": len(await request.body())}

    @app.get("/large")
    async def large() -> str:
        return "x" * LARGE

    @app.post("/unread")
    async def unread() -> str:
        return "the body is not read"

    return app


@asynccontextmanager
async def listening(limits: ConnectionLimits) -> AsyncGenerator[int]:
    server = make_server(make_app(), "127.0.0.1", 0, limits)
    task = asyncio.create_task(server.serve())
    while not server.started:  # noqa: ASYNC110
        await asyncio.sleep(0.005)
    try:
        yield server.servers[0].sockets[0].getsockname()[1]
    finally:
        server.should_exit = True
        await asyncio.wait_for(task, 15)


async def until_closed(reader: StreamReader, seconds: float = 10.0) -> bytes:
    """What came until the other side closed."""
    came = b""
    async with asyncio.timeout(seconds):
        with suppress(ConnectionError):
            while piece := await reader.read(65536):
                came += piece
    return came


def status_of(answer: bytes) -> int:
    return int(answer.split(b" ", 2)[1])


def body_of(answer: bytes) -> Any:
    return json.loads(answer.partition(b"\r\n\r\n")[2])


async def dribble(writer: StreamWriter, piece: bytes) -> None:
    with suppress(ConnectionError):
        while True:
            writer.write(piece)
            await writer.drain()
            await asyncio.sleep(0.05)


@asynccontextmanager
async def connected(port: int, start: bytes, piece: bytes = b"") -> AsyncGenerator[tuple[StreamReader, StreamWriter]]:
    """A client that sends `start` and then `piece` for ever."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(start)
    sending = asyncio.create_task(dribble(writer, piece)) if piece else None
    try:
        yield reader, writer
    finally:
        if sending is not None:
            sending.cancel()
        writer.transport.abort()


@pytest.mark.parametrize(
    ("start", "piece", "answers"),
    [
        (b"", b"", [408]),
        (b"", b"\r\n", [408]),
        (b"GET /", b"a", [408]),
        (HEAD + b"x: ", b"a", [408]),
        (HEAD, b"x: y\r\n", [408]),
        (BODY_HEAD, b"", [408]),
        (BODY_HEAD, b"a", [408]),
        (CHUNKED_HEAD, b"1\r\na\r\n", [408]),
        (CHUNKED_HEAD + b"0\r\n", b"x: y\r\n", [408]),
        (HEAD + b"\r\n" + HEAD, b"x: y\r\n", [200, 408]),
        (HEAD + b"\r\n", b"\r\n", [200, 408]),
        (HEAD + b"\r\n", b"", [200]),
        (HEAD + b"upgrade: h2c\r\nconnection: upgrade\r\n\r\n", b"", [200]),
        (BODY_HEAD.replace(b"/x", b"/unread"), b"a", [200]),
        (b"nonsense\r\n\r\n", b"a", [400]),
    ],
)
async def test_what_is_not_a_whole_request_in_time_is_refused(start: bytes, piece: bytes, answers: list[int]) -> None:
    async with listening(QUICK) as port, connected(port, start, piece) as (reader, _):
        began = time.monotonic()
        answered = await until_closed(reader)
        assert time.monotonic() - began < 5
        assert [int(part[:3]) for part in answered.split(b"HTTP/1.1 ")[1:]] == answers
        if answers[-1] == 408:
            refused = body_of(b"HTTP/1.1 " + answered.split(b"HTTP/1.1 ")[-1])
            assert (refused["success"], refused["error"]["code"]) == (False, "TIMEOUT")


async def test_a_connection_that_closed_is_kept_by_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    made = WeakSet[asyncio.Transport]()
    begin = BoundedHttp.connection_made

    def begin_and_note(self: BoundedHttp, transport: asyncio.Transport) -> None:
        made.add(transport)
        begin(self, transport)

    monkeypatch.setattr(BoundedHttp, "connection_made", begin_and_note)
    monkeypatch.setattr("api.http.connections.GOODBYE_SECONDS", 60.0)
    async with listening(ConnectionLimits(idle_seconds=60.0)) as port:
        for request in (HEAD + b"connection: close\r\n\r\n", HEAD + b"\r\n", b"no HTTP\r\n\r\n"):
            for _ in range(10):
                async with connected(port, request) as (reader, _):
                    assert await reader.read(12) in (b"HTTP/1.1 200", b"HTTP/1.1 400")
        async with asyncio.timeout(20):  # no timer has run out
            while made:
                await asyncio.sleep(0.1)
                gc.collect()


async def test_a_request_that_the_app_works_on_is_no_unfinished_one() -> None:
    slow = HEAD.replace(b"/x", b"/x?seconds=1.5") + b"\r\n"
    async with listening(QUICK) as port, connected(port, slow) as (reader, _):
        assert status_of(await until_closed(reader)) == 200


async def test_a_client_that_takes_no_answer_is_cut() -> None:
    async with listening(QUICK) as port:
        with socket.create_connection(("127.0.0.1", port)) as client:
            client.sendall(HEAD.replace(b"/x", b"/large") + b"\r\n")
            client.setblocking(False)
            await asyncio.sleep(QUICK.idle_seconds + GOODBYE_SECONDS + 0.5)
            answered = 0
            with suppress(ConnectionError):
                async with asyncio.timeout(10):
                    while piece := await asyncio.get_running_loop().sock_recv(client, 1 << 20):
                        answered += len(piece)
            assert answered < LARGE


@pytest.mark.parametrize(
    ("start", "piece", "status"),
    [
        (b"GET /", b"a" * 8192, 431),
        (HEAD + b"x: ", b"a" * 8192, 431),
        (HEAD, b"x: y\r\n" * 2000, 431),
        (CHUNKED_HEAD + b"0\r\n", b"x: y\r\n" * 2000, 431),
        (CHUNKED_HEAD + b"1;", b"a" * 8192, 431),
        (b"\r\n", b"\r\n" * 4096, 431),
    ],
)
async def test_headers_without_end_are_refused_as_too_large(start: bytes, piece: bytes, status: int) -> None:
    async with listening(ConnectionLimits()) as port, connected(port, start, piece) as (reader, _):
        answer = await until_closed(reader)
        assert status_of(answer) == status
        assert body_of(answer)["error"]["details"] == {"limit_bytes": 32 * 1024}


@pytest.mark.parametrize(("size", "status"), [(31_000, 200), (33_000, 431), (200_000, 431)])
@pytest.mark.parametrize(("start", "end"), [(HEAD, b"\r\n"), (CHUNKED_HEAD[:-2], b"\r\n0\r\n\r\n")])
async def test_large_headers_in_one_piece_are_measured(start: bytes, end: bytes, size: int, status: int) -> None:
    whole = start + b"x: " + b"a" * size + b"\r\n" + end
    async with listening(QUICK) as port, connected(port, whole) as (reader, _):
        assert status_of(await until_closed(reader)) == status


@pytest.mark.parametrize(("size", "most"), [(31_000, 2), (33_000, 1), (200_000, 1)])
async def test_large_headers_behind_another_request_are_measured(size: int, most: int) -> None:
    whole = HEAD + b"\r\n" + HEAD + b"x: " + b"a" * size + b"\r\n\r\n"
    async with listening(QUICK) as port, connected(port, whole) as (reader, _):
        assert (await until_closed(reader)).count(b"HTTP/1.1 200") <= most


async def test_refusals_have_the_form_of_their_path() -> None:
    start = HEAD.replace(b"/x", b"/api/market/price") + b"x: " + b"a" * 40_000
    async with listening(ConnectionLimits()) as port, connected(port, start) as (reader, _):
        answer = await until_closed(reader)
        assert (status_of(answer), body_of(answer)["error"]) == (431, "PAYLOAD_TOO_LARGE")


async def test_a_large_body_in_small_pieces_is_no_header() -> None:
    pieces = b"".join(b"400\r\n" + b"a" * 1024 + b"\r\n" for _ in range(500)) + b"0\r\n\r\n"
    async with listening(ConnectionLimits()) as port, connected(port, CHUNKED_HEAD) as (reader, writer):
        for place in range(0, len(pieces), 3000):
            writer.write(pieces[place : place + 3000])
            await writer.drain()
        assert b'"bytes":512000' in await reader.readuntil(b"}")


async def test_an_address_has_so_many_connections_and_gets_places_back() -> None:
    async with listening(replace(QUICK, per_address=3, request_seconds=30)) as port:
        held = [await asyncio.open_connection("127.0.0.1", port) for _ in range(3)]
        async with connected(port, HEAD + b"\r\n") as (reader, _):
            answer = await until_closed(reader)
            assert status_of(answer) == 429
            assert body_of(answer)["error"]["details"]["limit"] == "connections"
        for _, writer in held:
            writer.transport.abort()
        async with asyncio.timeout(20):
            while True:
                async with connected(port, HEAD + b"connection: close\r\n\r\n") as (reader, _):
                    if status_of(await until_closed(reader)) == 200:
                        break


async def test_a_trusted_proxy_may_hold_any_number() -> None:
    limits = replace(QUICK, per_address=1, request_seconds=30, proxies=Networks(["127.0.0.0/8"]))
    async with listening(limits) as port:
        held = [await asyncio.open_connection("127.0.0.1", port) for _ in range(5)]
        async with connected(port, HEAD + b"connection: close\r\n\r\n") as (reader, _):
            assert status_of(await until_closed(reader)) == 200
        for _, writer in held:
            writer.transport.abort()


@pytest.mark.parametrize("more", [b"x: " + b"a" * 10_000 + b"\r\n", b"x: y\r\n" * 300])
async def test_a_websocket_handshake_that_the_library_refuses_is_answered(more: bytes) -> None:
    async with listening(ConnectionLimits()) as port, connected(port, UPGRADE + more + b"\r\n") as (reader, _):
        answer = await until_closed(reader, 5)
        assert (status_of(answer), body_of(answer)["error"]["code"]) == (400, "INVALID_PARAMETER")


async def test_a_websocket_counts_among_its_addresss_connections(store: Store, start: Start) -> None:
    api = await start(GPT_API_CONNECTIONS_PER_ADDRESS=4)  # one is the client's that waits until it is ready
    async with api.stream() as first, api.stream() as second, api.stream() as third:
        await asyncio.gather(*(message_of(stream, "connected") for stream in (first, second, third)))
        with pytest.raises(InvalidStatus) as refused:
            await api.stream()
        assert refused.value.response.status_code == 429
    async with asyncio.timeout(10):
        while True:
            with suppress(InvalidStatus):
                async with api.stream() as again:
                    await message_of(again, "connected")
                    break


async def test_a_websocket_outlives_the_time_of_a_request(store: Store) -> None:
    made = ApiOptions(settings=api_settings(), bus=BusOptions(servers=(store.bus.options.servers[0],), name="api"))
    async with serving(made, QUICK) as api, api.stream() as stream:
        await asyncio.sleep(QUICK.idle_seconds + GOODBYE_SECONDS + 1)
        await stream.send('{"type":"ping"}')
        await message_of(stream, "pong")


# ---- the real process
@asynccontextmanager
async def api_process(nats: NatsServer, **settings: str) -> AsyncGenerator[tuple[int, int]]:
    """`python -m api`: its port and its pid."""
    port = free_port()
    keep = {name: value for name, value in os.environ.items() if not name.startswith(("GPT_API_", "HYDROPHONE_"))}
    named = {"NATS_URL": nats.url, "GPT_API_HOST": "127.0.0.1", "GPT_API_PORT": str(port), "GPT_API_API_KEYS": READ_KEY}
    named["HYDROPHONE_KEY_PEPPER"] = PEPPER.decode()
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "api"), cwd=ROOT, env={**keep, **named, **settings}, stdout=asyncio.subprocess.DEVNULL
    )
    try:
        async with asyncio.timeout(60):
            while True:
                with suppress(OSError):
                    await get_health(port)
                    break
                await asyncio.sleep(0.05)
        yield port, process.pid
    finally:
        if process.returncode is None:
            process.send_signal(signal.SIGTERM)
        await asyncio.wait_for(process.wait(), 20)


async def get_health(port: int) -> float:
    """Seconds that an honest client waits."""
    began = time.monotonic()
    async with connected(port, b"GET /health HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n") as (reader, _):
        assert status_of(await until_closed(reader)) == 200
    return time.monotonic() - began


def count_files(pid: int) -> int:
    """Files and sockets that a process holds open."""
    return len(list(Path(f"/proc/{pid}/fd").iterdir()))


def memory_of(pid: int) -> int:
    """Resident bytes."""
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def peak_memory_of(pid: int) -> int:
    """Resident bytes when they were most."""
    [line] = [one for one in Path(f"/proc/{pid}/status").read_text().splitlines() if one.startswith("VmHWM:")]
    return int(line.split()[1]) * 1024


async def send_headers(port: int, count: int) -> None:
    """Send so many bytes of one request's headers, or as many as the other side takes."""
    piece = b"x-filler: " + b"a" * 65_000 + b"\r\n"
    async with connected(port, HEAD) as (reader, writer):
        with suppress(ConnectionError):
            for _ in range(count // len(piece)):
                writer.write(piece)
                await writer.drain()
        await until_closed(reader)


@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="memory is read from /proc")
@pytest.mark.slow
@pytest.mark.parametrize(("connections", "each"), [(1, 200_000_000), (100, 2_000_000)])
async def test_200_mb_of_unfinished_headers_cost_no_memory(api_nats: NatsServer, connections: int, each: int) -> None:
    """What is kept of headers is there after each round, and what is only held until a client leaves is in the peak.

    What a hundred connections take at once (some MB) may be given back to the system in this round or in the next.
    """
    async with api_process(api_nats) as (port, pid):
        for _ in range(3):  # what a first refusal costs once is not what headers cost
            await asyncio.gather(*(send_headers(port, 100_000) for _ in range(connections)))
        resident = [memory_of(pid)]
        for _ in range(5):
            await asyncio.gather(*(send_headers(port, each) for _ in range(connections)))
            await get_health(port)
            resident.append(memory_of(pid))
        growth = [after - before for before, after in itertools.pairwise(resident)]
        assert statistics.median(growth) < 1024 * 1024, growth
        assert peak_memory_of(pid) - resident[0] < 200_000_000 / 8, (growth, peak_memory_of(pid) - resident[0])


async def test_300_slow_connections_are_gone_after_their_time() -> None:
    await attack_slowly(None, QUICK.request_seconds)


@pytest.mark.slow
@pytest.mark.timeout(90)
async def test_300_slow_connections_are_gone_after_30_seconds(api_nats: NatsServer) -> None:
    async with api_process(api_nats, GPT_API_CONNECTIONS_PER_ADDRESS="400") as (port, pid):
        await attack_slowly(port, 10.0)
        assert count_files(pid) < 100


async def attack_slowly(port: int | None, seconds: float) -> None:
    """300 that are silent, send a byte now and then, or a header now and then; somebody honest is served meanwhile."""
    kinds = [(b"", b""), (b"GET /", b"a"), (HEAD, b"x: y\r\n"), (BODY_HEAD.replace(b"/x", b"/health"), b"a")]
    async with listening(replace(QUICK, per_address=400)) if port is None else given(port) as place:
        began = time.monotonic()

        async def hold(number: int) -> float:
            async with connected(place, *kinds[number % len(kinds)]) as (reader, _):
                await until_closed(reader, 30)
            return time.monotonic() - began

        waiting = [asyncio.create_task(hold(number)) for number in range(300)]
        await asyncio.sleep(seconds / 2)
        async with connected(place, b"GET /health HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n") as (reader, _):
            assert status_of(await until_closed(reader)) in {200, 404}
        assert max(await asyncio.gather(*waiting)) < 30


@asynccontextmanager
async def given(port: int) -> AsyncGenerator[int]:
    yield port
