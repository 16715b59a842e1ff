"""The chain of our side on a handful of frames, and what a side says that gets no more of them: nothing is timed."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import nats as nats_py
import pytest

from runtime.servers.embedded import NatsServer
from tests.bench import children
from tests.bench.recordings import Job
from tests.bench.sides import our_frames, worker

WHOLE = '{"lastUpdateId":10,"bids":[["90999.90","1.0"]],"asks":[["91000.00","2.0"]]}'
CHANGE = (
    '{"stream":"btcusdt@depth@100ms","data":{"e":"depthUpdate","E":1763700000123,"s":"BTCUSDT","U":%d,"u":%d,'
    '"b":[["90999.90","0.00000000"]],"a":[["91000.00","1.50000000"]]}}'
)


def _job(work: Path) -> str:
    """Ten changes of a book, in a file."""
    frames = [CHANGE % (number, number) for number in range(11, 21)]
    job = Job(id="chain", venue="binance", market="spot", channel="books", label="books", frames=frames,
              rest={"BTCUSDT": WHOLE}, symbols=[["BTCUSDT", "BTC", "USDT"]])  # fmt: skip
    return str(job.save(work))


async def _chain(work: Path, server: NatsServer, **more: Any) -> float:
    """Our chain over frames that a player plays."""
    path = _job(work)
    async with children.server(children.player(path, "frames"), work) as port:
        return await our_frames.chain({"job": path, "nats": server.url, "client": "picows", "at": port, **more})


async def test_chain_that_takes_longer_than_a_book_waits_for_its_audit_is_measured(
    tmp_path: Path, nats: NatsServer, monkeypatch: pytest.MonkeyPatch
):
    play = worker.ask_player

    async def play_late(port: int, first: int, last: int) -> None:
        await asyncio.sleep(0.4)  # audits begin with the first tick of the feed, 0.1 s after its connection
        await play(port, first, last)

    monkeypatch.setattr(worker, "ask_player", play_late)
    assert isinstance(await _chain(tmp_path, nats), float)


async def test_side_that_gets_no_more_says_how_far_it_came_and_what_was_sent(
    tmp_path: Path, nats: NatsServer, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(worker, "STILL", 0.5)
    with pytest.raises(TimeoutError, match=r"10 of 20 messages, none more.*; player: .*1 clients, 1 of them open"):
        await _chain(tmp_path, nats, frames=20)


async def test_side_whose_feed_ends_says_why_at_once(tmp_path: Path, nats: NatsServer, monkeypatch: pytest.MonkeyPatch):
    async def refuse(_depths: object, _instrument: object) -> None:
        raise RuntimeError("no depth")

    monkeypatch.setattr(our_frames._Depths, "find_depth", refuse)
    with pytest.raises(RuntimeError, match="connection and books: ended with RuntimeError: no depth"):
        await _chain(tmp_path, nats)


async def test_player_that_has_no_client_says_so(tmp_path: Path):
    path = _job(tmp_path)
    async with children.server(children.player(path, "frames"), tmp_path) as port:
        await worker.ask_player(int(port), 0, 1)
        assert "0 clients, 0 of them open, [] bytes wait; no client for frames 0 to 1" in (
            await worker.state_of_player(int(port))
        )


async def test_subscription_that_is_waited_for_is_with_the_server(nats: NatsServer):
    out, back = await nats_py.connect(nats.url), await nats_py.connect(nats.url)
    order: list[bytes] = []
    transport: Any = back._transport
    write, many = transport.write, transport.writelines
    transport.write = lambda data: (order.append(data), write(data))
    transport.writelines = lambda parts: (order.extend(parts), many(parts))
    await back.subscribe("bench.first")
    await our_frames.subscribed(back)
    await out.close()
    await back.close()
    sent = [command.split()[0] for command in order]
    assert sent.index(b"SUB") < max(at for at, command in enumerate(sent) if command == b"PING")
