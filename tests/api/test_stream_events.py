"""`GET /events`: what comes, what is resumed by `Last-Event-ID`, and what is said where that cannot be."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
import pytest

from api.app import ApiOptions
from api.stream.events import event_log, window
from api.stream.limits import StreamLimits
from contracts.market import Liquidation
from contracts.signals import WhaleTrade
from contracts.streams import SIGNALS
from runtime import provision
from runtime.nats.bus import BusOptions
from runtime.servers.embedded import NatsServer
from tests.api.streaming import LIQUIDATION, TAIL, large_cluster, ticker, until_heard
from tests.api.world import READ_KEY, Api, Start, Store, answering, api_settings, origin, serving, whale

pytestmark = pytest.mark.nats
Event = dict[str, Any]
BOTH = "/events?channels=whales,liquidations&symbols=BTC"


class EventSource:
    """A client as a browser is one: it keeps the last id, and gives it back when it comes again."""

    def __init__(self, path: str = BOTH) -> None:
        self.path = path
        self.last_id = ""
        self.comments = 0
        self.lines: AsyncIterator[str] | None = None

    @asynccontextmanager
    async def connected(self, api: Api, key: str | None = READ_KEY) -> AsyncGenerator[Event]:
        """Connect; gives the first message."""
        headers = {} if key is None else {"Authorization": f"Bearer {key}"}
        headers |= {"Last-Event-ID": self.last_id} if self.last_id else {}
        async with (
            httpx.AsyncClient(timeout=30) as client,
            client.stream("GET", f"{api.url}{self.path}", headers=headers) as answer,
        ):
            assert answer.status_code == 200, await answer.aread()
            assert answer.headers["content-type"].startswith("text/event-stream")
            self.lines = answer.aiter_lines()
            yield await self.next()

    async def next(self, seconds: float = 10.0) -> Event:
        """The next event; StopAsyncIteration at the end."""
        assert self.lines is not None
        fields: dict[str, str] = {}
        async with asyncio.timeout(seconds):
            while line := await anext(self.lines):
                name, _, value = line.partition(":")
                fields[name] = value.removeprefix(" ")
        if not fields.get("data"):
            self.comments += "" in fields
            return await self.next(seconds)
        message: Event = json.loads(fields["data"])
        assert message["type"] == fields["event"]
        self.last_id = fields.get("id", self.last_id)
        return message

    async def named(self, count: int) -> list[str]:
        """The ids of the next events."""
        return [(await self.next())["id"] for _ in range(count)]


class Publisher:
    """Publishes whales and liquidations, each once, in order."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self.names: list[str] = []

    async def publish(self, count: int) -> list[str]:
        new: list[str] = []
        for number in range(len(self.names), len(self.names) + count):
            kind = "whale" if number % 3 else "liquidation"
            name = f"{kind}-{number}"
            if kind == "whale":
                event: Any = WhaleTrade.model_validate(whale("binance", "BTC/USDT", "7.0", id=name))
                subject = f"signal.v1.whale.{TAIL}"
            else:
                event = Liquidation.model_validate({**LIQUIDATION, **origin("binance", "BTC/USDT"), "id": name})
                subject = f"md.v1.liquidation.{TAIL}"
            await self._store.bus.jetstream().publish(subject, event.model_dump_json().encode())
            new.append(name)
        self.names += new
        return new


@asynccontextmanager
async def api_of(nats: NatsServer, **options: Any) -> AsyncGenerator[Api]:
    made = ApiOptions(settings=api_settings(), bus=BusOptions(servers=(nats.url,), name="api"), **options)
    async with serving(made) as api:
        yield api  # it may still be connecting to the bus: a client that comes back does not wait for that


