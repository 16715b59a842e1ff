"""The API with the community service behind it, and two owners' keys."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import httpx

from contracts.services.access import Scope
from contracts.streams import AUDIT, COMMUNITY
from runtime.servers.embedded import NatsServer
from tests.api.test_route_table import put_key
from tests.api.world import Api, Start, Store
from tests.consumers.community.conftest import own_database, serving_community

GROUP = -1001234567890
GROUPS = "/api/v2/groups"
ONE = f"{GROUPS}/{GROUP}"
ROOMY = {f"GPT_API_RATE_LIMIT_{name}": "1000000" for name in ("REQUESTS", "IP", "ANONYMOUS", "GLOBAL")}


@dataclass
class Owner:
    """Requests with one owner's key."""

    api: Api
    key: str

    async def send(self, method: str, path: str, body: Any = None, **headers: str) -> httpx.Response:
        """The answer to a request."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        bearer = {"Authorization": f"Bearer {self.key}"}
        return await self.api.client.request(method, path, json=body, headers={**bearer, **named}, timeout=60)

    async def good(self, method: str, path: str, body: Any = None, status: int = 200) -> dict[str, Any]:
        """The body of an answer that is as it should be."""
        answer = await self.send(method, path, body)
        assert answer.status_code == status, answer.text
        return answer.json()

    async def refused(self, method: str, path: str, body: Any = None) -> tuple[int, str]:
        """Status and code of a refusal, which has the shape of these routes."""
        answer = await self.send(method, path, body)
        found = answer.json()
        assert {"error", "detail", "timestamp"} <= found.keys() <= {"error", "detail", "timestamp", "fields"}, found
        return answer.status_code, found["error"]

    async def add_group(self, group_id: int = GROUP, name: str = "Test") -> dict[str, Any]:
        """A group of this owner."""
        return await self.good("POST", GROUPS, {"group_id": group_id, "name": name}, 201)

    async def add_actions(self, count: int, **fields: Any) -> list[str]:
        """Ids of so many actions that were logged."""
        actions = [{"kind": "mute", "user_id": 100 + number, "moderator_id": 7, **fields} for number in range(count)]
        body = await self.good("POST", f"{ONE}/actions/bulk", {"actions": actions}, 201)
        return [one["id"] for one in body["results"]]


@asynccontextmanager
async def groups_api(
    store: Store, start: Start, nats: NatsServer, documents_url: str
) -> AsyncGenerator[tuple[Owner, Owner]]:
    """Alice and Bob, each with a key of the scope `groups:admin`."""
    for stream in (COMMUNITY, AUDIT):
        await store.bus.jetstream().purge_stream(stream)
    scopes: tuple[Scope, ...] = ("groups:admin",)
    keys = [await put_key(store, 900 + len(owner), owner, scopes) for owner in ("alice", "bob")]
    async with serving_community(nats.url, own_database(documents_url)):
        api = await start(**ROOMY)
        owners = tuple(Owner(api, key) for key in keys)
        for owner in owners:
            while (await owner.send("GET", GROUPS)).status_code != 200:  # the mirror of the keys is filled
                pass
        yield owners[0], owners[1]
