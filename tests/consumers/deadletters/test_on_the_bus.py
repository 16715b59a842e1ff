"""Dead letters on a real bus: listed with their errors, published again for their one reader, removed."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import pytest

from consumers.deadletters.handlers import make_consumer
from contracts import subjects
from contracts.errors import ConflictError, NotFoundError
from contracts.services.deadletters import LetterQuery, LetterReply, ListQuery, ListReply
from runtime.clients.command_client import CommandClient
from runtime.nats.bus import Bus
from runtime.nats.deadletter import DeadLetters
from runtime.nats.streams.api import call
from tests.running import running

pytestmark = pytest.mark.nats
JOB = subjects.JOB + "webhook.x"
TRADE = subjects.TRADE + "binance.BTC.USDT.spot"


@asynccontextmanager
async def serving(bus: Bus) -> AsyncGenerator[CommandClient]:
    async with running(bus, "deadletters", make_consumer().run):
        yield CommandClient(bus)


async def make_letters(bus: Bus) -> None:
    for consumer, subject, body in (("webhooks", JOB, b'{"a":1}'), ("whales", TRADE, b"\xff" * 9000)):
        letters = DeadLetters(bus, consumer)
        letters.keep(subject, body, ValueError("it cannot be read: price"))
        await letters.flush()


async def listed(client: CommandClient, consumer: str | None = None) -> ListReply:
    return await client.request("deadletters.list", ListQuery(consumer=consumer), ListReply)


async def test_letters_are_listed_with_their_errors_the_newest_first(own: Bus) -> None:
    async with serving(own) as client:
        assert await listed(client) == ListReply(letters=[], total=0)
        await make_letters(own)
        found = await listed(client)
        assert [(letter.consumer, letter.subject, letter.retryable) for letter in found.letters] == [
            ("whales", TRADE, False),
            ("webhooks", JOB, True),
        ]
        assert {letter.error for letter in found.letters} == {"ValueError: it cannot be read: price"}
        assert (found.letters[0].size, len(found.letters[0].body)) == (9000, 4096)
        assert found.letters[1].body == '{"a":1}'
        assert [letter.consumer for letter in (await listed(client, "webhooks")).letters] == ["webhooks"]


async def test_what_has_one_reader_is_published_again_once_and_the_letter_is_gone(own: Bus) -> None:
    await make_letters(own)
    async with serving(own) as client:
        whales, webhooks = (await listed(client)).letters
        reply = await client.request("deadletters.retry", LetterQuery(id=webhooks.id), LetterReply)
        assert reply.letter == webhooks
        assert (await call(own, "STREAM.INFO.REMINDERS"))["state"]["messages"] == 1
        with pytest.raises(NotFoundError):
            await client.request("deadletters.retry", LetterQuery(id=webhooks.id), LetterReply)
        with pytest.raises(ConflictError, match="many readers"):
            await client.request("deadletters.retry", LetterQuery(id=whales.id), LetterReply)
        assert [letter.id for letter in (await listed(client)).letters] == [whales.id]


async def test_a_letter_is_removed(own: Bus) -> None:
    await make_letters(own)
    async with serving(own) as client:
        first, second = (await listed(client)).letters
        await client.request("deadletters.delete", LetterQuery(id=first.id), LetterReply)
        assert [letter.id for letter in (await listed(client)).letters] == [second.id]
        with pytest.raises(NotFoundError):
            await client.request("deadletters.delete", LetterQuery(id=first.id), LetterReply)