@pytest.mark.timeout(180)
async def test_a_client_misses_none_and_gets_none_twice_over_restarts_of_the_api(
    store: Store, api_nats: NatsServer
) -> None:
    source, publisher = EventSource(), Publisher(store)
    got: list[str] = []
    async with answering(api_nats.url):
        for restart in range(3):
            async with api_of(api_nats) as api:
                missed = len(publisher.names) - len(got)
                async with source.connected(api) as first:
                    assert first["type"] == "connected"
                    got += await source.named(missed)  # published while there was no API
                    await publisher.publish(20)
                    got += await source.named(13)  # the client leaves in the middle
                async with source.connected(api):
                    got += await source.named(len(publisher.names) - len(got))
                    await publisher.publish(5)
                    got += await source.named(5)
                    await asyncio.sleep(0.1)
            await publisher.publish(20 * (restart + 1))
        async with api_of(api_nats) as api, source.connected(api):
            got += await source.named(len(publisher.names) - len(got))
            await publisher.publish(1)
            got += await source.named(1)
    assert sorted(got) == sorted(publisher.names), "each once"
    for kind in ("whale", "liquidation"):
        assert [name for name in got if name.startswith(kind)] == [
            name for name in publisher.names if name.startswith(kind)
        ]


async def test_many_clients_that_come_back_at_once_get_the_same(store: Store, api_nats: NatsServer) -> None:
    publisher = Publisher(store)
    sources = [EventSource() for _ in range(15)]
    async with answering(api_nats.url), api_of(api_nats) as api:
        for source in sources:
            async with source.connected(api):
                pass
        names = await publisher.publish(30)

        async def come_back(source: EventSource) -> list[str]:
            async with source.connected(api):
                return await source.named(30)

        for got in await asyncio.gather(*(come_back(source) for source in sources)):
            assert sorted(got) == sorted(names)


async def test_only_what_is_wanted_is_resumed(store: Store, start: Start) -> None:
    api = await start()
    other, bitcoin = EventSource("/events?channels=whales&symbols=ETH"), EventSource("/events?channels=whales")
    async with other.connected(api), bitcoin.connected(api):
        pass
    await Publisher(store).publish(2)
    event = WhaleTrade.model_validate(whale("binance", "ETH/USDT", "9.0", id="of-eth"))
    await store.bus.jetstream().publish("signal.v1.whale.binance.ETH.USDT.spot", event.model_dump_json().encode())
    async with other.connected(api):
        assert (await other.next())["id"] == "of-eth"
    async with bitcoin.connected(api):
        assert await bitcoin.named(2) == ["whale-1", "of-eth"]


