"""Asking the core: once for many, kept for a moment, the last known as stale, ages that grow in any form."""

from __future__ import annotations

import asyncio
import gc
import json
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import pytest

from api.market import formats
from contracts.errors import NotReadyError, UnknownSymbolError
from contracts.services.cache import Question
from runtime.app.commands import failure
from runtime.clients.market_client import MarketClient
from runtime.clients.market_reply import CachedReply
from runtime.nats.bus import NoAnswerError

BODY = b'{"price":1.50,"note":"\\"age\\":7.000 \\"quality\\":\\"live\\"","age":0.100,"quality":"live"}'
NOW = 1_767_268_800 * 10**9


@dataclass(frozen=True)
class Reply:
    data: bytes
    headers: Mapping[str, str] = field(default_factory=dict[str, str])


GOOD = Reply(BODY, {"Hydrophone-Symbol": "%E5%B8%81/USDT", "Hydrophone-Beside": '{"age":0.100,"quality":"live"}'})
Answer = Callable[[], Awaitable[Reply]]


class Core:
    """A bus whose other side answers as it is to."""

    def __init__(self, answer: Answer) -> None:
        self.connected = True
        self.answer = answer
        self.asked = 0

    async def request_message(self, subject: str, payload: bytes, timeout: float) -> Reply:
        assert subject == "cmd.v1.market.raw"
        assert payload == b"{}"
        self.asked += 1
        try:
            async with asyncio.timeout(timeout):
                return await self.answer()
        except TimeoutError:
            raise NoAnswerError("no answer") from None


async def good() -> Reply:
    await asyncio.sleep(0)
    return GOOD


async def nobody() -> Reply:
    raise NoAnswerError("nobody serves it")


async def silence() -> Reply:
    await asyncio.Event().wait()
    raise AssertionError


async def test_concurrent_askers_make_one_request_and_its_answer_is_kept_for_a_moment() -> None:
    now = 0.0
    core = Core(good)
    market = MarketClient(core, now=lambda: now)
    assert market.find_cached("raw", b"{}") is None
    found = await asyncio.gather(*(market.request("raw", b"{}") for _ in range(50)))
    assert core.asked == 1
    assert {item.stale for item in found} == {False}
    now = 0.2
    kept = market.find_cached("raw", b"{}")
    assert kept is not None
    assert kept.grown == 0.2
    now = 0.3
    assert market.find_cached("raw", b"{}") is None
    await market.request("raw", b"{}")
    assert core.asked == 2


@pytest.mark.parametrize("away", [nobody, silence])
async def test_without_an_answer_the_last_known_is_stale_within_a_second(away: Answer) -> None:
    core = Core(good)
    market = MarketClient(core, enabled=False)
    await market.request("raw", b"{}")
    core.answer = away
    async with asyncio.timeout(1):
        found = await market.request("raw", b"{}")
    assert found.stale
    text = formats.render(found, formats.envelope, NOW).decode()
    document = json.loads(text)
    assert (document["quality"], document["data"]["quality"]) == ("stale", "stale")
    assert document["data"]["note"] == '"age":7.000 "quality":"live"'
    core.answer = good
    assert not (await market.request("raw", b"{}")).stale


async def test_while_the_bus_is_away_nothing_is_asked_and_nothing_known_is_not_ready() -> None:
    core = Core(good)
    core.connected = False
    with pytest.raises(NotReadyError) as refused:
        await MarketClient(core).request("raw", b"{}")
    assert (refused.value.details["waiting_for"], core.asked) == (["market core"], 0)


async def test_a_request_that_one_copy_took_to_its_grave_is_sent_to_another() -> None:
    core = Core(silence)
    market = MarketClient(core)
    task = asyncio.create_task(market.request("raw", b"{}"))
    while not core.asked:  # noqa: ASYNC110
        await asyncio.sleep(0)
    core.answer = good
    async with asyncio.timeout(0.8):
        assert not (await task).stale
    assert core.asked == 2


async def test_failures_that_nobody_waits_for_any_more_are_not_reported_as_faults() -> None:
    faults = list[Any]()
    asyncio.get_running_loop().set_exception_handler(lambda _, context: faults.append(context["message"]))

    async def fail_late() -> Reply:
        try:
            await asyncio.sleep(0.35 if core.asked == 1 else 0.05)
        except asyncio.CancelledError:
            raise NoAnswerError("cut off") from None
        raise NoAnswerError("nobody serves it")

    core = Core(fail_late)
    market = MarketClient(core)
    with pytest.raises(NotReadyError):
        await market.request("raw", b"{}")  # the second request fails first, the first one when it is ended
    assert core.asked == 2
    core.asked = 0
    left = asyncio.create_task(market.request("raw", b"{}"))
    await asyncio.sleep(0.1)
    left.cancel()
    await asyncio.sleep(0.5)
    await market.close()
    del left
    gc.collect()
    await asyncio.sleep(0)
    assert faults == []


