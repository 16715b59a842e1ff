"""CCXT's requests over HTTP: what breaks in them, what is sent and never sent again, and what is never shown."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from aiohttp import web

from consumers.execution.ports import UnclearError
from consumers.execution.venues.ccxt_client import CcxtClient, Shared, _point
from consumers.execution.venues.ccxt_venue import CcxtVenue
from runtime.credentials import Credential
from runtime.trading.figures import OrderRefusedError
from runtime.trading.order import Order
from tests.consumers.execution.stage import intent
from tests.consumers.execution.venues.matrix import AMOUNT
from tests.consumers.execution.venues.world import KEY, LOW, PLACE, SECRET, SYMBOL, World, opened

pytestmark = pytest.mark.asyncio(loop_scope="module")
D = Decimal


def order(world: World, number: int = 1, **fields: Any) -> Order:
    made = intent(number, symbol=SYMBOL, price=LOW, amount=AMOUNT, created_ns=world.stage.now)
    return replace(made, **fields)


async def test_an_answer_that_does_not_come_in_time_is_unclear_and_is_not_waited_for(world: World) -> None:
    exchange = world.client.exchange
    await world.venue().place(order(world, 2))  # so that nothing else has to be asked first
    exchange.timeout, kept = 200, exchange.timeout
    answer, hold = world.answer, asyncio.Event()

    async def slow(request: web.Request) -> web.StreamResponse:
        answered = await answer(request)
        await hold.wait()
        return answered

    world.answer = slow  # type: ignore[method-assign]
    try:
        with pytest.raises(UnclearError, match=r"did not answer in time|could not be reached"):
            await world.venue().place(order(world, price=world.best("ask")[0]))
    finally:
        exchange.timeout = kept
        hold.set()
        del world.answer
    async with asyncio.timeout(30):
        while len(world.orders()) < 2:  # noqa: ASYNC110  # a slow machine may be at it still
            await asyncio.sleep(0.01)
    report = await world.venue().find(order(world, price=world.best("ask")[0]))
    assert report is not None
    assert report.status == "filled"
    assert len([one for one in world.answered if one.startswith("POST")]) == 2


@pytest.mark.parametrize("status", [400, 404, 500, 502, 503, 504])
async def test_a_page_of_a_gateway_is_no_refusal_of_an_order(world: World, status: int) -> None:
    page: dict[str, Any] = {"status": status, "text": "<html>busy</html>", "content_type": "text/html"}
    world.before = lambda path: web.Response(**page) if "order" in path else None
    with pytest.raises(UnclearError):
        await world.venue().place(order(world))


async def test_an_exchange_that_cannot_be_connected_to_has_no_order(world: World) -> None:
    exchange = world.client.exchange
    kept = exchange.urls["api"]
    exchange.urls["api"] = _point(kept, "http://127.0.0.1:9")
    try:
        with pytest.raises(OrderRefusedError, match=r"it was not sent: .*: it could not be reached"):
            await world.venue().place(order(world))
        with pytest.raises(UnclearError):  # of what may have been sent before, nothing is known
            await world.venue().find(order(world))
    finally:
        exchange.urls["api"] = kept


async def test_an_answer_that_breaks_off_is_no_refusal_of_an_order(world: World) -> None:
    answer = world.answer

    async def broken(request: web.Request) -> web.StreamResponse:
        answered = await answer(request)
        if request.method != "POST":
            return answered
        response = web.StreamResponse(headers={"Content-Length": "500", "Content-Type": "application/json"})
        await response.prepare(request)
        await response.write(b'{"orderId": 12, "cli')
        assert request.transport is not None
        request.transport.close()
        return response

    world.answer = broken  # type: ignore[method-assign]
    try:
        with pytest.raises(UnclearError):  # CCXT calls it an ExchangeError
            await world.venue().place(order(world))
    finally:
        del world.answer
    assert await world.venue().find(order(world)) is not None


async def test_an_answer_that_is_no_json_is_no_refusal_of_an_order(world: World) -> None:
    world.before = lambda path: web.Response(text='{"orderId": 12, "cli') if "order" in path else None
    with pytest.raises(UnclearError):
        await world.venue().place(order(world))


async def test_nothing_is_sent_where_what_is_needed_before_cannot_be_read() -> None:
    async with opened("bybit") as world:  # CCXT asks there first what kind of account it is
        world.before = lambda path: web.Response(status=503) if "create" not in path else None
        with pytest.raises(OrderRefusedError, match="it was not sent"):
            await world.venue().place(order(world))
        assert world.orders() == []


async def test_too_many_orders_are_refused_by_the_exchange_and_said_so(world: World) -> None:
    venue, most = world.venue(), {"binance": 100, "bybit": 20}[world.name]
    for number in range(most):
        await venue.place(order(world, number, amount=D("0.0002")))
    with pytest.raises(OrderRefusedError, match="it takes no more requests for now"):
        await venue.place(order(world, most, amount=D("0.0002")))
    assert len(world.orders()) == most


async def test_a_wrong_secret_and_a_clock_that_is_off_do_not_place(world: World) -> None:
    venue, exchange = world.venue(), world.client.exchange
    exchange.secret = "another"
    try:
        with pytest.raises((OrderRefusedError, UnclearError)):
            await venue.place(order(world))
    finally:
        exchange.secret = SECRET
    nonce = exchange.nonce
    exchange.nonce = lambda: world.now_us // 1000 - 120_000
    try:
        with pytest.raises((OrderRefusedError, UnclearError)):
            await venue.place(order(world))
    finally:
        exchange.nonce = nonce
    assert world.orders() == []


async def test_key_and_secret_are_in_no_error_no_log_and_no_text_of_an_object(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    venue, said = world.venue(), []
    with caplog.at_level(logging.INFO):
        for kind in ("lost_before", "lost_after", "maintenance", "rate_limit"):
            world.fault(kind)  # type: ignore[arg-type]
            for attempt in (venue.place, venue.cancel, venue.find):
                try:
                    await attempt(order(world))
                except (OrderRefusedError, UnclearError) as error:
                    said.append(f"{error!r} {error.__cause__!r}")
            world.side.faults.clear()
    assert said
    logged = [
        record.getMessage() for record in caplog.records if record.name != "aiohttp.access"
    ]  # of the test's server
    text = "\n".join((*said, *logged, repr(Credential(KEY, SECRET)), repr(venue), repr(world.client)))
    assert KEY not in text
    assert SECRET not in text
    assert "signature" not in text


async def test_ccxt_sends_nothing_again_by_itself(world: World) -> None:
    exchange = world.client.exchange
    assert exchange.options["maxRetriesOnFailure"] == 0
    world.fault("lost_before", PLACE[world.name])
    with pytest.raises(UnclearError):
        await world.venue().place(order(world))
    assert len([one for one in world.answered if one.startswith("POST")]) == 1


async def test_a_client_keeps_to_the_rate_limit_and_to_time_limits() -> None:
    client = CcxtClient("binance", Credential(KEY, SECRET))
    await client.start()
    assert client.exchange.enableRateLimit
    assert client.exchange.timeout == 10_000
    await client.close()
    assert client.exchange.session is None


async def test_markets_are_read_once_for_all_accounts_at_an_exchange() -> None:
    async with opened("binance") as world:
        shared, url = Shared(), str(world.client._url)
        clients = [CcxtClient("binance", Credential(KEY, SECRET), shared, url) for _ in range(3)]
        world.answered.clear()
        rules = [await CcxtVenue(client, world.stage.clock).rules(SYMBOL) for client in clients]
        assert len(set(rules)) == 1
        assert world.answered == ["GET /api/v3/exchangeInfo"]
        for client in clients:
            await client.close()


async def test_nothing_is_asked_when_an_account_is_opened(world: World) -> None:
    world.before = lambda _path: web.Response(status=503)
    assert await world.venue().open() == frozenset()
    assert world.answered == []
