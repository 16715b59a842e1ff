"""The gateway on a real bus and a Bot API server that holds it to Telegram's limits; in every test none is broken."""

from __future__ import annotations

import ast
import asyncio
import base64
import re
from collections.abc import AsyncGenerator, Callable
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from consumers.telegram.core import Rules
from consumers.telegram.texts import digest
from contracts import streams, subjects
from contracts.errors import NotFoundError, NotReadyError
from contracts.services.explaining import Deliveries, FindDeliveries
from contracts.services.telegram.jobs import (
    ChatBlocked,
    ChatMigrated,
    ChatQuery,
    ChatReply,
    FindResult,
    GatewayQuery,
    GatewayStatus,
    MemberQuery,
    MemberReply,
    MembersReply,
    SendJob,
    SendReply,
    TelegramJob,
    TelegramResult,
    alert_job_id,
)
from contracts.services.telegram.operations import (
    OPERATIONS,
    ApproveJoin,
    BanMember,
    BanSender,
    Button,
    DeclineJoin,
    DeleteMessages,
    EditButtons,
    EditCaption,
    EditPhoto,
    EditText,
    LeaveChat,
    Operation,
    PinMessage,
    PromoteMember,
    RestrictMember,
    SendMessage,
    SendPhoto,
    SetPermissions,
    SetTitle,
    UnbanMember,
    UnbanSender,
    UnpinMessage,
)
from runtime.clients.command_client import CommandClient
from runtime.clock import now_ns
from runtime.nats.bus import Bus, BusOptions
from runtime.nats.streams.api import call
from runtime.servers.embedded import NatsServer
from tests.bot.simulator.test_methods import png
from tests.consumers.telegram.world import ANN, GROUP, World, world

pytestmark = [pytest.mark.nats, pytest.mark.timeout(120)]
PAGE = Path(__file__).parents[3] / "docs" / "TELEGRAM.md"
Eventually = Callable[..., Any]


@pytest_asyncio.fixture
async def here(own: Bus) -> AsyncGenerator[World]:
    async with world(own) as made:
        yield made


async def left(bus: Bus) -> int:
    return (await call(bus, f"STREAM.INFO.{streams.JOBS}"))["state"]["messages"]


async def result_of(here: World, job: TelegramJob, seconds: float = 20.0) -> TelegramResult:
    client = CommandClient(here.bus)
    async with asyncio.timeout(seconds):
        while True:
            try:
                query = FindResult(id=job.id, chat_id=job.chat_id)
                return await client.request("telegram.find", query, TelegramResult)
            except (NotFoundError, NotReadyError):  # not yet, or nobody sends at the moment
                await asyncio.sleep(0.02)


async def carry_out(here: World, name: str, operation: Operation, chat_id: int = GROUP) -> TelegramResult:
    result = await result_of(here, await here.queue(name, chat_id, operation=operation))
    assert (result.state, result.reason, result.op) == ("done", None, operation.op)
    return result


async def test_a_job_is_sent_recorded_and_forgotten(here: World, eventually: Eventually) -> None:
    async with here.gateway():
        here.do("chat", chat_id=GROUP, topics=[7])
        buttons = [[Button(text="More", data="more"), Button(text="Web", url="https://example.org/")]]
        operation = SendMessage(text="<b>BTC</b>", parse_mode="HTML", buttons=buttons)
        job = await here.queue("one", GROUP, operation=operation, thread_id=7)
        result = await result_of(here, job)
        row = here.sent[0]
        assert (row["text"], row["thread_id"], row["buttons"][0][0]) == ("BTC", 7, {"text": "More", "data": "more"})
        assert (result.state, result.message_id, result.attempts, result.chat_id) == (
            "done",
            row["message_id"],
            1,
            GROUP,
        )
    assert await left(here.bus) == 0
    assert [sample[:3] for sample in here.hops] == [("send", "all", "sendMessage")]


