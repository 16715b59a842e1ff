"""Every user of a service against every kind of subject, on a real server: allowed exactly where it is declared."""

from __future__ import annotations

from collections.abc import AsyncGenerator

import pytest
import pytest_asyncio

from contracts.users.declared import USERS
from contracts.users.permissions import allows, inbox_of, permissions_of
from runtime.servers.embedded import NatsServer, nats_server
from tests.runtime.users.matrix import refused_to, subjects

pytestmark = [pytest.mark.nats, pytest.mark.asyncio(loop_scope="module")]
EVERY = subjects()
NOBODYS = {"$SYS.x", "$JS.API.STREAM.DELETE.TRADING", "$JS.API.STREAM.PURGE.DLQ", "$JS.API.STREAM.SNAPSHOT.KV_ACCESS"}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def server(tmp_path_factory: pytest.TempPathFactory) -> AsyncGenerator[NatsServer]:
    async with nats_server(tmp_path_factory.mktemp("matrix")) as running:
        yield running


@pytest.mark.parametrize("user", USERS)
async def test_a_user_may_do_what_its_services_need_and_nothing_else(user: str, server: NatsServer) -> None:
    may = permissions_of(user)
    publish, subscribe = await refused_to(server.url_of(user), EVERY)
    assert publish == {subject.lower() for subject in EVERY if not allows(may.publish, subject)}
    assert subscribe == {subject.lower() for subject in EVERY if not allows(may.subscribe, subject)}
    assert {subject.lower() for subject in NOBODYS} <= publish


@pytest.mark.parametrize(
    ("user", "publishes", "hears"),
    [
        ("whales", {"signal.v1.whale.x.x.x.x", "$KV.POSITIONS.x", "dlq.v1.whales.x"}, {"cmd.v1.whales.why"}),
        ("analytics", {"$JS.ACK.ANALYTICS.analytics.1.1.1.1.0"}, {"cmd.v1.analytics.stats"}),
        ("mcp", {"cmd.v1.market.raw", "cmd.v1.trading.create_order"}, set[str]()),
        ("replay", {"rp.x.x"}, set[str]()),
        ("bot", {"cmd.v1.trading.create_order", "$KV.TRADERS.x", "job.v1.telegram.x.x"}, {"community.v1.x.x"}),
        ("api", {"$KV.IDEMPOTENCY.x", "limit.v1.x.x.x", "cmd.v1.access.create"}, {"cache.v1.drop"}),
        ("producers", {"md.v1.trade.x.x.x.x", "$KV.LEASES.producers.x"}, {"cmd.v1.feed.resync"}),
        ("execution", {"order.v1.x.x", "$KV.LEASES.execution"}, {"cmd.v1.trading.kill"}),
    ],
)
async def test_what_a_service_is_there_for(user: str, publishes: set[str], hears: set[str]) -> None:
    may = permissions_of(user)
    assert all(allows(may.publish, subject) for subject in publishes)
    assert all(allows(may.subscribe, subject) for subject in hears)


@pytest.mark.parametrize(
    ("subject", "allowed"),
    [
        ("order.v1.x.x", {"execution"}),
        ("strategy.v1.x.x", {"strategies"}),
        ("alert.v1.price_alert.x.x.x.x", {"alerts"}),
        ("md.v1.trade.x.x.x.x", {"producers"}),
        ("md.v1.candle.1m.x.x.x.x", {"candles"}),
        ("$KV.ACCESS.x", {"access"}),
        ("$KV.STATE.x", {"cache"}),
        ("$KV.COVERAGE.x", {"coverage"}),
        ("$KV.LEASES.execution", {"execution"}),
        ("cmd.v1.trading.create_order", {"api", "bot", "mcp", "strategies"}),
        ("cmd.v1.access.create", {"api"}),
        ("telegram.v1.x.x", {"telegram"}),
        ("$JS.API.STREAM.CREATE.MARKET", {"provisioner"}),
        ("$JS.API.CONSUMER.CREATE.TRADING", {"strategies", "webhooks"}),
        ("$JS.API.STREAM.MSG.GET.TRADING", {"strategies", "webhooks"}),
        ("$JS.API.STREAM.MSG.DELETE.DLQ", {"deadletters"}),
    ],
)
async def test_who_alone_may_publish_what_matters(subject: str, allowed: set[str]) -> None:
    found = {user for user in USERS if allows(permissions_of(user).publish, subject)}
    assert {user for user in found if len(USERS[user]) == 1} == allowed
    assert all(found & {user} == ({user} if set(USERS[user]) & allowed else set()) for user in USERS)


async def test_a_command_is_received_by_who_serves_it_alone() -> None:
    for subject in ("cmd.v1.trading.create_order", "cmd.v1.access.create", "cmd.v1.strategies.signal"):
        service = subject.split(".")[2].replace("trading", "execution")
        found = {user for user in USERS if allows(permissions_of(user).subscribe, subject)}
        assert {user for user in found if len(USERS[user]) == 1} == {service}


async def test_nobody_reads_the_answers_of_another_one(server: NatsServer) -> None:
    inboxes = {user: f"{inbox_of(user)}.x.y" for user in (None, *USERS)}
    assert len(set(inboxes.values())) == len(inboxes)
    for user in USERS:
        may = permissions_of(user)
        assert [other for other, inbox in inboxes.items() if allows(may.subscribe, inbox)] == [user]
        assert not any(allows(may.subscribe, pattern) for pattern in (">", "_INBOX.>", "*.x.y"))
    _, refused = await refused_to(server.url_of("api"), ["_INBOX.>", "_INBOX_api.>", "_INBOX_bot.>", ">"])
    assert refused == {"_inbox.>", "_inbox_bot.>", ">"}
