"""Every market command as a person uses it, in both languages; its figures are those of `/gpt/*` at the same moment."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from runtime.clock import now_ns
from runtime.texts.figures import number, percent, rate, usd
from tests.api.world import Start, Store
from tests.bot.world import Person, StartBot, labels, text_of
from tests.consumers.market.recorded import list_liquidations

pytestmark = [pytest.mark.nats, pytest.mark.timeout(180)]
MakePerson = Callable[..., Person]
SAID = {
    "/price BTC": ("volume-weighted", "tertimbang volume"),
    "/raw BTC": ("Exchanges", "Bursa"),
    "/raw_orderbook BTC": ("Asks", "Penawaran jual"),
    "/whale BTC": ("Whale trades of BTC", "Transaksi paus BTC"),
    "/liq BTC": ("Liquidations of BTC", "Likuidasi BTC"),
    "/spread BTC": ("Spread of BTC", "Selisih harga BTC"),
    "/sentiment Bitcoin reserves fall to the lowest level": ("confidence", "keyakinan"),
    "/status": ("Exchanges: 1 of 1 live", "Bursa: 1 dari 1 langsung"),
    "/help": ("all commands", "semua perintah"),
    "/start": ("Live prices", "Harga langsung"),
}


@pytest.mark.parametrize("language", ["en", "id"])
async def test_every_market_command_answers(start_bot: StartBot, person: MakePerson, language: str) -> None:
    await start_bot()
    ann = person(language_code=language)
    for text, said in SAID.items():
        answer = await ann.say(text)
        assert said[language == "id"] in text_of(answer), (text, answer)


def figures_of(path: str, data: Any) -> list[str]:
    """The figures of a reply of the API as the bot writes them."""
    if path == "/gpt/raw":
        totals = data["liquidations"]["totals"].values()
        return [
            *(number(data[name]) for name in ("price", "high", "low", "bid", "ask", "spread", "volume_24h")),
            percent(data["change_24h"]),
            *(number(row["price"]) for row in data["exchanges"]),
            *(rate(row["rate"]) for row in data["funding"]),
            *(number(row["amount"]) for row in data["open_interest"]),
            *(usd(row["usd_value"]) for row in data["whales"]),
            *(usd(row[name]) for row in totals for name in ("total_usd", "long_usd", "short_usd")),
        ]
    if path == "/gpt/whale":
        return [*(usd(row["usd_value"]) for row in data), *(number(row["price"]) for row in data)]
    if path == "/gpt/liq":
        rows = [usd(row["total_usd"]) for row in data["totals"].values()]
        return [*rows, *(usd(row["usd_value"]) for row in data["recent"])]
    if path == "/gpt/orderbook":
        levels = [*data["bids"], *data["asks"]]
        return [number(level[name]) for level in levels for name in ("price", "amount", "total")]
    return [number(data["price"])]


@pytest.mark.parametrize(
    ("command", "path"),
    [
        ("/raw", "/gpt/raw"),
        ("/whale", "/gpt/whale"),
        ("/liq", "/gpt/liq"),
        ("/raw_orderbook", "/gpt/orderbook"),
        ("/price", "/api/market/price"),
    ],
)
async def test_figures_are_those_of_the_api(
    start_bot: StartBot, start: Start, person: MakePerson, command: str, path: str
) -> None:
    api = await start()
    await start_bot(core=False)
    answer = text_of(await person().say(f"{command} BTC"))
    body = (await api.get(f"{path}?symbol=BTC")).json()
    found = figures_of(path, body.get("data", body))
    assert len(found) > 0
    assert [figure for figure in found if figure not in answer] == []


async def test_an_unknown_symbol_offers_those_alike_as_buttons(start_bot: StartBot, person: MakePerson) -> None:
    await start_bot()
    ann = person()
    answer = await ann.say("/price BTC/USDX")
    assert "do not know the symbol BTC/USDX" in text_of(answer)
    assert "BTC/USDT" in labels(answer)
    became = await ann.press(answer, "BTC/USDT")
    assert became["method"] == "editMessageText"
    assert "90,9" in text_of(became)


async def test_a_command_without_a_symbol_says_how_it_is_used(start_bot: StartBot, person: MakePerson) -> None:
    await start_bot()
    ann = person()
    answer = await ann.say("/whale")
    assert "/whale SYMBOL" in text_of(answer)
    assert "Whale trades of BTC" in text_of(await ann.press(answer, "BTC"))
    assert "/price SYMBOL" in text_of(await ann.say("/price " + "x" * 200))
    assert "/chart SYMBOL TIMEFRAME" in text_of(await ann.say("/chart BTC 7m"))


async def test_depth_and_candles_are_pictures(start_bot: StartBot, person: MakePerson) -> None:
    await start_bot()
    ann = person()
    answer = await ann.say("/chart BTC depth")
    assert answer["photo"]
    assert "depth" in text_of(answer)
    book = await ann.say("/raw_orderbook BTC")
    assert (await ann.press(book, "🌊 Depth"))["photo"]


async def test_a_liquidation_map_is_a_picture_with_the_figures_of_the_api(
    store: Store, start_bot: StartBot, start: Start, person: MakePerson
) -> None:
    await store.publish_liquidations(list_liquidations(now_ns(), 200, 1440))
    api = await start()
    await start_bot(core=False)
    body = (await api.until("/gpt/liqmap?symbol=BTC", lambda answer: answer.status_code == 200)).json()["data"]
    ann = person(language_code="id")
    answer = await ann.say("/liqmap BTC")
    assert answer["photo"]
    totals = body["totals"]
    for figure in (*(usd(totals[name]) for name in ("total_usd", "long_usd", "short_usd")), number(body["step"])):
        assert figure in text_of(answer)
    assert "binanceusdm tidak diketahui (sampel)" in text_of(answer)
    became = await ann.press(answer, "7d")
    assert "7d" in text_of(became)
    assert "/liqmap" in text_of(await ann.say("/liqmap BTC 2h"))
    assert (await ann.press(await ann.say("/liqmap"), "BTC"))["photo"]


async def test_the_answer_goes_to_the_topic_that_was_asked_in(start_bot: StartBot, person: MakePerson) -> None:
    await start_bot()
    answer = await person(chat_id=-1001, chat_type="supergroup").say("/price@hydrophone_test_bot BTC", thread_id=7)
    assert answer["thread_id"] == 7
