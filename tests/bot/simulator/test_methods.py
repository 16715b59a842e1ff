"""Every method as python-telegram-bot calls it: its answers are read by that library, its refusals are its errors."""

from __future__ import annotations

import io
import struct
import zlib

import pytest
from telegram import (
    Bot,
    BotCommand,
    ChatMemberAdministrator,
    ChatMemberBanned,
    ChatMemberLeft,
    ChatMemberMember,
    ChatMemberRestricted,
    ChatPermissions,
    InlineKeyboardButton,
    InlineKeyboardMarkup,
    InlineQueryResultArticle,
    InputMediaPhoto,
    InputTextMessageContent,
    ReplyParameters,
)
from telegram.error import BadRequest, ChatMigrated, Forbidden, InvalidToken, RetryAfter

from tests.bot.simulator.conftest import ANN, BOB, EVE, GROUP, People


def png(width: int = 40, height: int = 30) -> bytes:
    """A grey picture."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    rows = b"".join(b"\0" + b"\x80" * width for _ in range(height))
    head = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


def keyboard(*labels: str) -> InlineKeyboardMarkup:
    return InlineKeyboardMarkup([[InlineKeyboardButton(label, callback_data=f"do:{label}") for label in labels]])


async def test_the_account(bot: Bot) -> None:
    me = await bot.get_me()
    assert (me.id, me.is_bot, me.username, me.can_read_all_group_messages) == (
        1234567,
        True,
        "hydrophone_test_bot",
        False,
    )
    assert await bot.set_my_commands([BotCommand("price", "What it costs")])
    assert [one.command for one in await bot.get_my_commands()] == ["price"]
    assert await bot.get_my_commands(language_code="id") == ()
    assert await bot.delete_my_commands()
    assert await bot.get_my_commands() == ()
    assert await bot.set_my_description("Prices")
    assert (await bot.get_my_description()).description == "Prices"
    assert (await bot.get_my_name()).name == "Hydrophone"
    with pytest.raises(BadRequest, match="Bot_command_invalid"):
        await bot.set_my_commands([BotCommand("Price", "Capital letters")])


async def test_another_token_is_refused(people: People) -> None:
    with pytest.raises(InvalidToken):
        await Bot("1234567:another", base_url=f"{people.url}/bot").initialize()


async def test_a_method_that_does_not_exist(people: People) -> None:
    answer = await people.client.get("/bot1234567:a-token-of-tests/sendEverything")
    assert (answer.status_code, answer.json()) == (404, {"ok": False, "error_code": 404, "description": "Not Found"})


@pytest.mark.parametrize("way", ["query", "json", "form", "multipart"])
async def test_parameters_come_in_every_form(people: People, way: str) -> None:
    await people.do("chat", chat_id=ANN)
    url = "/bot1234567:a-token-of-tests/SENDmessage"
    fields = {"chat_id": str(ANN), "text": "hi", "disable_notification": "true"}
    match way:
        case "query":
            answer = await people.client.get(url, params=fields)
        case "json":
            answer = await people.client.post(url, json={"chat_id": ANN, "text": "hi", "disable_notification": True})
        case "form":
            answer = await people.client.post(url, data=fields)
        case _:
            answer = await people.client.post(url, data=fields, files={"unused": ("x", b"y")})
    assert answer.json()["result"]["text"] == "hi"
    assert (await people.ask("sent", chat_id=ANN))[0]["silent"] is True


async def test_texts(bot: Bot, people: People) -> None:
    await people.do("message", chat_id=ANN, user_id=ANN, text="hello", first_name="Ann")
    sent = await bot.send_message(ANN, "<b>BTC</b> &lt; 5", parse_mode="HTML", reply_markup=keyboard("More", "Less"))
    assert (sent.text, sent.chat.type, sent.from_user.id if sent.from_user else 0) == ("BTC < 5", "private", 1234567)
    assert [(one.type, one.offset, one.length) for one in sent.entities] == [("bold", 0, 3)]
    row = (await people.ask("sent", chat_id=ANN))[0]
    assert (row["message_id"], row["method"], row["text"], row["photo"]) == (sent.id, "sendMessage", "BTC < 5", False)
    assert row["buttons"] == [[{"text": "More", "data": "do:More"}, {"text": "Less", "data": "do:Less"}]]
    assert await people.ask("sent", chat_id=BOB) == []
    assert await people.ask("sent", chat_id=ANN, after=sent.id) == []


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"text": " \n"}, "Message text is empty"),
        ({"text": "a" * 4097}, "Message is too long"),
        ({"text": "<b>x", "parse_mode": "HTML"}, "Can't parse entities: can't find end tag"),
        ({"text": "a.b", "parse_mode": "MarkdownV2"}, "Can't parse entities: character '.' is reserved"),
        ({"text": "x", "parse_mode": "BBCode"}, "Unsupported parse_mode"),
        ({"text": "x", "reply_parameters": ReplyParameters(999)}, "Message to be replied not found"),
        ({"text": "x", "message_thread_id": 9}, "Message thread not found"),
        ({"text": "x", "reply_markup": keyboard("é" * 31)}, "Button_data_invalid"),
    ],
    ids=["empty", "long", "html", "markdown", "mode", "reply", "thread", "button"],
)
async def test_texts_that_are_refused(bot: Bot, people: People, given: dict[str, object], words: str) -> None:
    await people.do("chat", chat_id=ANN)
    with pytest.raises(BadRequest) as caught:
        await bot.send_message(ANN, **given)  # type: ignore[arg-type]
    assert caught.value.message.lower().startswith(words.lower())
    assert await people.ask("sent") == []


async def test_the_longest_that_may_be_is_taken(bot: Bot, people: People) -> None:
    await people.do("chat", chat_id=ANN)
    assert len((await bot.send_message(ANN, "<i>" + "a" * 4096 + "</i>", parse_mode="HTML")).text or "") == 4096
    assert len((await bot.send_photo(ANN, png(), caption="b" * 1024)).caption or "") == 1024
    assert (await bot.send_message(ANN, "x", reply_markup=keyboard("a" * 61))).reply_markup is not None
    with pytest.raises(BadRequest, match="caption is too long"):
        await bot.send_photo(ANN, png(), caption="b" * 1025)


async def test_a_chat_that_nobody_knows(bot: Bot) -> None:
    with pytest.raises(BadRequest, match="Chat not found"):
        await bot.send_message(999, "x")


async def test_edits(bot: Bot, people: People) -> None:
    await people.do("chat", chat_id=ANN)
    sent = await bot.send_message(ANN, "one", reply_markup=keyboard("Go"))
    edited = await bot.edit_message_text("two", ANN, sent.id, reply_markup=keyboard("Back"))
    assert not isinstance(edited, bool)
    assert (edited.id, edited.text, edited.edit_date is not None) == (sent.id, "two", True)
    with pytest.raises(BadRequest, match="Message is not modified"):
        await bot.edit_message_text("two", ANN, sent.id, reply_markup=keyboard("Back"))
    assert await bot.edit_message_reply_markup(ANN, sent.id, reply_markup=None)
    with pytest.raises(BadRequest, match="Message to edit not found"):
        await bot.edit_message_text("two", ANN, 9999)
    mine = await people.do("message", chat_id=ANN, user_id=ANN, text="of a person")
    with pytest.raises(BadRequest, match="Message can't be edited"):
        await bot.edit_message_text("two", ANN, mine["message_id"])
    with pytest.raises(BadRequest, match="no caption in the message"):
        await bot.edit_message_caption(ANN, sent.id, caption="x")
    rows = await people.ask("sent", chat_id=ANN, after=sent.id)
    assert [(row["method"], row["message_id"], row["text"], row["buttons"]) for row in rows] == [
        ("editMessageText", sent.id, "two", [[{"text": "Back", "data": "do:Back"}]]),
        ("editMessageReplyMarkup", sent.id, "two", []),
    ]


async def test_pictures(bot: Bot, people: People) -> None:
    await people.do("chat", chat_id=ANN)
    sent = await bot.send_photo(ANN, png(), caption="*BTC*", parse_mode="MarkdownV2")
    assert [(size.width, size.height) for size in sent.photo] == [(40, 30)]
    assert (sent.caption, sent.caption_entities[0].type) == ("BTC", "bold")
    row = (await people.ask("sent"))[0]
    assert (row["photo"], row["caption"], row["text"]) == (True, "BTC", None)
    shown = await people.client.get(f"/test/file/{row['file_id']}")
    assert (shown.content, shown.headers["content-type"]) == (png(), "image/png")
    held = await (await bot.get_file(sent.photo[-1].file_id)).download_as_bytearray()
    assert bytes(held) == png()
    again = await bot.send_photo(ANN, sent.photo[-1].file_id)
    assert again.photo[-1].file_unique_id == sent.photo[-1].file_unique_id
    edited = await bot.edit_message_media(InputMediaPhoto(png(60, 50), caption="new"), ANN, sent.id)
    assert not isinstance(edited, bool)
    assert (edited.photo[-1].width, edited.caption) == (60, "new")
    captioned = await bot.edit_message_caption(ANN, sent.id, caption="newer")
    assert not isinstance(captioned, bool)
    assert captioned.caption == "newer"
    album = await bot.send_media_group(ANN, [InputMediaPhoto(png(10, 10)), InputMediaPhoto(png(20, 20))])
    assert len({one.media_group_id for one in album}) == 1
    with pytest.raises(BadRequest, match="Image_process_failed"):
        await bot.send_photo(ANN, b"no picture at all")
    with pytest.raises(BadRequest, match="Wrong file identifier"):
        await bot.send_photo(ANN, "nobody-knows-it")
    with pytest.raises(BadRequest, match="no text in the message"):
        await bot.edit_message_text("x", ANN, sent.id)
    document = await bot.send_document(ANN, io.BytesIO(b"a,b"), filename="trades.csv")
    assert document.document is not None
    assert document.document.file_name == "trades.csv"


async def test_deleting(bot: Bot, people: People) -> None:
    await people.do("chat", chat_id=GROUP)
    sent = [(await bot.send_message(GROUP, str(number))).id for number in range(3)]
    assert await bot.delete_message(GROUP, sent[0])
    with pytest.raises(BadRequest, match="Message to delete not found"):
        await bot.delete_message(GROUP, sent[0])
    assert await bot.delete_messages(GROUP, [*sent, 999])
    assert (await people.ask("chat", chat_id=GROUP))["messages"] == []
    theirs = await people.do("message", chat_id=GROUP, user_id=ANN, text="spam")
    await people.do("member", chat_id=GROUP, user_id=1234567, status="administrator", rights={"can_pin_messages": True})
    with pytest.raises(BadRequest, match="Message can't be deleted"):
        await bot.delete_message(GROUP, theirs["message_id"])


async def test_copies_and_forwards(bot: Bot, people: People) -> None:
    await people.do("message", chat_id=ANN, user_id=ANN, text="hi")
    theirs = await people.do("message", chat_id=GROUP, user_id=BOB, text="worth it")
    assert (await bot.copy_message(ANN, GROUP, theirs["message_id"])).message_id > theirs["message_id"]
    forwarded = await bot.forward_message(ANN, GROUP, theirs["message_id"])
    assert (forwarded.text, forwarded.forward_origin is not None) == ("worth it", True)


async def test_members(bot: Bot, people: People) -> None:
    for user_id in (ANN, BOB):
        await people.do("message", chat_id=GROUP, user_id=user_id, text="hi")
    await people.do("member", chat_id=GROUP, user_id=EVE, status="creator")
    assert await bot.get_chat_member_count(GROUP) == 4
    assert isinstance(await bot.get_chat_member(GROUP, ANN), ChatMemberMember)
    assert {one.user.id for one in await bot.get_chat_administrators(GROUP)} == {1234567, EVE}
    assert await bot.restrict_chat_member(GROUP, ANN, ChatPermissions.no_permissions(), until_date=4_000_000_000)
    muted = await bot.get_chat_member(GROUP, ANN)
    assert isinstance(muted, ChatMemberRestricted)
    assert not muted.can_send_messages
    assert await people.try_to("message", chat_id=GROUP, user_id=ANN, text="x") == (403, "may not write in this chat")
    assert await bot.restrict_chat_member(GROUP, ANN, ChatPermissions.all_permissions())
    assert isinstance(await bot.get_chat_member(GROUP, ANN), ChatMemberMember)
    assert await bot.ban_chat_member(GROUP, ANN)
    assert isinstance(await bot.get_chat_member(GROUP, ANN), ChatMemberBanned)
    assert (await people.try_to("join", chat_id=GROUP, user_id=ANN))[0] == 403
    assert await bot.unban_chat_member(GROUP, ANN, only_if_banned=True)
    assert isinstance(await bot.get_chat_member(GROUP, ANN), ChatMemberLeft)
    assert await bot.promote_chat_member(GROUP, BOB, can_pin_messages=True)
    assert await bot.set_chat_administrator_custom_title(GROUP, BOB, "Helper")
    helper = await bot.get_chat_member(GROUP, BOB)
    assert isinstance(helper, ChatMemberAdministrator)
    assert (helper.can_pin_messages, helper.can_restrict_members, helper.custom_title) == (True, False, "Helper")
    done = [row["method"] for row in await people.ask("sent", chat_id=GROUP)]
    assert done[:2] == ["restrictChatMember", "restrictChatMember"]
    assert done[-2:] == ["promoteChatMember", "setChatAdministratorCustomTitle"]


async def test_a_restriction_ends_by_itself(bot: Bot, people: People) -> None:
    await people.do("message", chat_id=GROUP, user_id=ANN, text="hi")
    world = people.server.world
    await bot.restrict_chat_member(GROUP, ANN, ChatPermissions.no_permissions(), until_date=world.moment.date + 60)
    assert isinstance(await bot.get_chat_member(GROUP, ANN), ChatMemberRestricted)
    world.chats[GROUP].members[ANN].until = world.moment.date - 1
    assert isinstance(await bot.get_chat_member(GROUP, ANN), ChatMemberMember)


@pytest.mark.parametrize(
    ("user_id", "words"),
    [
        (EVE, "Can't remove chat owner"),
        (BOB, "User is an administrator"),
        (1234567, "Can't restrict self"),
        (999, "User not found"),
    ],
    ids=["owner", "administrator", "itself", "nobody"],
)
async def test_who_cannot_be_banned(bot: Bot, people: People, user_id: int, words: str) -> None:
    await people.do("member", chat_id=GROUP, user_id=EVE, status="creator")
    await people.do("member", chat_id=GROUP, user_id=BOB, status="administrator")
    with pytest.raises(BadRequest, match=words):
        await bot.ban_chat_member(GROUP, user_id)


async def test_what_the_bot_may_not_do(bot: Bot, people: People) -> None:
    theirs = await people.do("message", chat_id=GROUP, user_id=ANN, text="hi")
    await people.do("member", chat_id=GROUP, user_id=1234567, status="member")
    for refused in (
        bot.ban_chat_member(GROUP, ANN),
        bot.restrict_chat_member(GROUP, ANN, ChatPermissions.no_permissions()),
        bot.promote_chat_member(GROUP, ANN, can_pin_messages=True),
        bot.pin_chat_message(GROUP, theirs["message_id"]),
        bot.set_chat_permissions(GROUP, ChatPermissions.no_permissions()),
        bot.ban_chat_sender_chat(GROUP, -100999),
        bot.approve_chat_join_request(GROUP, ANN),
    ):
        with pytest.raises(BadRequest, match="Not enough rights"):
            await refused
    assert await people.ask("sent") == []


async def test_a_group_is_no_supergroup(bot: Bot, people: People) -> None:
    await people.do("message", chat_id=-77, user_id=ANN, text="hi")
    with pytest.raises(BadRequest, match="only for supergroups"):
        await bot.restrict_chat_member(-77, ANN, ChatPermissions.no_permissions())


async def test_chats(bot: Bot, people: People) -> None:
    await people.do("chat", chat_id=GROUP, title="Traders", username="traders", linked_chat_id=-1009, topics=[7])
    chat = await bot.get_chat("@traders")
    assert (chat.id, chat.title, chat.is_forum, chat.linked_chat_id) == (GROUP, "Traders", True, -1009)
    sent = await bot.send_message(GROUP, "in a topic", message_thread_id=7)
    assert (sent.message_thread_id, sent.is_topic_message) == (7, True)
    assert await bot.pin_chat_message(GROUP, sent.id)
    assert ((await bot.get_chat(GROUP)).pinned_message or sent).id == sent.id
    assert await bot.unpin_chat_message(GROUP)
    assert await bot.set_chat_permissions(GROUP, ChatPermissions(can_send_messages=True))
    with pytest.raises(BadRequest, match="Chat_not_modified"):
        await bot.set_chat_permissions(GROUP, ChatPermissions(can_send_messages=True))
    assert await bot.send_chat_action(GROUP, "typing")
    assert await bot.ban_chat_sender_chat(GROUP, -100555)
    assert (await people.try_to("message", chat_id=GROUP, user_id=ANN, sender_chat_id=-100555, text="ad"))[0] == 403
    assert await bot.unban_chat_sender_chat(GROUP, -100555)
    assert await bot.leave_chat(GROUP)
    with pytest.raises(Forbidden, match="not a member"):
        await bot.send_message(GROUP, "x")
    with pytest.raises(BadRequest, match="no administrators in the private chat"):
        await bot.get_chat_administrators((await people.do("chat", chat_id=ANN))["id"])


async def test_a_group_becomes_a_supergroup(bot: Bot, people: People) -> None:
    await people.do("message", chat_id=-77, user_id=ANN, text="hi")
    moved = (await people.do("migrate", chat_id=-77))["chat_id"]
    with pytest.raises(ChatMigrated) as caught:
        await bot.send_message(-77, "x")
    assert caught.value.new_chat_id == moved
    assert (await bot.send_message(moved, "x")).chat.type == "supergroup"
    kinds = [update.message for update in await bot.get_updates() if update.message]
    assert [(one.migrate_to_chat_id, one.migrate_from_chat_id) for one in kinds] == [
        (None, None),
        (moved, None),
        (None, -77),
    ]
    assert (await people.do("message", chat_id=-77, user_id=ANN, text="still"))["chat_id"] == moved


async def test_a_person_who_blocked_the_bot(bot: Bot, people: People) -> None:
    await people.do("message", chat_id=ANN, user_id=ANN, text="hi")
    await people.do("block", user_id=ANN)
    with pytest.raises(Forbidden, match="bot was blocked by the user"):
        await bot.send_message(ANN, "x")
    await people.do("block", user_id=ANN, blocked=False)
    assert await bot.send_message(ANN, "x")
    changes = [update.my_chat_member for update in await bot.get_updates() if update.my_chat_member]
    assert [one.new_chat_member.status for one in changes] == ["kicked", "member"]


async def test_queries(bot: Bot, people: People) -> None:
    await people.do("chat", chat_id=ANN)
    sent = await bot.send_message(ANN, "choose", reply_markup=keyboard("Go"))
    pressed = await people.do("press", chat_id=ANN, message_id=sent.id, user_id=ANN, text="Go")
    update = (await bot.get_updates())[-1]
    assert update.callback_query is not None
    assert (update.callback_query.data, update.callback_query.id) == ("do:Go", pressed["callback_query_id"])
    assert await bot.answer_callback_query(pressed["callback_query_id"], "Done", show_alert=True)
    with pytest.raises(BadRequest, match="Query is too old"):
        await bot.answer_callback_query(pressed["callback_query_id"])
    row = (await people.ask("sent", after=sent.id))[-1]
    assert (row["method"], row["text"], row["show_alert"], row["message_id"]) == (
        "answerCallbackQuery",
        "Done",
        True,
        sent.id,
    )
    assert (await people.try_to("press", chat_id=ANN, message_id=sent.id, user_id=ANN, text="No"))[0] == 400
    asked = await people.do("inline", user_id=ANN, query="BTC")
    article = InlineQueryResultArticle("1", "BTC", InputTextMessageContent("BTC costs"))
    assert await bot.answer_inline_query(asked["inline_query_id"], [article])
    assert (await people.ask("sent"))[-1]["results"][0]["title"] == "BTC"


async def test_join_requests(bot: Bot, people: People) -> None:
    for user_id in (ANN, BOB):
        await people.do("join_request", chat_id=GROUP, user_id=user_id, bio="hello")
    asked = [update.chat_join_request for update in await bot.get_updates() if update.chat_join_request]
    assert [one.from_user.id for one in asked] == [ANN, BOB]
    assert await bot.approve_chat_join_request(GROUP, ANN)
    assert await bot.decline_chat_join_request(GROUP, BOB)
    assert isinstance(await bot.get_chat_member(GROUP, ANN), ChatMemberMember)
    with pytest.raises(BadRequest, match="Hide_requester_missing"):
        await bot.approve_chat_join_request(GROUP, BOB)


@pytest.mark.parametrize(
    ("error", "raised"),
    [("429", RetryAfter), ("403", Forbidden), ("400", BadRequest), ("migrate", ChatMigrated)],
)
async def test_failures_that_are_asked_for(bot: Bot, people: People, error: str, raised: type[Exception]) -> None:
    await people.do("chat", chat_id=-77)
    await people.do("fail", method="sendMessage", chat_id=-77, error=error, times=2, seconds=7)
    await people.do("chat", chat_id=-78)
    assert await bot.send_message(-78, "another chat")
    assert await bot.get_chat(-77)
    with pytest.raises(raised):
        await bot.send_message(-77, "x")
    with pytest.raises(raised) as caught:
        await bot.send_message(-77, "x")
    if isinstance(caught.value, RetryAfter):
        assert caught.value._retry_after.total_seconds() == 7
    if error != "migrate":
        assert await bot.send_message(-77, "x")
