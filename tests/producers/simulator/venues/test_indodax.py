"""Indodax as a client sees it."""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import Callable
from typing import Any

import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from producers.simulator.config import Options
from producers.simulator.faults import Fault
from producers.simulator.hub import Heartbeat
from producers.simulator.server import Simulator
from tests.producers.simulator.client import drain, eventually, get, send, truth
from tests.producers.simulator.conftest import StartSimulator

TRADES = "market:trade-activity-btcidr"
BOOK = "market:order-book-btcidr"
SUMMARY = "market:summary-24h"


def token(expires: int) -> str:
    payload = base64.urlsafe_b64encode(json.dumps({"exp": expires}).encode()).decode().rstrip("=")
    return f"e30.{payload}.c2ln"


class Client:
    """Splits frames into messages and keeps what was not asked for yet."""

    def __init__(self, ws: ClientConnection) -> None:
        self.ws = ws
        self.kept: list[Any] = []
        self.most = 0

    async def read(self, fits: Callable[[Any], bool], within: float = 8.0) -> Any:
        """The next message that fits; those before it are kept."""
        found = next((message for message in self.kept if fits(message)), None)
        async with asyncio.timeout(within):
            while found is None:
                text = await self.ws.recv(decode=True)
                assert text.endswith("\n")
                messages = [json.loads(line) for line in text.splitlines()]
                self.most = max(self.most, len(messages))
                self.kept += messages
                found = next((message for message in messages if fits(message)), None)
        self.kept.remove(found)
        return found

    async def ask(self, number: int, **order: Any) -> Any:
        """Sends a command and gives its answer."""
        await send(self.ws, {**order, "id": number})
        return await self.read(lambda message: message.get("id") == number)

    async def connect(self) -> Any:
        return await self.ask(1, params={"token": token(4_000_000_000)})

    async def subscribe(self, number: int, channel: str, **position: Any) -> Any:
        return (await self.ask(number, method=1, params={"channel": channel, **position}))["result"]

    async def pushes(self, channel: str, count: int) -> list[Any]:
        """The next publications of a channel."""
        return [(await self.read(on(channel)))["result"]["data"] for _ in range(count)]


def on(channel: str) -> Callable[[Any], bool]:
    return lambda message: "id" not in message and message["result"]["channel"] == channel


def url(sim: Simulator) -> str:
    return f"{sim.ws_url('indodax')}/ws/"


async def test_connect_command_comes_before_anything_else(start: StartSimulator) -> None:
    sim = await start("indodax")
    async with connect(url(sim)) as ws:
        await send(ws, {"method": 1, "params": {"channel": BOOK}, "id": 1})
        with pytest.raises(ConnectionClosed) as closed:
            await drain(ws)
        assert closed.value.rcvd is not None
        assert json.loads(closed.value.rcvd.reason) == {"reason": "bad request", "reconnect": False}
    async with connect(url(sim)) as ws:
        answer = await Client(ws).connect()
        assert answer["result"]["version"] == "2.8.6"
        assert answer["result"]["expires"] is True
        assert answer["result"]["ttl"] > 1_000_000


@pytest.mark.parametrize("spoilt", ["nonsense", "a.b.c", None])
async def test_token_that_is_none_is_refused(start: StartSimulator, spoilt: str | None) -> None:
    sim = await start("indodax")
    async with connect(url(sim)) as ws:
        await send(ws, {"params": {"token": spoilt}, "id": 1})
        with pytest.raises(ConnectionClosed, match="invalid token"):
            await drain(ws)


async def test_expired_token_is_refused_by_code(start: StartSimulator) -> None:
    sim = await start("indodax")
    async with connect(url(sim)) as ws:
        answer = await Client(ws).ask(1, params={"token": token(1_700_000_000)})
        assert answer["error"] == {"code": 109, "message": "token expired"}


async def test_token_may_be_refreshed_until_it_ends(start: StartSimulator) -> None:
    sim = await start("indodax", options=Options(indodax_token_ttl_s=1.0))
    async with connect(url(sim)) as ws:
        client = Client(ws)
        assert (await client.connect())["result"]["ttl"] == 1
        assert (await client.ask(2, method=10, params={"token": token(4_000_000_000)}))["result"]["ttl"] == 1
        with pytest.raises(ConnectionClosed, match="expired"):
            await keep_pinging(client)


