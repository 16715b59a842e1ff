"""Accounts at Indodax through the bot, as a person links and uses them; what is secret is deleted and shown nowhere."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import httpx
import pytest
import pytest_asyncio
from nats.aio.msg import Msg

from bot.requests import PromptRequests
from bot.trading.linking import may_be_secret
from bot.trading.state import Asking, HeldToken, TraderState
from bot.trading.tokens import Tokens
from consumers.execution.handlers import ExecutionPlan
from consumers.execution.handlers import run as run_execution
from consumers.portfolio.handlers import make_consumer
from contracts import codec, streams, subjects
from contracts.market import BookSnapshot
from contracts.services.trading.accounts import TokenIssued
from contracts.services.trading.sealed import SealedText
from runtime import clock
from runtime.clients.command_client import CommandClient
from runtime.nats.bus import Bus, BusOptions
from runtime.nats.kv.compared import ComparedBucket, Word
from runtime.nats.streams.past import read_past
from runtime.nats.streams.reader import ALL
from runtime.servers.embedded import NatsServer
from tests.api.world import Store
from tests.bot.trading.conftest import SECRET as SEALING
from tests.bot.trading.conftest import database, deleted, somebody
from tests.bot.world import GROUP, Person, StartBot, labels, text_of
from tests.consumers.execution.stage import Stage
from tests.consumers.execution.venues.indodax_world import IndodaxWorld
from tests.consumers.execution.venues.world import KEY, SECRET, World, serving
from tests.running import running
from tests.serving import serve

pytestmark = [pytest.mark.nats, pytest.mark.timeout(180)]
MakePerson = Callable[..., Person]
DESTROY = "🗑 Unlink and destroy the key"
NOWHERE = "nats://127.0.0.1:9"
TAIL = "indodax.BTC.IDR.spot"


class NowWorld(IndodaxWorld):
    """Indodax at the time that it is."""

    @property
    def now_us(self) -> int:
        return clock.now_ns() // 1000


@dataclass
class Linked:
    """Indodax with an account, and a bus with execution and the portfolio."""

    indodax: NowWorld
    store: Store

    async def show(self) -> None:
        """Publish the book that Indodax shows, and put it where the market core has it."""
        bids, asks = ([(f"{price:f}", f"{amount:f}") for price, amount in side] for side in self.indodax.book())
        values: dict[str, Any] = dict.fromkeys(BookSnapshot.model_fields)
        now = clock.now_ns()
        values |= {"id": f"{TAIL}.book.{now}", "venue": "indodax", "symbol": "BTC/IDR", "ts_recv": now, "sim": False}
        values |= {"bids": bids, "asks": asks, "quality": "live", "unit": "base"}
        await self.store.bus.client.publish(f"{subjects.BOOK}{TAIL}", codec.encode(codec.fast(BookSnapshot)(**values)))
        await self.store.bus.client.flush()
        await self.store.put_book("indodax", "BTC/IDR", {"bids": bids, "asks": asks})
        await self.store.put_ticker("indodax", "BTC/IDR", bids[0][0])


@pytest_asyncio.fixture
async def linked(api_nats: NatsServer, store: Store, documents_url: str) -> AsyncGenerator[Linked]:
    """Execution that reaches the simulated Indodax, and the portfolio."""
    for stream in (streams.BOOKS, streams.TRADING, f"KV_{streams.TRADERS}"):
        await store.bus.jetstream().purge_stream(stream)
    await store.put_listing((("indodax", "BTC/IDR", "btcidr"),))
    served: list[World] = []
    async with serving(served) as server:
        world = NowWorld("indodax", None, Stage())
        served.append(world)
        world.reset()
        plan = ExecutionPlan(
            documents=database(documents_url),
            venues={"indodax": str(server.make_url("/indodax"))},
            secrets=lambda: (SEALING,),
            pepper=lambda: b"pepper",
        )
        buses = [await Bus(BusOptions(servers=(api_nats.url,), name=name)).connect() for name in ("x", "p")]
        async with (
            running(buses[0], "execution", partial(run_execution, plan=plan)),
            running(buses[1], "portfolio", make_consumer(database(documents_url)).run),
        ):
            found = Linked(world, store)
            await found.show()
            yield found
        for bus in buses:
            await bus.close()


async def test_the_whole_way_from_link_to_unlink(
    start_bot: StartBot, linked: Linked, person: MakePerson, store: Store, capfd: pytest.CaptureFixture[str]
) -> None:
    seen: list[bytes] = []

    async def on_any(message: Msg) -> None:
        seen.append(message.data)

    for subject in (f"{subjects.TRADING_COMMAND}>", "_INBOX.>", "$KV.>", subjects.ALL_ORDERS, subjects.ALL_AUDIT):
        await store.bus.client.subscribe(subject, cb=on_any)
    await start_bot(secrets=(SEALING,))
    ann = person(somebody())
    asked = await ann.press(await ann.say("/link"), "indodax")
    assert "Send the key of indodax" in text_of(asked)
    key_id = (await ann.do("message", text=KEY))["message_id"]
    assert "Now the secret" in text_of(await ann.next({"sendMessage"}))
    secret_id = (await ann.do("message", text=SECRET))["message_id"]
    done = text_of(await ann.next({"sendMessage"}))
    assert "indodax at indodax is linked" in done
    assert "10,000,000,000 IDR" in done
    assert {key_id, secret_id} <= await deleted(ann)
    await linked.show()
    preview = await ann.say("/trade buy 0.01 BTC/IDR at 1000000000")
    assert "paper" not in text_of(preview)
    placed = await ann.press(preview, "✅ Place the order")
    assert "is open" in text_of(placed)
    (order,) = linked.indodax.orders()
    assert (order.side, order.status) == ("buy", "open")
    listed = await ann.say("/orders")
    (cancel,) = [one for one in labels(listed) if one.startswith("✖️")]
    assert "cancelled" in text_of(await ann.press(listed, cancel))
    assert linked.indodax.orders()[0].status == "cancelled"
    assert "BTC" in text_of(await ann.say("/portfolio IDR"))
    async with asyncio.timeout(30):  # what has ended is looked at once more before the account may go
        while "is destroyed" not in (gone := text_of(await ann.press(await ann.say("/unlink"), DESTROY))):
            assert "are not finished" in gone
    kept = await read_past(store.bus, f"KV_{streams.TRADERS}", (">",), ALL)
    everything = b"".join([*seen, *(row.payload for row in kept)]) + capfd.readouterr().out.encode()
    for planted in (KEY, SECRET):
        assert planted.encode() not in everything
    assert "paper" in text_of(await ann.say("/trade"))


async def test_a_link_in_one_line_is_deleted_and_a_kept_key_is_taken_up_again(
    start_bot: StartBot, linked: Linked, person: MakePerson
) -> None:
    await start_bot(secrets=(SEALING,))
    ann = person(somebody(), language_code="id")
    sent = await ann.do("message", text=f"/link indodax main {KEY} {SECRET}")
    assert "tertaut" in text_of(await ann.next({"sendMessage"}))
    assert sent["message_id"] in await deleted(ann)
    kept = await ann.press(await ann.say("/unlink main"), "🔓 Putuskan, simpan kunci")
    assert "tetap terenkripsi" in text_of(kept)
    await linked.show()
    refused = text_of(await ann.say("/trade beli 0.01 BTC/IDR di 1000000000"))
    assert "Tautan berakhir" in refused
    assert "tertaut kembali" in text_of(await ann.say("/link indodax main"))
    assert "Harga" in text_of(await ann.say("/trade beli 0.01 BTC/IDR di 1000000000"))


async def test_a_key_that_can_withdraw_is_refused_in_words(
    start_bot: StartBot, linked: Linked, person: MakePerson
) -> None:
    linked.indodax.side.exchange.add_account("rich-key-of-the-test", "its-secret", {"view", "trade", "withdraw"}, {})
    await start_bot(secrets=(SEALING,))
    ann = person(somebody())
    sent = await ann.do("message", text="/link indodax rich-key-of-the-test its-secret")
    assert "withdraw" in text_of(await ann.next({"sendMessage"}))
    assert sent["message_id"] in await deleted(ann)


async def test_a_secret_is_deleted_whatever_fails(
    start_bot: StartBot, person: MakePerson, api_nats: NatsServer
) -> None:
    await start_bot(NOWHERE, core=False, secrets=(SEALING,))
    ann = person(somebody())
    texts = (f"/link indodax main {KEY} {SECRET}", f"/link {SECRET}", "abcdefghijklmnop0123456789")
    for text in texts:
        sent = await ann.do("message", text=text)
        async with asyncio.timeout(20):
            while sent["message_id"] not in await deleted(ann):  # noqa: ASYNC110
                await asyncio.sleep(0.02)
    assert "data bus is not reachable" in text_of(await ann.say("/link indodax"))


async def test_a_key_in_a_group_is_not_taken(start_bot: StartBot, person: MakePerson) -> None:
    await start_bot(secrets=(SEALING,))
    ann = person(somebody(), GROUP, chat_type="supergroup")
    warned = text_of(await ann.say(f"/link indodax main {KEY} {SECRET}"))
    assert "Never write a key in a group" in warned


async def test_what_telegram_does_not_delete_is_said(
    start_bot: StartBot, linked: Linked, person: MakePerson, far_side: httpx.AsyncClient
) -> None:
    await start_bot(secrets=(SEALING,))
    ann = person(somebody())
    await far_side.post("/test/fail", json={"method": "deleteMessage", "error": "400", "times": 1})
    answer = text_of(await ann.say(f"/link indodax main {KEY} {SECRET}"))
    assert "delete it yourself now" in answer
    assert "is linked" in answer


async def test_without_a_secret_to_seal_with_no_key_is_taken(start_bot: StartBot, person: MakePerson) -> None:
    await start_bot()
    ann = person(somebody())
    assert "Switched off here" in text_of(await ann.say(f"/link indodax main {KEY} {SECRET}"))


@pytest.mark.parametrize(
    ("words", "secret"),
    [([], False), (["indodax"], False), (["Indodax"], False), (["k" * 40], True), (["indodax", "main"], True)],
)
def test_all_but_the_name_of_an_exchange_may_be_a_secret(words: list[str], *, secret: bool) -> None:
    assert may_be_secret(words) is secret


async def test_what_is_asked_in_the_moment_of_an_answer_is_what_it_answers(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    await store.bus.jetstream().purge_stream(f"KV_{streams.TRADERS}")
    state, raced, find = TraderState(store.bus), list[str](), ComparedBucket.find
    first, second = (Asking(what="secret", until=100.0, given={"venue": venue}) for venue in ("okx", "kraken"))

    async def find_then_lose(self: ComparedBucket, key: str) -> Word:
        """Another button is pressed between what is read and what is written, once."""
        word = await find(self, key)
        if not raced:
            raced.append(key)
            await state.ask(7, second)
        return word

    await state.ask(7, first)
    monkeypatch.setattr(ComparedBucket, "find", find_then_lose)
    assert await state.answered(7, 1.0) == second, "or a secret would be left in the chat"
    assert await state.answered(7, 1.0) is None


async def test_tokens_are_refreshed_before_they_end_and_forgotten_when_refused(
    api_nats: NatsServer, store: Store
) -> None:
    await store.bus.jetstream().purge_stream(f"KV_{streams.TRADERS}")
    state = TraderState(store.bus)
    begin = datetime(2026, 11, 26, tzinfo=UTC)
    moment = [begin.timestamp()]
    requested: list[bytes] = []
    sealed = SealedText(key_id="0" * 16, wrapped="w", body="first")
    replies = [
        TokenIssued(
            token=sealed.model_copy(update={"body": "second"}),
            expires_at=begin + timedelta(hours=36),
            rotate_at=begin + timedelta(hours=24),
        ).model_dump_json(),
        '{"error":{"code":"UNAUTHORIZED","message":"ended"}}',
    ]

    async def on_refresh(body: bytes) -> bytes:
        requested.append(body)
        return replies.pop(0).encode()

    await serve(store.bus, f"{subjects.TRADING_COMMAND}refresh_token", on_refresh)
    held = HeldToken(token=sealed, expires_at=begin + timedelta(hours=24), rotate_at=begin + timedelta(hours=12))
    await state.keep_token(7, "main", held)
    tokens = Tokens(PromptRequests(CommandClient(store.bus), lambda: True), state, 3600, lambda: moment[0])
    async with tokens.running():
        async with asyncio.timeout(30):
            while not state.tokens():  # noqa: ASYNC110
                await asyncio.sleep(0.01)
        await tokens.look()
        assert requested == []
        moment[0] += 12 * 3600
        await tokens.look()
        found, _ = await state.token(7, "main")
        assert found is not None
        assert found.token.body == "second"
        moment[0] += 24 * 3600
        await tokens.look()
        assert await state.token(7, "main") == (None, (await state.token(7, "main"))[1])
    assert b"telegram:7" in requested[0]