async def test_every_operation(here: World) -> None:
    for user_id in (ANN, 43, 44):
        here.do("message", chat_id=GROUP, user_id=user_id, text="hi")
        here.do("join_request", chat_id=GROUP, user_id=user_id + 10)
    photo = base64.b64encode(png()).decode()
    async with here.gateway():
        text = (await carry_out(here, "text", SendMessage(text="one", silent=True, reply_to=999))).message_id or 0
        picture = (
            await carry_out(here, "photo", SendPhoto(photo=photo, caption="*c*", parse_mode="MarkdownV2"))
        ).message_id or 0
        for number, operation in enumerate(
            (
                EditText(message_id=text, text="two", buttons=[[Button(text="Go")]]),
                EditButtons(message_id=text),
                EditCaption(message_id=picture, caption="d"),
                EditPhoto(message_id=picture, photo=base64.b64encode(png(50, 50)).decode(), caption="e"),
                PinMessage(message_id=text),
                UnpinMessage(),
                RestrictMember(user_id=ANN, permissions={"can_send_messages": False}),
                BanMember(user_id=43),
                UnbanMember(user_id=43),
                PromoteMember(user_id=44, rights={"can_pin_messages": True}),
                SetTitle(user_id=44, custom_title="Helper"),
                SetPermissions(permissions={"can_send_messages": True}),
                BanSender(sender_chat_id=-1005),
                UnbanSender(sender_chat_id=-1005),
                ApproveJoin(user_id=52),
                DeclineJoin(user_id=53),
                DeleteMessages(message_ids=[text, picture]),
                LeaveChat(),
            )
        ):
            await carry_out(here, f"act {number}", operation)
    methods = {row["method"] for row in here.sent}
    named = {model.model_fields["op"].default for model in OPERATIONS}
    assert methods == named
    assert [row["silent"] for row in here.sent[:1]] == [True]


async def test_the_same_id_is_sent_once(here: World, eventually: Eventually) -> None:
    async with here.gateway():
        job = await here.queue("same", ANN, "once")
        await result_of(here, job)
        await here.bus.publish_acked(
            job.subject, job.model_dump_json().encode(), headers={"Nats-Msg-Id": "another copy"}, stream=streams.JOBS
        )
        await result_of(here, await here.queue("later", ANN))
        assert here.texts == ["once", "later"]
    assert await left(here.bus) == 0


async def test_formatting_that_cannot_be_parsed_is_left_out(here: World) -> None:
    async with here.gateway():
        job = await here.queue("bad", ANN, operation=SendMessage(text="<b>5 &lt; 6</i>", parse_mode="HTML"))
        result = await result_of(here, job)
        assert (result.state, result.plain, here.texts) == ("done", True, ["5 < 6"])


async def test_a_topic_that_is_gone_costs_no_message(here: World) -> None:
    async with here.gateway():
        assert (await result_of(here, await here.queue("topic", GROUP, thread_id=99))).state == "done"
        assert here.sent[0]["thread_id"] is None


async def test_what_telegram_refuses_is_recorded_and_its_neighbours_go_on(here: World) -> None:
    async with here.gateway():
        refused = await result_of(here, await here.queue("nobody", 999))
        assert (refused.state, refused.error_code, refused.reason) == ("failed", 400, "Bad Request: chat not found")
        broken = await here.queue("broken", ANN, operation=SendPhoto(photo="no base64!"))
        assert (await result_of(here, broken)).state == "failed"
        await here.bus.publish_acked(
            f"{subjects.TELEGRAM_JOB}5.normal", b"{}", headers={"Nats-Msg-Id": "x"}, stream=streams.JOBS
        )
        assert (await result_of(here, await here.queue("good", ANN))).state == "done"
    assert await left(here.bus) == 0
    letters = (await call(here.bus, f"STREAM.INFO.{streams.DLQ}"))["state"]["messages"]
    assert letters == 1


async def test_a_chat_that_blocked_the_bot_is_announced_and_what_waits_for_it_is_dropped(here: World) -> None:
    found: list[ChatBlocked] = []

    async def on_blocked(message: Any) -> None:
        found.append(ChatBlocked.model_validate_json(message.data))

    await here.bus.client.subscribe(f"{subjects.TELEGRAM_BLOCKED}>", cb=on_blocked)
    here.do("block", user_id=ANN)
    jobs = [await here.queue(f"to ann {number}", ANN) for number in range(5)]
    async with here.gateway():
        states = [(await result_of(here, job)).state for job in jobs]
        assert states == ["failed", "dropped", "dropped", "dropped", "dropped"]
        assert [(one.chat_id, one.reason) for one in found] == [(ANN, "Forbidden: bot was blocked by the user")]
        here.do("block", user_id=ANN, blocked=False)
        assert (await result_of(here, await here.queue("again", ANN))).state == "done"