async def keep_pinging(client: Client) -> None:
    for number in range(10, 200):
        await client.ask(number, method=7)
        await asyncio.sleep(0.05)


async def test_commands_are_answered_by_number(start: StartSimulator) -> None:
    sim = await start("indodax")
    async with connect(url(sim)) as ws:
        client = Client(ws)
        await client.connect()
        assert await client.ask(4, method=7) == {"id": 4}
        assert (await client.ask(5, method=1, params={"channel": "market:tea"}))["error"]["code"] == 102
        first = await client.subscribe(6, BOOK)
        assert set(first) == {"recoverable", "epoch", "offset"}
        assert (await client.ask(7, method=1, params={"channel": BOOK}))["error"]["code"] == 105
        assert await client.ask(8, method=2, params={"channel": BOOK}) == {"id": 8, "result": {}}
        assert (await client.ask(9, method=3))["error"]["code"] == 104
        assert (await client.subscribe(10, "market:order-book-nopeidr"))["offset"] == 0
        await ws.send('{"method":7,"id":11}\n{"method":7,"id":12}\n')
        assert [(await client.read(lambda m, n=n: m.get("id") == n))["id"] for n in (11, 12)] == [11, 12]


async def test_offsets_count_up_by_one_from_the_confirmation(start: StartSimulator) -> None:
    sim = await start("indodax")
    async with connect(url(sim)) as ws:
        client = Client(ws)
        await client.connect()
        begin = (await client.subscribe(2, TRADES))["offset"]
        found = await client.pushes(TRADES, 30)
        assert [row["offset"] for row in found] == list(range(begin + 1, begin + 31))
        assert client.most > 1, "a frame may hold several messages"
    listing = sim.find_listing("indodax", "spot", "btcidr")
    rows = [row for publication in found for row in publication["data"]]
    numbers = [row[2] for row in rows]
    assert numbers == list(range(numbers[0], numbers[0] + len(numbers)))
    known = {trade.id: trade for trade in listing.recent}
    for pair, seconds, number, side, price, worth, amount in rows:
        trade = known[number]
        assert (pair, seconds, side) == ("btcidr", trade.ts_us // 10**6, "buy" if trade.taker_buys else "sell")
        assert (price, amount) == (trade.price * 1000, f"{trade.amount / 1e8:.8f}")
        assert int(worth) == trade.price * 1000 * trade.amount // 10**8


async def test_who_returns_recovers_what_he_missed(start: StartSimulator) -> None:
    sim = await start("indodax")
    async with connect(url(sim)) as ws:
        client = Client(ws)
        await client.connect()
        epoch = (await client.subscribe(2, TRADES))["epoch"]
        last = (await client.pushes(TRADES, 3))[-1]["offset"]
    listing = sim.find_listing("indodax", "spot", "btcidr")
    enough = listing.trade_count + 20
    await eventually(lambda: listing.trade_count >= enough)
    async with connect(url(sim)) as ws:
        client = Client(ws)
        await client.connect()
        result = await client.subscribe(2, TRADES, recover=True, offset=last, epoch=epoch)
        assert result["recovered"] is True
        missed = [publication["offset"] for publication in result["publications"]]
        assert missed == list(range(last + 1, result["offset"] + 1))
        assert len(missed) > 5
        assert (await client.pushes(TRADES, 1))[0]["offset"] == result["offset"] + 1


@pytest.mark.parametrize("position", [{"offset": -10_000}, {"offset": 0, "epoch": "another"}])
async def test_what_is_too_old_or_of_another_epoch_is_not_recovered(
    start: StartSimulator, position: dict[str, Any]
) -> None:
    sim = await start("indodax")
    async with connect(url(sim)) as ws:
        client = Client(ws)
        await client.connect()
        result = await client.subscribe(2, TRADES, recover=True, **position)
    assert set(result) == {"recoverable", "epoch", "offset"}


async def test_reset_begins_the_streams_of_a_pair_anew(start: StartSimulator) -> None:
    sim = await start("indodax")
    async with connect(url(sim)) as ws:
        client = Client(ws)
        await client.connect()
        await client.subscribe(2, TRADES)
        last = (await client.pushes(TRADES, 3))[-1]["offset"]
        sim.inject(Fault("indodax", "reset", symbol="btcidr"))
        while (offset := (await client.pushes(TRADES, 1))[0]["offset"]) > last:
            last = offset
        assert offset == 1


async def test_book_is_pushed_whole_and_equals_the_truth(start: StartSimulator) -> None:
    sim = await start("indodax")
    async with connect(url(sim)) as ws:
        client = Client(ws)
        await client.connect()
        await client.subscribe(2, BOOK)
        book = (await client.pushes(BOOK, 2))[-1]["data"]
        sim.pause()
        while ladder(book) != truth(sim.book("indodax", "spot", "btcidr"), 50):
            book = (await client.pushes(BOOK, 1))[0]["data"]
    assert set(book["bid"][0]) == {"btc_volume", "idr_volume", "price"}


def ladder(book: Any) -> tuple[list[tuple[str, str]], ...]:
    return tuple([(row["price"], row["btc_volume"]) for row in book[side]] for side in ("bid", "ask"))


async def test_summary_speaks_of_all_pairs_that_traded(start: StartSimulator) -> None:
    sim = await start("indodax")
    async with connect(url(sim)) as ws:
        client = Client(ws)
        await client.connect()
        await client.subscribe(2, SUMMARY)
        rows = (await client.pushes(SUMMARY, 1))[0]["data"]
    assert [row[0] for row in rows] == ["btcidr", "ethidr"]
    for _, _, last, low, high, before, worth, amount in rows:
        assert low <= min(last, before)
        assert high >= max(last, before)
        assert float(worth) > float(amount)


async def test_silent_client_and_one_that_never_connects_are_cut(start: StartSimulator) -> None:
    sim = await start("indodax", heartbeats={"indodax": Heartbeat(idle_inbound=0.5, subscribe_within=0.2)})
    async with connect(url(sim)) as mute:
        with pytest.raises(ConnectionClosed):
            await drain(mute)
    async with connect(url(sim)) as silent:
        await Client(silent).connect()
        with pytest.raises(ConnectionClosed):
            await drain(silent)


async def test_rest_answers(start: StartSimulator) -> None:
    sim = await start("indodax")
    base = f"{sim.rest_url('indodax')}/api"
    pairs = (await get(f"{base}/pairs")).body
    assert [(row["id"], row["base_currency"], row["traded_currency"]) for row in pairs[:2]] == [
        ("btcidr", "idr", "btc"),
        ("ethidr", "idr", "eth"),
    ]
    assert pairs[-1]["is_maintenance"] == 1
    assert (await get(f"{base}/price_increments")).body["increments"]["btc_idr"] == "1000"
    refused = await get(f"{base}/depth/nopeidr")
    assert refused.body == {"error": "invalid_pair", "error_description": "Invalid Pair"}
    ticker = (await get(f"{base}/ticker/btcidr")).body["ticker"]
    assert {"vol_btc", "vol_idr"} < set(ticker)
    assert (await get(f"{base}/ticker_all")).body["tickers"].keys() == {"btc_idr", "eth_idr"}
    assert (await get(f"{base}/summaries")).body["prices_24h"].keys() == {"btcidr", "ethidr"}
    trades = (await get(f"{base}/trades/btcidr")).body
    assert int(trades[0]["tid"]) > int(trades[1]["tid"])
    now = ticker["server_time"]
    history = f"{sim.rest_url('indodax')}/tradingview/history_v2?symbol=BTCIDR&tf=15&from={now - 3600}&to={now}"
    candles = (await get(history)).body
    assert len(candles) == 4
    assert candles[1]["Time"] - candles[0]["Time"] == 900
    sim.pause()
    depth = (await get(f"{base}/depth/btcidr")).body
    expected = sim.book("indodax", "spot", "btcidr")
    assert [(str(price), amount) for price, amount in depth["buy"][:50]] == expected["bids"][:50]


async def test_181st_call_of_a_minute_is_refused(start: StartSimulator) -> None:
    sim = await start("indodax")
    base = sim.rest_url("indodax")
    statuses = [(await get(f"{base}/api/server_time")).status for _ in range(181)]
    assert statuses == [200] * 180 + [429]