async def test_an_id_that_is_none_or_too_old_gets_a_gap(
    store: Store, start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    api = await start()
    source, publisher = EventSource("/events?channels=whales&symbols=BTC"), Publisher(store)
    source.last_id = "41"
    async with source.connected(api):
        assert "id" in (await source.next())["reason"]
        await publisher.publish(2)
        assert await source.named(1) == ["whale-1"]
    await publisher.publish(10)
    monkeypatch.setattr(event_log, "MOST_MISSED", 3)
    async with source.connected(api):
        gap = await source.next()
        assert (gap["type"], "more than 3" in gap["reason"]) == ("gap", True)
        await publisher.publish(2)
        assert await source.named(1) == [publisher.names[-1]]
    monkeypatch.undo()
    await publisher.publish(4)
    await store.bus.api(f"STREAM.PURGE.{SIGNALS}", b'{"keep":1}')
    async with source.connected(api):
        gap = await source.next()
        assert (gap["type"], "not kept" in gap["reason"]) == ("gap", True)
        assert await source.named(1) == [max(name for name in publisher.names[-4:] if name.startswith("whale"))]


async def test_a_stream_made_again_gets_a_gap_and_then_all_of_the_new_one(store: Store, api_nats: NatsServer) -> None:
    source, publisher = EventSource("/events?channels=whales&symbols=BTC"), Publisher(store)
    async with answering(api_nats.url):
        async with api_of(api_nats) as api, source.connected(api):
            await publisher.publish(3)
            await source.named(2)
        await store.bus.api(f"STREAM.DELETE.{SIGNALS}")
        await provision.apply(store.bus, provision.declared(synced=True))
        names = [name for name in await publisher.publish(6) if name.startswith("whale")]
        async with api_of(api_nats) as api, source.connected(api):
            gap = await source.next()
            assert (gap["type"], "another one" in gap["reason"]) == ("gap", True)
            assert await source.named(len(names)) == names


async def test_prices_come_with_their_state_and_go_on(store: Store, start: Start) -> None:
    await store.put_ticker("binance", "BTC/USDT", "91000.10", bid="91000", ask="91001")
    api = await start()
    source = EventSource("/events?channels=price&symbols=BTC,BTC/USDT")
    async with source.connected(api):
        first = [await source.next(), await source.next()]
        assert {message["symbol"]: message["price"] for message in first} == {"BTC": 91000.10, "BTC/USDT": 91000.10}
        await until_heard(store, "md.v1.ticker.all.BTC.>")
        await store.publish(f"md.v1.ticker.{TAIL}", ticker("91002.5"))
        assert (await source.next())["price"] == 91002.5


async def test_the_connection_is_kept_alive_by_comments(
    store: Store, start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(window, "LOOK_SECONDS", 0.1)
    api = await start()
    source = EventSource()
    async with source.connected(api):
        reading = asyncio.create_task(source.next(20))
        await asyncio.sleep(0.5)
        await Publisher(store).publish(1)
        await reading
        assert source.comments >= 2


async def test_the_headers_alone_can_be_read(store: Store, start: Start) -> None:
    api = await start()
    answer = await api.client.head(BOTH, headers={"Authorization": f"Bearer {READ_KEY}"})
    assert (answer.status_code, answer.headers["cache-control"]) in {(200, "no-store"), (405, "no-store")}


@pytest.mark.parametrize(
    ("query", "key", "status", "code"),
    [
        ("channels=news&symbols=BTC", READ_KEY, 400, "INVALID_PARAMETER"),
        ("channels=price", READ_KEY, 400, "INVALID_PARAMETER"),
        ("symbol=BTC", READ_KEY, 400, "INVALID_PARAMETER"),
        ("symbols=XYZ", READ_KEY, 404, "INVALID_SYMBOL"),
        ("symbols=" + ",".join(f"A{number}" for number in range(60)), READ_KEY, 429, "LIMIT_REACHED"),
        ("symbols=BTC", None, 401, "UNAUTHORIZED"),
        ("symbols=BTC", "wrong", 401, "UNAUTHORIZED"),
    ],
)
async def test_what_is_wrong_is_answered_before_anything_is_sent(
    store: Store, start: Start, query: str, key: str | None, status: int, code: str
) -> None:
    await store.put_ticker("binance", "BTC/USDT", "1")
    api = await start()
    answer = await api.get(f"/events?{query}", key=key)
    assert (answer.status_code, answer.json()["error"]["code"]) == (status, code)


async def test_a_client_that_takes_nothing_is_cut(store: Store, start: Start) -> None:
    api = await start({"stream": StreamLimits(send_seconds=0.5)})
    reader, writer = await asyncio.open_connection("127.0.0.1", api.port, limit=1024)
    head = f"GET /events?channels=alerts HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer {READ_KEY}\r\n\r\n"
    writer.write(head.encode())
    await reader.readuntil(b"\r\n\r\n")
    transport: Any = writer.transport
    transport.pause_reading()
    await api.until("/metrics", lambda answer: "hydrophone_stream_event_clients 1.0" in answer.text)
    for number in range(200):
        body = large_cluster(str(number)).model_dump_json().encode()
        await store.bus.jetstream().publish("signal.v1.cluster.all.BTC.USD.any", body)
    await api.until("/metrics", lambda answer: "hydrophone_stream_event_clients 0.0" in answer.text)
    assert "hydrophone_stream_closed_slow_total 1.0" in (await api.get("/metrics")).text
    writer.close()


async def test_the_api_ends_at_once_and_its_streams_end_as_answers_do(store: Store, api_nats: NatsServer) -> None:
    source = EventSource()
    loop = asyncio.get_running_loop()
    async with answering(api_nats.url):
        api = api_of(api_nats)
        async with source.connected(await api.__aenter__()):
            began = loop.time()
            ending = asyncio.create_task(api.__aexit__(None, None, None))
            with pytest.raises(StopAsyncIteration):
                await source.next()
        await ending
        assert loop.time() - began < 8, "the server would wait for 10 seconds"
