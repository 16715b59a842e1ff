"""`POST /api/auth/admin/revoke`: a Telegram user's tokens end by force, for who has the internal secret only."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from secrets import token_hex
from typing import Any

import httpx
import pytest
import pytest_asyncio

from consumers.execution.account import Account
from consumers.execution.documents.accounts import AccountStore
from consumers.execution.handlers import ExecutionPlan
from consumers.execution.handlers import run as run_execution
from contracts import streams, subjects
from contracts.errors import UnauthorizedError
from contracts.services.access import Caller
from contracts.services.trading.accounts import TokenIssue, TokenIssued, TokenRefresh
from runtime.clients.command_client import CommandClient
from runtime.nats.bus import Bus, BusOptions
from runtime.nats.streams.past import read_past
from runtime.nats.streams.reader import ALL
from runtime.servers.embedded import NatsServer
from runtime.store import Store as Documents
from tests.api.trading.conftest import APP, SECRET, check, database
from tests.api.world import Api, Start, Store
from tests.consumers.execution.conftest import until
from tests.running import running

pytestmark = pytest.mark.nats
TOKEN = "an-internal-token"
PATH = "/api/auth/admin/revoke"
CALLER = Caller(actor="test")


@dataclass
class Linked:
    """A Telegram user with two accounts at an exchange."""

    api: Api
    bus: Bus
    user_id: int

    @property
    def owner(self) -> str:
        return f"telegram:{self.user_id}"

    async def revoke(self, body: Any, token: str | None = TOKEN) -> httpx.Response:
        headers = {} if token is None else {"X-Internal-Token": token}
        found = await self.api.client.post(PATH, json=body, headers=headers)
        check(found)
        return found

    async def issue(self, name: str) -> TokenIssued:
        request = TokenIssue(caller=CALLER, owner=self.owner, name=name)
        return await CommandClient(self.bus).request("trading.issue_token", request, TokenIssued)

    async def holds(self, name: str, issued: TokenIssued) -> bool:
        request = TokenRefresh(caller=CALLER, owner=self.owner, name=name, token=issued.token)
        try:
            await CommandClient(self.bus).request("trading.refresh_token", request, TokenIssued)
        except UnauthorizedError:
            return False
        return True


@pytest_asyncio.fixture
async def linked(api_nats: NatsServer, store: Store, start: Start, documents_url: str) -> Any:
    APP.openapi()  # made before a lease is held: it takes long
    url = database(documents_url)
    documents, user_id = Documents(url), int(token_hex(3), 16) + 1
    bus = await Bus(BusOptions(servers=(api_nats.url,), name="execution")).connect()
    await bus.jetstream().purge_stream(streams.AUDIT)
    plan = ExecutionPlan(documents=url, secrets=lambda: (SECRET,))
    async with running(bus, "execution", partial(run_execution, plan=plan)):
        for name in ("main", "second"):
            account = Account(
                id=token_hex(8),
                owner=f"telegram:{user_id}",
                name=name,
                venue="indodax",
                exchange="indodax",
                balance={},
                created_ns=1,
            )
            await AccountStore(documents).create(account)
        api = await start({"internal_token": TOKEN})
        yield Linked(api, store.bus, user_id)
    await bus.close()
    await documents.close()


async def test_revoke_ends_the_tokens_of_a_user_or_of_one_account(linked: Linked) -> None:
    main, second = await linked.issue("main"), await linked.issue("second")
    answer = await linked.revoke({"user_id": linked.user_id, "account": "main"})
    assert (answer.status_code, answer.json()) == (200, {"success": True, "message": "Tokens that were ended: 1"})
    assert not await linked.holds("main", main)
    assert await linked.holds("second", second)
    again = await linked.issue("main")
    assert (await linked.revoke({"user_id": linked.user_id})).json()["message"].endswith(": 2")
    assert not await linked.holds("main", again)
    assert not await linked.holds("second", second)
    assert (await linked.revoke({"user_id": linked.user_id})).json()["message"].endswith(": 0")

    async def audited() -> bool:
        rows = await read_past(linked.bus, streams.AUDIT, (subjects.ALL_AUDIT,), ALL)
        return [row.subject.decode().rsplit(".", 1)[1] for row in rows].count("revoke") == 3

    await until(audited)


async def test_revoke_is_for_who_has_the_secret(linked: Linked) -> None:
    issued, body = await linked.issue("main"), {"user_id": linked.user_id}
    for token in (None, "", "wrong", TOKEN[:-1], TOKEN + "x"):
        answer = await linked.revoke(body, token)
        assert (answer.status_code, answer.json()["error"]) == (401, "UNAUTHORIZED")
        assert TOKEN not in answer.text
    assert await linked.holds("main", issued)


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({}, 400, "INVALID_BODY"),
        ({"user_id": "7"}, 400, "INVALID_BODY"),
        ({"user_id": 0}, 400, "INVALID_BODY"),
        ({"user_id": 7, "account": "Main!"}, 400, "INVALID_BODY"),
        ({"user_id": 7, "more": 1}, 400, "INVALID_BODY"),
        ({"user_id": 7, "account": "other"}, 404, "NOT_FOUND"),
    ],
)
async def test_revoke_refuses_what_names_nobody(linked: Linked, body: Any, status: int, code: str) -> None:
    answer = await linked.revoke(body)
    assert (answer.status_code, answer.json()["error"]) == (status, code)


async def test_revoke_is_off_without_the_secret(start: Start) -> None:
    for token in (None, ""):
        api = await start({"internal_token": token})
        answer = await api.client.post(PATH, json={"user_id": 7}, headers={"X-Internal-Token": ""})
        assert (answer.status_code, answer.json()["error"]) == (503, "DISABLED")
