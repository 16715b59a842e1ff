"""Answers that the connection writes itself: the same as the app's, counted and logged once, in order."""

from __future__ import annotations

import asyncio
import json
import re
from typing import Any

import pytest

from api.http.middleware import RequestMiddleware
from tests.api.world import READ_KEY, Api, Start, Store

pytestmark = pytest.mark.nats
RAW = "/gpt/raw?symbol=BTC"
OF_THE_MOMENT = {b"date", b"x-request-id", b"ratelimit-remaining", b"ratelimit-reset"}


class Connection:
    """One kept connection; its answers as they came."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self._writer = reader, writer

    @classmethod
    async def open(cls, api: Api) -> Connection:
        return cls(*await asyncio.open_connection("127.0.0.1", api.port))

    def send(self, path: str, *more: str, key: str | None = READ_KEY) -> None:
        lines = [f"GET {path} HTTP/1.1", "Host: a", *([] if key is None else [f"Authorization: Bearer {key}"]), *more]
        self._writer.write(("\r\n".join(lines) + "\r\n\r\n").encode())

    async def answer(self) -> tuple[bytes, dict[bytes, bytes], Any]:
        async with asyncio.timeout(30):
            status, *lines = (await self._reader.readuntil(b"\r\n\r\n")).rstrip().split(b"\r\n")
            headers = dict(line.split(b": ", 1) for line in lines)
            assert len(headers) == len(lines), "a header came twice"
            body = await self._reader.readexactly(int(headers[b"content-length"]))
        return status, headers, json.loads(body)

    async def get(self, path: str, *more: str, key: str | None = READ_KEY) -> tuple[bytes, dict[bytes, bytes], Any]:
        self.send(path, *more, key=key)
        return await self.answer()


@pytest.fixture
def written(monkeypatch: pytest.MonkeyPatch) -> list[bool]:
    """Whether each request was answered by its connection."""
    results: list[bool] = []
    whole = RequestMiddleware.answer_now

    def noted(self: RequestMiddleware, scope: Any, write: Any) -> bool:
        results.append(whole(self, scope, write))
        return results[-1]

    monkeypatch.setattr(RequestMiddleware, "answer_now", noted)
    return results


def lasting(headers: dict[bytes, bytes]) -> dict[bytes, bytes]:
    return {name: value for name, value in headers.items() if name not in OF_THE_MOMENT}


async def test_both_ways_give_the_same_answer_and_count_alike(
    store: Store, start: Start, written: list[bool], capfd: pytest.CaptureFixture[str]
) -> None:
    await store.put_ticker("binance", "BTC/USDT", "91000.10", volume_24h="5")
    api = await start({"cache": True}, GPT_API_RATE_LIMIT_REQUESTS=1000)
    connection = await Connection.open(api)
    await connection.get(RAW)
    until = asyncio.get_running_loop().time() + 20
    while True:  # what is kept for 250 ms may be over between two requests on a machine that is busy
        assert asyncio.get_running_loop().time() < until
        del written[:]
        asked = [await connection.get(RAW), await connection.get(RAW), await connection.get(RAW, "Content-Length: 0")]
        if written in ([False, True, False], [True, True, False]):
            break
    (_, _, _), (status, headers, body), (long_status, long_headers, long_body) = asked
    assert (status, lasting(headers)) == (long_status, lasting(long_headers))
    assert {**body, "timestamp": "", "age": 0}.keys() == {**long_body, "timestamp": "", "age": 0}.keys()
    assert body["data"]["price"] == long_body["data"]["price"] == 91000.1
    left = [int(headers[b"ratelimit-remaining"]) for _, headers, _ in asked]
    assert left == [left[0], left[0] - 1, left[0] - 2], "each counts once"
    ids = [headers[b"x-request-id"].decode() for _, headers, _ in asked]
    lines = capfd.readouterr().out
    assert [len(re.findall(rf"\b{name}\b", lines)) for name in ids] == [1, 1, 1], "one line of the access log each"


async def test_who_may_not_is_refused_on_the_same_connection(store: Store, start: Start, written: list[bool]) -> None:
    await store.put_ticker("binance", "BTC/USDT", "1")
    connection = await Connection.open(await start())
    assert (await connection.get(RAW))[0] == b"HTTP/1.1 200 OK"
    for key in ("wrong", None):
        status, _, body = await connection.get(RAW, key=key)
        assert (status, body["error"]["code"]) == (b"HTTP/1.1 401 Unauthorized", "UNAUTHORIZED")
    assert not any(written[-2:])
    tag = (await connection.get(RAW))[1][b"etag"].decode()
    connection.send(RAW, f"If-None-Match: {tag}")
    assert (await connection._reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 304")


async def test_requests_sent_at_once_are_answered_in_their_order(store: Store, start: Start) -> None:
    await store.put_ticker("binance", "BTC/USDT", "1")
    connection = await Connection.open(await start())
    paths = [RAW, "/gpt/raw?symbol=XYZ", RAW, "/api/market/price?symbol=BTC", *[RAW] * 300, "/nothing"]
    for path in paths:
        connection.send(path)
    codes = [(await connection.answer())[0].split()[1] for _ in paths]
    assert codes == [b"200", b"404", b"200", b"200", *[b"200"] * 300, b"404"]
