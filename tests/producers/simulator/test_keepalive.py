"""Each venue's keep-alive rules are enforced, here with short intervals."""

from __future__ import annotations

import asyncio
from typing import cast

import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.asyncio.server import ServerConnection
from websockets.exceptions import ConnectionClosed

from producers.simulator.config import SimulatorConfig
from producers.simulator.hub import Heartbeat, Session
from producers.simulator.server import Simulator
from producers.simulator.transport.keepalive import Pulse, decide
from producers.simulator.transport.sockets import Client
from tests.producers.simulator.client import drain, send
from tests.producers.simulator.conftest import StartSimulator

SECOND = 1_000_000


async def ended(ws: ClientConnection) -> int | None:
    """The close code that came; fails when the socket lives on."""
    with pytest.raises(ConnectionClosed) as closed:
        await drain(ws)
    return closed.value.rcvd.code if closed.value.rcvd else None


async def test_binance_pings_and_closes_a_client_that_sends_no_pong(start: StartSimulator) -> None:
    sim = await start("binance", heartbeats={"binance": Heartbeat(ping_every=0.2, pong_within=0.5)})
    reader, writer = await asyncio.open_connection("127.0.0.1", sim.port)
    lines = [
        "GET /binance/ws HTTP/1.1",
        "Host: x",
        "Upgrade: websocket",
        "Connection: Upgrade",
        "Sec-WebSocket-Version: 13",
    ]
    writer.write("\r\n".join([*lines, "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==", "", ""]).encode())
    async with connect(f"{sim.ws_url('binance')}/ws") as polite:
        received = await asyncio.wait_for(reader.read(), 6)
        writer.close()
        await (await polite.ping())
        assert sim.connections("binance") == 1
    frames = received.partition(b"\r\n\r\n")[2]
    assert frames[0] == 0x89
    assert b"\x88" + bytes([2 + len("Pong timeout")]) + (1008).to_bytes(2, "big") + b"Pong timeout" in frames


async def test_binance_closes_at_the_end_of_the_lifetime(start: StartSimulator) -> None:
    sim = await start("binance", heartbeats={"binance": Heartbeat(lifetime=0.4)})
    async with connect(f"{sim.ws_url('binance')}/ws/btcusdt@trade") as ws:
        assert await ended(ws) == 1001


async def test_bybit_cuts_a_client_that_sends_nothing_although_data_flows(start: StartSimulator) -> None:
    sim = await start("bybit", heartbeats={"bybit": Heartbeat(idle_inbound=0.5)})
    async with connect(f"{sim.ws_url('bybit')}/v5/public/linear") as ws:
        await send(ws, {"op": "subscribe", "args": ["orderbook.1.BTCUSDT"]})
        await ended(ws)


async def test_okx_cuts_a_quiet_socket_and_keeps_one_with_data_or_pings(start: StartSimulator) -> None:
    sim = await start("okx", heartbeats={"okx": Heartbeat(idle_any=0.5, subscribe_within=30)})
    url = f"{sim.ws_url('okx')}/ws/v5/public"
    async with connect(url) as quiet, connect(url) as pinging, connect(url) as busy:
        await send(busy, {"op": "subscribe", "args": [{"channel": "books", "instId": "BTC-USDT"}]})
        ending = asyncio.create_task(ended(quiet))
        while not ending.done():
            await pinging.send("ping")
            await asyncio.wait_for(pinging.recv(), 2)
            await asyncio.wait_for(busy.recv(), 2)
        await ending
        assert sim.connections("okx") == 2


@pytest.mark.parametrize(("venue", "path"), [("coinbase", "/"), ("okx", "/ws/v5/public")])
async def test_socket_without_a_subscription_is_closed(start: StartSimulator, venue: str, path: str) -> None:
    sim = await start(venue, heartbeats={venue: Heartbeat(subscribe_within=0.3)})
    async with connect(sim.ws_url(venue) + path) as ws:
        assert await ended(ws) == 1008


def test_one_missing_pong_counts_from_the_oldest_unanswered_ping() -> None:
    rules = Heartbeat(ping_every=20, pong_within=60)
    pulse = Pulse(0, 0, 0, 60 * SECOND, unanswered=[20 * SECOND, 40 * SECOND, 60 * SECOND])
    assert decide(rules, pulse, 79 * SECOND, has_subscribed=True) is None
    assert decide(rules, pulse, 80 * SECOND, has_subscribed=True) == "no_pong"
    pulse.unanswered.clear()
    assert decide(rules, pulse, 80 * SECOND, has_subscribed=True) == "ping"


def test_what_a_client_sends_while_it_is_being_closed_is_not_read() -> None:
    sim = Simulator(SimulatorConfig(venues=("htx",), seed=1, bases=("BTC",)))
    endpoint = sim._endpoint
    client = Client("htx", Session(1, "/ws", {}, 0), cast("ServerConnection", None), Pulse(0, 0, 0, 0))
    for sent in ('{"pong":1}', '{"sub":"market.btcusdt.trade.detail","id":"1"}'):
        endpoint._on_message(client, sent)
    assert (client.session.streams, client.pulse.inbound_us) == ({}, 0)
