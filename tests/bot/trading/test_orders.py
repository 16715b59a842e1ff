"""Orders on paper as people make them in Telegram, without any account: by buttons and in words, in both languages."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from bot.texts.phrases import PHRASES
from bot.trading import backtests, linking, portfolio, strategies, trade
from bot.trading import orders as order_pages
from bot.trading.drafts import mark_of
from contracts.services.trading import orders
from tests.bot.trading.conftest import somebody
from tests.bot.world import GROUP, Person, StartBot, labels, text_of
from tests.consumers.execution.conftest import User

pytestmark = [pytest.mark.nats, pytest.mark.timeout(180)]
MakePerson = Callable[..., Person]


def label(key: str, language: str) -> str:
    return getattr(PHRASES[f"button.{key}"], language)


async def orders_of(trading: User, user_id: int) -> list[orders.OrderInfo]:
    query = orders.ListOrders(owner=f"telegram:{user_id}")
    return (await trading.ask("list_orders", query, orders.OrderPage)).items


@pytest.mark.parametrize("language", ["en", "id"])
async def test_the_first_trade_is_on_paper_from_menu_to_order(
    start_bot: StartBot, trading: User, person: MakePerson, language: str
) -> None:
    await start_bot()
    ann = person(somebody(), language_code=language)
    asked = await ann.say("/trade")
    assert "10,000 USDT" in text_of(asked)
    chosen = await ann.press(asked, "BTC")
    assert "90,981.75" in text_of(chosen)
    amount = await ann.press({**asked, **chosen}, label("bm", language))
    assert labels(amount)[0].startswith("25% · 0.027")
    preview = await ann.press({**asked, **amount}, labels(amount)[0])
    for part in ("90,981.75", "USDT", "paper" if language == "en" else "Simulasi"):
        assert part in text_of(preview)
    assert await orders_of(trading, ann.user_id) == []
    placed = await ann.press({**asked, **preview}, label("place", language))
    assert ("The order is filled" if language == "en" else "Order terisi") in text_of(placed)
    (order,) = await orders_of(trading, ann.user_id)
    assert (order.account, order.side, order.status) == ("paper", "buy", "filled")


async def test_a_confirmation_that_is_pressed_twice_makes_one_order(
    start_bot: StartBot, trading: User, person: MakePerson
) -> None:
    await start_bot()
    ann = person(somebody())
    preview = await ann.say("/trade buy 0.01 BTC/USDT at 90000")
    (confirm,) = [button for row in preview["buttons"] for button in row if "Place" in button["text"]]
    for _ in range(2):
        await ann.do("press", message_id=preview["message_id"], data=confirm["data"], stale=True)
    await ann.next({"editMessageText"})
    stale = await ann.pressed(preview, data=confirm["data"], stale=True)
    assert (
        stale is None or "out of date" in stale or "Nothing has changed" in stale
    )  # what stands there is of this order
    (order,) = await orders_of(trading, ann.user_id)
    assert (order.status, order.price, f"{order.amount:f}") == ("open", 90000, "0.01")
    assert order.client_id.startswith("tg-")


async def test_orders_are_listed_by_page_and_cancelled_by_a_button(
    start_bot: StartBot, trading: User, person: MakePerson
) -> None:
    await start_bot()
    ann = person(somebody())
    for price in range(80000, 80007):
        placed = await ann.press(await ann.say(f"/trade buy 0.01 BTC/USDT at {price}"), "✅ Place the order")
        assert "The order is open" in text_of(placed)
    listed = await ann.say("/orders")
    assert "(7) · 1/2" in text_of(listed)
    assert len([one for one in labels(listed) if one.startswith("✖️")]) == 5
    second = await ann.press(listed, "➡️")
    assert "80,000" in text_of(second)
    cancelled = await ann.press({**listed, **second}, "✖️ 🟢 0.01 BTC/USDT @ 80,000")
    assert "cancelled" in text_of(cancelled)
    assert "(6)" in text_of(await ann.say("/orders"))
    assert "(7)" in text_of(await ann.say("/orders all"))


async def test_a_limit_order_by_buttons_takes_a_written_price_and_amount(
    start_bot: StartBot, trading: User, person: MakePerson
) -> None:
    await start_bot()
    ann = person(somebody())
    book = await ann.say("/trade BTC")
    prices = await ann.press(book, "🟢 Buy · limit")
    assert labels(prices)[0] == "90,980.2"
    await ann.press({**book, **prices}, "✍️ Another figure")
    again = await ann.say("many")
    assert "Send the price in USDT" in text_of(again)
    amounts = await ann.say("85k")
    await ann.press(amounts, "✍️ Another figure")
    preview = await ann.say("0.02")
    assert "85,000" in text_of(preview)
    assert "The order is open" in text_of(await ann.press(preview, "✅ Place the order"))
    assert "Nothing was placed" in text_of(await ann.press(await ann.say("/trade sell 1 BTC/USDT"), "✖️ Cancel"))
    (order,) = await orders_of(trading, ann.user_id)
    assert (order.price, f"{order.amount:f}") == (85000, "0.02")


async def test_refusals_come_in_words(start_bot: StartBot, trading: User, person: MakePerson) -> None:
    await start_bot()
    ann, budi = person(somebody()), person(somebody(), language_code="id")
    assert "The smallest amount is 0.00000001 BTC" in text_of(await ann.say("/trade buy 0.000000001 BTC/USDT"))
    assert "Masukan tidak benar" in text_of(await budi.say("/trade beli 0.000000001 BTC/USDT"))
    assert "do not know the symbol" in text_of(await ann.say("/trade buy 1 NOPE/USDT"))
    assert "/trade" in text_of(await ann.say("/trade buy much BTC"))
    refused = await ann.press(await ann.say("/trade sell 1 BTC/USDT"), "✅ Place the order")
    assert "not enough money: it needs 1 BTC, and 0 BTC are free." in text_of(refused)
    assert "field amount, rule balance" in text_of(refused)
    ditolak = text_of(await budi.press(await budi.say("/trade jual 1 BTC/USDT"), "✅ Pasang order"))
    assert "saldo tidak cukup: perlu 1 BTC, yang bebas 0 BTC." in ditolak
    assert "kolom amount, aturan balance" in ditolak


async def test_kill_says_what_was_confirmed_and_resume_is_explicit(
    start_bot: StartBot, trading: User, person: MakePerson
) -> None:
    await start_bot()
    ann = person(somebody())
    await ann.press(await ann.say("/trade buy 0.01 BTC/USDT at 80000"), "✅ Place the order")
    (order,) = await orders_of(trading, ann.user_id)
    killed = text_of(await ann.say("/kill"))
    assert "confirmed: 1" in killed
    assert order.id in killed
    refused = await ann.press(await ann.say("/trade buy 0.01 BTC/USDT at 80000"), "✅ Place the order")
    assert "your trading is stopped. Go on with /resume." in text_of(refused)
    assert "Trading is stopped" in text_of(await ann.say("/paper"))
    assert "goes on" in text_of(await ann.say("/resume"))
    placed = await ann.press(await ann.say("/trade buy 0.01 BTC/USDT at 80000"), "✅ Place the order")
    assert "is open" in text_of(placed)


async def test_a_portfolio_has_balances_value_and_profit(
    start_bot: StartBot, trading: User, person: MakePerson
) -> None:
    await start_bot()
    ann = person(somebody())
    await ann.press(await ann.say("/trade buy 0.1 BTC/USDT"), "✅ Place the order")
    shown = await ann.say("/portfolio")
    assert "BTC" in text_of(shown)
    assert "USDT" in text_of(shown)
    assert "Realised" in text_of(shown)
    again = await ann.press(shown, "USD")
    assert "USD" in text_of(again)
    assert "/portfolio" in text_of(await ann.say("/portfolio EUR"))
    menu = await ann.press(await ann.say("/start"), "💼 Portfolio")
    assert "BTC" in text_of(menu)


async def test_trading_is_for_private_chats(start_bot: StartBot, trading: User, person: MakePerson) -> None:
    await start_bot()
    ann = person(somebody(), GROUP, chat_type="supergroup")
    for text in ("/trade", "/orders", "/portfolio", "/paper", "/strategy", "/backtest", "/kill", "/resume", "/unlink"):
        assert "private chat" in text_of(await ann.say(text)), text
    menu = await ann.say("/start")
    for name in ("💼 Portfolio", "🛒 Trading", "🤖 Strategies"):
        assert "somebody else" in str(await ann.pressed(menu, text=name)), name


PRESSES = (
    *("t", "t|{mark}|BTC/USDT", "tc|{mark}|BTC/USDT|bm|-|0.1|abcdefgh", "ti|{mark}|BTC/USDT|bm|-", "tx"),
    *("o", "oc|{id}", "pf", "k", "kr", "lk|indodax", "lu|{mark}", "ld|{mark}|y"),
    *("st", "sd|{id}", "sn", "sc|x", "sp|{id}", "sr|{id}", "sx|{id}", "bt|{id}", "ba|{id}", "bs|{id}"),
)


def test_every_button_of_trading_is_in_the_table() -> None:
    nothing: Any = None
    parts: tuple[Any, ...] = (
        trade.Trade(nothing, nothing),
        order_pages.Orders(nothing),
        portfolio.Holdings(nothing),
        linking.Linking(nothing),
        strategies.Strategies(nothing, nothing),
        backtests.Backtests(nothing, nothing),
    )
    found = {action for part in parts for action in part.presses()}
    assert found == {press.partition("|")[0] for press in PRESSES}


async def test_nobody_else_presses_an_owners_buttons(start_bot: StartBot, trading: User, person: MakePerson) -> None:
    await start_bot()
    ann_id, eve_id = somebody(), somebody()
    ann, eve = person(ann_id), person(eve_id, ann_id)
    await ann.press(await ann.say("/trade buy 0.01 BTC/USDT at 80000"), "✅ Place the order")
    (order,) = await orders_of(trading, ann_id)
    message = await ann.say("/orders")
    for press in PRESSES:
        data = press.format(mark=mark_of("paper"), id=order.id)
        note = await eve.pressed(message, data=data, stale=True)
        assert note is not None, data
        assert "somebody else" in note or "out of date" in note, (data, note)
    assert [one.status for one in await orders_of(trading, ann_id)] == ["open"]
    assert await orders_of(trading, eve_id) == []
    (cancel,) = [one for row in message["buttons"] for one in row if one["data"] == f"oc|{order.id}"]
    assert "somebody else" in str(await eve.pressed(message, data=cancel["data"]))
    assert [one.status for one in await orders_of(trading, ann_id)] == ["open"]