async def test_what_waits_for_a_group_goes_to_the_supergroup_that_it_became(here: World) -> None:
    found: list[ChatMigrated] = []

    async def on_migrated(message: Any) -> None:
        found.append(ChatMigrated.model_validate_json(message.data))

    await here.bus.client.subscribe(f"{subjects.TELEGRAM_MIGRATED}>", cb=on_migrated)
    here.do("chat", chat_id=-77)
    jobs = [await here.queue(f"job {number}", -77) for number in range(3)]
    moved = here.do("migrate", chat_id=-77)["chat_id"]
    async with here.gateway():
        results = [await result_of(here, job) for job in jobs]
        assert {(one.state, one.chat_id, one.asked_chat_id) for one in results} == {("done", moved, -77)}
        assert [(one.chat_id, one.new_chat_id) for one in found] == [(-77, moved)]
    async with here.gateway():
        assert (await result_of(here, await here.queue("afterwards", -77))).attempts == 1
    assert [row["chat_id"] for row in here.sent] == [moved] * 4


async def test_an_urgent_job_goes_before_those_that_wait(here: World) -> None:
    for number in range(10):
        await here.queue(f"low {number}", ANN, priority="low")
        await here.queue(f"normal {number}", ANN)
    await here.queue("now", ANN, priority="urgent")
    async with here.gateway():
        last = await here.queue("last", ANN, priority="low")
        await result_of(here, last)
    order = here.texts
    assert order[0] == "now"
    assert order[1:11] == [f"normal {number}" for number in range(10)]
    assert order[11:] == [*(f"low {number}" for number in range(10)), "last"]


async def test_alerts_that_pile_up_become_one_message_each_with_its_result(here: World) -> None:
    jobs = [await here.queue(f"alert {number}", GROUP, digest=f"line {number}") for number in range(60)]
    own = await here.queue("not an alert", GROUP)
    async with here.gateway(Rules(digest=digest, digest_after=0.5)):
        results = [await result_of(here, job) for job in (*jobs, own)]
    states = [one.state for one in results]
    assert set(states[:-1]) <= {"done", "digested"}
    assert states.count("digested") >= 50
    assert states[-1] == "done"
    shown = "\n".join(here.texts)
    assert all(f"alert {number}\n" in f"{shown}\n" or f"line {number}\n" in f"{shown}\n" for number in range(60))
    assert len(here.texts) < 15


async def test_what_is_too_old_is_dropped_with_a_record(here: World) -> None:
    old = await here.queue("old", ANN, expires=now_ns() - 1)
    fresh = await here.queue("fresh", ANN, expires=now_ns() + 60 * 10**9)
    async with here.gateway():
        assert ((await result_of(here, old)).state, (await result_of(here, old)).reason) == ("dropped", "too old")
        assert (await result_of(here, fresh)).state == "done"
    assert here.texts == ["fresh"]


async def test_a_chat_waits_as_long_as_telegram_says_and_others_do_not(here: World) -> None:
    here.fail(error="429", chat_id=ANN, times=1, seconds=20)
    async with here.gateway():
        slow = await here.queue("slow", ANN)
        quick = [await here.queue(f"quick {number}", GROUP) for number in range(5)]
        for job in quick:
            await result_of(here, job)
        assert "slow" not in here.texts
        assert (await result_of(here, slow)).attempts == 2


async def test_telegram_away_loses_nothing(here: World) -> None:
    here.fail(error="500", times=3)
    async with here.gateway():
        jobs = [await here.queue(f"job {number}", 42 if number % 2 else GROUP) for number in range(4)]
        assert {(await result_of(here, job, 40)).state for job in jobs} == {"done"}
    assert sorted(here.texts) == sorted(job.id for job in jobs)


async def test_a_clean_stop_and_a_start_lose_and_repeat_nothing(here: World) -> None:
    jobs = [await here.queue(f"job {number}", -500 - number % 40) for number in range(200)]
    for number in range(40):
        here.do("chat", chat_id=-500 - number)
    async with here.gateway():
        while len(here.texts) < 20:  # noqa: ASYNC110
            await asyncio.sleep(0.005)
    between = len(here.texts)
    assert 0 < between < 200
    async with here.gateway():
        for job in jobs:
            await result_of(here, job, 40)
    assert sorted(here.texts) == sorted(job.id for job in jobs)


async def deliveries(here: World, **fields: Any) -> list[tuple[str, str, str | None]]:
    asked: dict[str, Any] = {"since": now_ns() - 10**9, **fields}
    query = FindDeliveries(id="whale.1", **asked)
    found = await CommandClient(here.bus).request("telegram.deliveries", query, Deliveries)
    assert all((one.at is None) == (one.state == "waiting") for one in found.deliveries)
    return sorted((one.target, one.state, one.reason) for one in found.deliveries)


