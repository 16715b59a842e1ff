"""Updates as python-telegram-bot's Application takes them: by polling and by webhook, of the kinds asked for."""

from __future__ import annotations

import asyncio
import json
import socket
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from typing import Any

import httpx
import pytest
from telegram import Bot, InlineKeyboardButton, InlineKeyboardMarkup, Update
from telegram.error import Conflict
from telegram.ext import (
    Application,
    ApplicationBuilder,
    CallbackQueryHandler,
    ChatMemberHandler,
    CommandHandler,
    ContextTypes,
)

from tests.bot.simulator.conftest import ANN, BOB, GROUP, TOKEN, People

Eventually = Callable[..., Any]


async def on_price(update: Update, context: ContextTypes.DEFAULT_TYPE) -> None:
    assert update.effective_message is not None
    markup = InlineKeyboardMarkup([[InlineKeyboardButton("Again", callback_data="again")]])
    await update.effective_message.reply_text(f"{context.args} costs 5", reply_markup=markup)


async def on_button(update: Update, _: ContextTypes.DEFAULT_TYPE) -> None:
    assert update.callback_query is not None
    await update.callback_query.answer()
    await update.callback_query.edit_message_text("costs 6")


def application(people: People) -> tuple[Application[Any, Any, Any, Any, Any, Any], list[Update]]:
    made = ApplicationBuilder().token(TOKEN).base_url(f"{people.url}/bot").build()
    members: list[Update] = []

    async def on_member(update: Update, _: ContextTypes.DEFAULT_TYPE) -> None:
        members.append(update)

    made.add_handler(CommandHandler("price", on_price))
    made.add_handler(CallbackQueryHandler(on_button))
    made.add_handler(ChatMemberHandler(on_member, ChatMemberHandler.CHAT_MEMBER))
    return made, members


async def chat_with(people: People) -> None:
    """Ask for a price and press the button below the answer; both must have come."""

    async def sent(method: str) -> dict[str, Any]:
        async with asyncio.timeout(15):
            while True:
                rows = [row for row in await people.ask("sent", chat_id=ANN) if row["method"] == method]
                if rows:
                    return rows[-1]
                await asyncio.sleep(0.02)

    await people.do("message", chat_id=ANN, user_id=ANN, text="/price BTC", first_name="Ann")
    answer = await sent("sendMessage")
    assert answer["text"] == "['BTC'] costs 5"
    await people.do("press", chat_id=ANN, user_id=ANN, message_id=answer["message_id"], text="Again")
    edit = await sent("editMessageText")
    assert (edit["text"], edit["message_id"]) == ("costs 6", answer["message_id"])
    assert edit["seq"] > answer["seq"]


async def test_an_application_polls(people: People, eventually: Eventually) -> None:
    made, members = application(people)
    async with made:
        assert made.updater is not None
        await made.updater.start_polling(allowed_updates=Update.ALL_TYPES)
        await made.start()
        await chat_with(people)
        await people.do("join", chat_id=GROUP, user_id=BOB)
        await eventually(lambda: len(members) == 1)
        await made.updater.stop()
        await made.stop()
    assert len(people.server.world.updates) == 0


async def test_an_application_is_called_by_webhook(people: People) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    made, _ = application(people)
    async with made:
        assert made.updater is not None
        where = f"http://127.0.0.1:{port}/hook"
        await made.updater.start_webhook("127.0.0.1", port, "hook", webhook_url=where, secret_token="s3cret")
        await made.start()
        await chat_with(people)
        with pytest.raises(Conflict, match="can't use getUpdates method while webhook is active"):
            await made.bot.get_updates()
        await made.updater.stop()
        await made.stop()


