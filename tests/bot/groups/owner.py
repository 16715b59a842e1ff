"""The API beside the groups of the tests, and what the owner of a key asks of it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any

from api.app import ApiOptions
from runtime.nats.bus import BusOptions
from tests.api.groups_world import ROOMY, Owner
from tests.api.test_route_table import put_key
from tests.api.world import PEPPER, Store, api_settings, serving
from tests.bot.groups.stage import SECONDS, Group, Stage


@asynccontextmanager
async def api_owner(stage: Stage) -> AsyncGenerator[Owner]:
    """The API, with a key that may manage the groups of `alice`."""
    key = await put_key(Store(stage.bus), 950, "alice", ("groups:admin",))
    bus = BusOptions(servers=(stage.bus.options.servers[0],), name="api")
    async with serving(ApiOptions(settings=api_settings(**ROOMY), bus=bus, pepper=PEPPER)) as api:
        made = Owner(api, key)
        async with asyncio.timeout(SECONDS):
            while (await made.send("GET", "/api/v2/groups")).status_code != 200:  # noqa: ASYNC110
                await asyncio.sleep(0.02)
        yield made


async def undo(owner: Owner, group: Group, **wanted: Any) -> dict[str, Any]:
    """What the API answers when actions of a group are to be taken back."""
    path = f"/api/v2/groups/{group.group_id}/actions/undo"
    return await owner.good("POST", path, {"moderator_id": group.owner, **wanted})