async def test_a_refusal_is_raised_to_all_who_asked_and_not_kept() -> None:
    async def refuse() -> Reply:
        await asyncio.sleep(0)
        return Reply(failure("INVALID_SYMBOL", "no such symbol", parameter="symbol"))

    core = Core(refuse)
    market = MarketClient(core)
    refused = await asyncio.gather(*(market.request("raw", b"{}") for _ in range(3)), return_exceptions=True)
    assert [type(error) for error in refused] == [UnknownSymbolError] * 3
    assert core.asked == 1
    core.answer = good
    assert (await market.request("raw", b"{}")).reply.symbol == "币/USDT"


async def test_a_busy_core_is_no_answer() -> None:
    async def busy() -> Reply:
        await asyncio.sleep(0)
        return Reply(failure("BUSY", "try again"))

    core = Core(good)
    market = MarketClient(core, enabled=False)
    await market.request("raw", b"{}")
    core.answer = busy
    assert (await market.request("raw", b"{}")).stale


async def test_what_is_kept_is_bounded_the_oldest_goes() -> None:
    class Any(Core):
        async def request_message(self, subject: str, payload: bytes, timeout: float) -> Reply:
            del subject, payload, timeout
            return await good()

    market = MarketClient(Any(good), most_bytes=10_000)
    for number in range(100):
        await market.request("raw", b"%d" % number)
    assert 5 < len(market) < 20
    assert market.find_cached("raw", b"99") is not None
    assert market.find_cached("raw", b"0") is None


async def test_what_is_dropped_while_it_is_under_way_is_requested_again() -> None:
    core = Core(silence)
    market = MarketClient(core, now=lambda: 0.0)
    early = asyncio.create_task(market.request("raw", b"{}"))
    while not core.asked:  # noqa: ASYNC110
        await asyncio.sleep(0)
    assert market.drop(lambda key: key == "market_data:all:raw") == 0
    core.answer = good
    await market.request("raw", b"{}")
    assert core.asked == 2
    await early
    assert market.find_cached("raw", b"{}") is not None
    assert market.drop(lambda key: key == "market_data:all:raw") == 1
    assert (market.find_cached("raw", b"{}"), len(market)) == (None, 0)


async def test_a_pinned_answer_is_stale_whatever_the_core_says_until_its_time_is_over() -> None:
    now = 0.0
    market = MarketClient(Core(good), now=lambda: now)
    question = Question("raw", "BTC/USDT:USDT")
    market.pin(question, CachedReply(BODY, "BTC", b"", 0.0, 5.0))
    for symbol in ("BTC/USDT:USDT", "btc/usdt:usdt", "btc/usdt.USDT"):
        found = await market.request("raw", b'{"symbol":"%b"}' % symbol.encode())
        assert (found.stale, found.reply.symbol) == (True, "BTC")
    assert market.find_cached("raw", b'{"symbol":"BTC"}') is None
    assert market.find_cached("raw", b'{"symbol":"BTC/USDT:USDT","limit":3}') is None
    now = 5.0
    assert market.find_cached("raw", b'{"symbol":"BTC/USDT:USDT"}') is None
    market.pin(question, CachedReply(BODY, "BTC", b"", 5.0, 9.0))
    market.unpin(question)
    assert market.find_cached("raw", b'{"symbol":"BTC/USDT:USDT"}') is None


@pytest.mark.parametrize(
    ("form", "body", "expected"),
    [
        (
            formats.envelope,
            b'{"age":1.000}',
            '{"success":true,"symbol":"A","data":{"age":1.250},"age":0.350,"timestamp":T}',
        ),
        (
            formats.listed,
            b'{"whales":[{"a":1}],"age":null}',
            '{"success":true,"symbol":"A","data":[{"a":1}],"age":null,"timestamp":T}',
        ),
        (formats.flat, b'{"a":1,"age":9.999}', '{"success":true,"a":1,"age":10.249,"timestamp":T}'),
        (formats.plain, b'{"a":1}', '{"a":1,"timestamp":T}'),
        (
            formats.bare,
            b'{"last_message_ages":{"trade":0.000,"x":1.000},"last_message_age":null}',
            '{"last_message_ages":{"trade":0.250,"x":1.250},"last_message_age":null}',
        ),
    ],
)
def test_a_reply_is_spliced_into_its_form_and_its_ages_grow(form: formats.Format, body: bytes, expected: str) -> None:
    text = form(CachedReply(body, "A", b'{"age":0.100}', 0.0))
    rendered = formats.open_ages(text).render(250, NOW).decode()
    assert rendered == expected.replace("T", '"2026-01-01T12:00:00Z"')