class Receiver:
    """A webhook that refuses the first updates."""

    def __init__(self, refused: int) -> None:
        self.refused = refused
        self.taken: list[dict[str, Any]] = []
        self.secrets: list[str] = []

    async def on_connection(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while head := await reader.readuntil(b"\r\n\r\n"):
            lines = dict(line.lower().split(": ", 1) for line in head.decode().splitlines()[1:] if line)
            body = json.loads(await reader.readexactly(int(lines["content-length"])))
            self.secrets.append(lines.get("x-telegram-bot-api-secret-token", ""))
            refuse = self.refused > 0
            self.refused -= 1
            if not refuse:
                self.taken.append(body)
            writer.write(b"HTTP/1.1 %b\r\nContent-Length: 0\r\n\r\n" % (b"500 No" if refuse else b"200 OK"))


@asynccontextmanager
async def receiving(refused: int) -> AsyncGenerator[tuple[Receiver, str]]:
    receiver = Receiver(refused)

    async def on_connection(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await receiver.on_connection(reader, writer)
        except asyncio.IncompleteReadError:
            writer.close()

    server = await asyncio.start_server(on_connection, "127.0.0.1", 0)
    try:
        yield receiver, f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/hook"
    finally:
        server.close()


async def test_a_webhook_that_fails_gets_each_update_again_in_order(
    bot: Bot, people: People, eventually: Eventually
) -> None:
    async with receiving(refused=2) as (receiver, url):
        await bot.set_webhook(url, secret_token="abc_DEF-1")
        for text in ("one", "two", "three"):
            await people.do("message", chat_id=ANN, user_id=ANN, text=text)
        await eventually(lambda: len(receiver.taken) == 3)
        assert [update["message"]["text"] for update in receiver.taken] == ["one", "two", "three"]
        assert set(receiver.secrets) == {"abc_def-1"}
        info = await bot.get_webhook_info()
        assert (info.url, info.last_error_message) == (url, "Wrong response from the webhook: 500 No")
        await eventually(lambda: len(people.server.world.updates) == 0)
        await bot.delete_webhook()
        assert (await bot.get_webhook_info()).url == ""


async def test_a_second_poll_ends_the_first(bot: Bot, people: People, eventually: Eventually) -> None:
    first = asyncio.create_task(bot.get_updates(timeout=20))
    await eventually(lambda: people.server.polling)
    second = await people.client.post(f"/bot{TOKEN}/getUpdates", json={"timeout": 0})
    assert second.json() == {"ok": True, "result": []}
    with pytest.raises(Conflict, match="terminated by other getUpdates"):
        await first


async def test_a_poll_waits_and_what_is_confirmed_is_gone(bot: Bot, people: People) -> None:
    waiting = asyncio.create_task(bot.get_updates(timeout=20))
    await asyncio.sleep(0.1)
    await people.do("message", chat_id=ANN, user_id=ANN, text="hi")
    (update,) = await waiting
    assert [one.update_id for one in await bot.get_updates()] == [update.update_id]
    assert await bot.get_updates(offset=update.update_id + 1) == ()
    assert await bot.get_updates() == ()


async def test_member_updates_come_only_when_asked_for(bot: Bot, people: People) -> None:
    await bot.get_updates()
    await people.do("join", chat_id=GROUP, user_id=ANN)
    assert [one.chat_member for one in await bot.get_updates()] == [None]
    await bot.get_updates(allowed_updates=["chat_member"], offset=10**9)
    await people.do("join", chat_id=GROUP, user_id=BOB)
    (update,) = await bot.get_updates()
    assert update.chat_member is not None
    assert (update.chat_member.old_chat_member.status, update.chat_member.new_chat_member.status) == ("left", "member")


async def test_privacy_mode_hides_what_is_not_for_the_bot(bot: Bot, people: People) -> None:
    await people.do("member", chat_id=GROUP, user_id=1234567, status="member")
    said = await bot.send_message(GROUP, "hello")
    await bot.get_updates(offset=10**9)
    for given in (
        {"text": "nothing for bots"},
        {"text": "/price BTC"},
        {"text": "hey @hydrophone_test_bot"},
        {"text": "to you", "reply_to": said.id},
    ):
        await people.do("message", chat_id=GROUP, user_id=ANN, **given)
    seen = [one.message.text for one in await bot.get_updates() if one.message]
    assert seen == ["/price BTC", "hey @hydrophone_test_bot", "to you"]
    await people.do("settings", privacy=False)
    await people.do("message", chat_id=GROUP, user_id=ANN, text="nothing for bots")
    assert (await bot.get_updates())[-1].message.text == "nothing for bots"  # type: ignore[union-attr]


async def test_anonymous_administrators_and_channels(bot: Bot, people: People) -> None:
    await people.do("chat", chat_id=GROUP, linked_chat_id=-1009)
    await people.do("member", chat_id=GROUP, user_id=BOB, status="administrator", is_anonymous=True)
    await people.do("message", chat_id=GROUP, user_id=BOB, text="as the group")
    await people.do("message", chat_id=GROUP, user_id=ANN, sender_chat_id=-1009, text="a post")
    await people.do("message", chat_id=GROUP, user_id=ANN, sender_chat_id=-1008, text="a channel")
    found = [one.message for one in await bot.get_updates() if one.message]
    senders = [
        (one.from_user.id, one.sender_chat.id, one.is_automatic_forward)
        for one in found
        if one.from_user and one.sender_chat
    ]
    assert senders == [(1087968824, GROUP, None), (777000, -1009, True), (136817688, -1008, None)]


async def test_an_edited_message(bot: Bot, people: People) -> None:
    said = await people.do("message", chat_id=ANN, user_id=ANN, text="hi")
    await people.do("edit", chat_id=ANN, message_id=said["message_id"], text="hello")
    assert (await bot.get_updates())[-1].edited_message.text == "hello"  # type: ignore[union-attr]


async def test_silence_is_asked_for(people: People) -> None:
    await people.do("chat", chat_id=ANN)
    await people.do("fail", error="timeout", times=1, seconds=20)
    with pytest.raises(httpx.ReadTimeout):
        await people.client.post(f"/bot{TOKEN}/sendMessage", json={"chat_id": ANN, "text": "x"}, timeout=0.3)
    assert await people.ask("sent") == []
