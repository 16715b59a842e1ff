"""The community consumer on a bus and a document server of the tests' own, and a client of its commands."""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from secrets import token_hex
from typing import Any

import pytest_asyncio

from consumers.community.handlers import CommunityPlan, make_consumer
from contracts import streams
from runtime import provision
from runtime.app.service import Service
from runtime.nats.bus import Bus, BusOptions
from runtime.servers.embedded import NatsServer, nats_server
from tests.consumers.conftest import PLAN
from tests.running import running

CALLER = {"actor": "settings.0123", "address": "10.0.0.1", "request_id": "r1"}
CHANGES = (
    "create_", "update_", "delete_", "assign_", "unassign_", "undo_", "migrate", "refuse_",
)  # fmt: skip
GROUP = -1001234567890


def own_database(documents_url: str) -> str:
    """The URL of a database of the caller's own."""
    address, _, options = documents_url.partition("?")
    return f"{address.rstrip('/')}/test_{token_hex(4)}?authSource=admin&{options}"


class Community:
    """Commands of the service, as an owner's key sends them."""

    def __init__(self, bus: Bus, documents: str) -> None:
        self.bus, self.documents = bus, documents

    async def ask(self, verb: str, owner: str | None = "alice", **fields: Any) -> dict[str, Any]:
        """The reply to a command."""
        caller = {"caller": CALLER} if verb.startswith(CHANGES) else {}
        request = {"owner": owner, **caller, **fields}
        if not {"list_groups", "create_group", "find_user", "update_user"} & {verb}:
            request = {"group_id": GROUP, **request}
        return json.loads(await self.bus.request(f"cmd.v1.community.{verb}", json.dumps(request).encode(), 30.0))

    async def good(self, verb: str, owner: str | None = "alice", **fields: Any) -> dict[str, Any]:
        """The reply to a command that succeeds."""
        reply = await self.ask(verb, owner, **fields)
        assert "error" not in reply or reply["error"] is None, reply
        return reply

    async def code(self, verb: str, owner: str | None = "alice", **fields: Any) -> str:
        """The code with which a command is refused."""
        reply = await self.ask(verb, owner, **fields)
        assert isinstance(reply.get("error"), dict), reply
        return reply["error"]["code"]

    async def add_group(self, group_id: int = GROUP, owner: str = "alice", name: str = "Test") -> dict[str, Any]:
        """A group of an owner."""
        return await self.good("create_group", owner, group={"group_id": group_id, "name": name})

    async def add_actions(self, count: int, group_id: int = GROUP, **fields: Any) -> list[str]:
        """Ids of so many actions that were logged."""
        actions = [{"kind": "mute", "user_id": 100 + number, "moderator_id": 7, **fields} for number in range(count)]
        reply = await self.good("create_actions", group_id=group_id, bulk={"actions": actions})
        return [one["id"] for one in reply["results"]]


@asynccontextmanager
async def serving_community(url: str, documents: str) -> AsyncGenerator[Service]:
    """The consumer, once it serves."""
    bus = await Bus(BusOptions(servers=(url,), name="community")).connect()
    try:
        async with running(bus, "community", make_consumer(CommunityPlan(documents)).run) as service:
            yield service
    finally:
        await bus.close()


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def community_nats(tmp_path_factory: Any) -> AsyncGenerator[NatsServer]:
    """A bus for these tests, provisioned as declared."""
    async with nats_server(tmp_path_factory.mktemp("community-nats")) as server:
        setup = await Bus(BusOptions(servers=(server.url,), name="setup")).connect()
        await provision.apply(setup, PLAN)
        await setup.close()
        yield server


@pytest_asyncio.fixture
async def community(community_nats: NatsServer, documents_url: str) -> AsyncGenerator[Community]:
    """The service with documents of the test's own, and a client."""
    documents = own_database(documents_url)
    bus = await Bus(BusOptions(servers=(community_nats.url,), name="test")).connect()
    for stream in (streams.COMMUNITY, streams.AUDIT):
        await bus.jetstream().purge_stream(stream)
    async with serving_community(community_nats.url, documents):
        yield Community(bus, documents)
    await bus.close()