async def test_messages_of_an_alert_are_found_by_who_asks(here: World) -> None:
    here.fail(error="429", chat_id=GROUP, times=1, seconds=2000)
    async with here.gateway():
        late: dict[str, Any] = {"expires": now_ns() - 1}
        named: list[tuple[int, dict[str, Any]]] = [(ANN, {}), (777, {}), (778, {}), (43, late), (GROUP, {})]
        for chat_id, fields in named:
            job = await here.queue(alert_job_id("whale.1", chat_id, None), chat_id, **fields)
            await here.queue(alert_job_id("whale.11", chat_id, 7), chat_id, expires=now_ns() - 1)
            if chat_id != GROUP:
                await result_of(here, job)
        await result_of(here, await here.queue(alert_job_id("whale.11", 43, None), 43, expires=now_ns() - 1))
        refused = "Bad Request: chat not found"
        every = [("42", "done", None), ("43", "failed", "too old"), (str(GROUP), "waiting", None)]
        every += [("777", "failed", refused), ("778", "failed", refused)]
        assert await deliveries(here) == sorted(every)
        mine = [("42", "done", None), ("1 chat", "failed", "too old"), ("1 chat", "waiting", None)]
        assert await deliveries(here, owner="telegram:42") == sorted([*mine, ("2 chats", "failed", refused)])
        assert await deliveries(here, owner="alice", chat=43) == [("43", "failed", "too old")]
        assert await deliveries(here, since=now_ns() - 3 * 3600 * 10**9) == [(str(GROUP), "waiting", None)]


async def test_commands_answer(here: World) -> None:
    client = CommandClient(here.bus)
    here.do("message", chat_id=GROUP, user_id=ANN, text="hi", first_name="Ann")
    here.do("member", chat_id=GROUP, user_id=43, status="administrator", rights={"can_pin_messages": True})
    async with here.gateway():
        send = SendJob(
            job=TelegramJob(id="quick", chat_id=ANN, operation=SendMessage(text="x"), priority="urgent"), wait_seconds=5
        )
        sent = await client.request("telegram.send", send, SendReply)
        assert sent.result is not None
        assert (sent.queued, sent.result.state, sent.result.message_id) == (True, "done", here.sent[-1]["message_id"])
        again = await client.request("telegram.send", send, SendReply)
        assert again.result == sent.result
        chat = await client.request("telegram.chat", ChatQuery(chat_id=GROUP), ChatReply)
        assert (chat.type, chat.members, chat.permissions["can_send_messages"]) == ("supergroup", 3, True)
        member = await client.request("telegram.member", MemberQuery(chat_id=GROUP, user_id=ANN), MemberReply)
        assert (member.first_name, member.status) == ("Ann", "member")
        admins = await client.request("telegram.administrators", ChatQuery(chat_id=GROUP), MembersReply)
        assert [(one.user_id, one.rights["can_pin_messages"]) for one in admins.items] == [(1234567, True), (43, True)]
        status = await client.request("telegram.status", GatewayQuery(), GatewayStatus)
        assert (status.bot["id"], sum(status.waiting.values()), status.paused_seconds < 2) == (1234567, 0, True)
        with pytest.raises(NotFoundError):
            await client.request("telegram.chat", ChatQuery(chat_id=999), ChatReply)


@pytest.mark.docs
async def test_the_example_of_the_page_works(here: World) -> None:
    (example,) = re.findall(r"```python\n(.*?)```", PAGE.read_text(), re.DOTALL)
    found: dict[str, Any] = {"bus": here.bus, "CommandClient": CommandClient}
    async with here.gateway():
        work = eval(compile(example, str(PAGE), "exec", ast.PyCF_ALLOW_TOP_LEVEL_AWAIT), found)
        await work
    assert found["reply"].result.state == "done"
    assert here.texts == ["BTC 91000"]


async def test_one_sends_and_another_takes_over_when_it_stops(here: World, server: NatsServer) -> None:
    second = await Bus(BusOptions(servers=(server.url,), name="second")).connect()
    async with AsyncExitStack() as both:
        async with here.gateway():
            await both.enter_async_context(here.gateway(bus=second))  # ready, which is standing by
            assert (await result_of(here, await here.queue("by the first", ANN))).state == "done"
        assert (await result_of(here, await here.queue("by the second", ANN), 40)).state == "done"
    await second.close()
    assert here.texts == ["by the first", "by the second"]
