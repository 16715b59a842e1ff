"""`/admin/feeds`: feeds by command, with the outcome, for administrators only, and in the audit trail."""

from __future__ import annotations

import json
from typing import Any

import pytest
from nats.aio.msg import Msg

from contracts import subjects
from tests.api.world import ADMIN_KEY, READ_KEY, Api, Start, Store

pytestmark = pytest.mark.nats
RULE = {"chain": "overlap"}
LIVE = {"outcome": "live", "seconds": 1.25, "connections": 2}


@pytest.fixture
async def asked(store: Store) -> list[tuple[str, Any]]:
    """What a producer is asked, which replies as one does."""
    found: list[tuple[str, Any]] = []

    async def on_request(message: Msg) -> None:
        verb, query = message.subject.rpartition(".")[2], json.loads(message.data)
        found.append((verb, query))
        if query["venue"] == "htx":
            reply: Any = {"error": {"code": "CONFLICT", "message": "htx is paused", "details": {"venue": "htx"}}}
        elif verb == "resync":
            reply = {"outcome": "live", "rule": RULE, "seconds": 0.5, "books": 2, "waiting": []}
        else:
            reply = LIVE | {"outcome": "paused"} if verb == "pause" else LIVE
        await message.respond(json.dumps(reply).encode())

    await store.bus.client.subscribe(f"{subjects.FEED_COMMAND}>", cb=on_request)
    await store.bus.client.flush()
    return found


async def post(api: Api, path: str, key: str = ADMIN_KEY) -> Any:
    return await api.client.post(f"/admin/feeds/{path}", headers={"Authorization": f"Bearer {key}"})


async def test_get_admin_feeds_is_the_state_of_each_feed(store: Store, start: Start) -> None:
    await store.put_feed("binance")
    api = await start()
    feeds = (await api.get("/admin/feeds", key=ADMIN_KEY)).json()["data"]
    assert feeds["binance"]["connected"] is True
    assert feeds.keys() == (await api.get("/multi/health")).json()["data"].keys()
    assert (await api.get("/admin/feeds", key=READ_KEY)).status_code == 403


async def test_post_admin_feeds_answers_with_the_outcome(
    store: Store, start: Start, asked: list[tuple[str, Any]]
) -> None:
    api, audited = await start(), list[dict[str, Any]]()

    async def on_audit(message: Msg) -> None:
        audited.append(json.loads(message.data))

    await store.bus.client.subscribe(f"{subjects.AUDIT}feed.>", cb=on_audit)
    await store.bus.client.flush()
    answer = (await post(api, "binance/resync?symbol=BTC/USDT")).json()
    assert answer["data"] == {"outcome": "live", "seconds": 0.5, "books": 2, "waiting": []}
    for verb, outcome in (("reconnect", "live"), ("pause", "paused"), ("resume", "live")):
        found = (await post(api, f"okx/{verb}")).json()
        assert (found["success"], found["data"]) == (True, {**LIVE, "outcome": outcome, "reason": None})
    assert asked == [
        ("resync", {"venue": "binance", "symbol": "BTC/USDT", "wait": True}),
        *((verb, {"venue": "okx"}) for verb in ("reconnect", "pause", "resume")),
    ]
    assert [(one["action"], one["target"]) for one in audited] == [
        ("resync", "binance"), ("reconnect", "okx"), ("pause", "okx"), ("resume", "okx"),
    ]  # fmt: skip


async def test_what_is_refused_is_answered_with_its_code(start: Start, asked: list[tuple[str, Any]]) -> None:
    api = await start()
    paused = await post(api, "htx/resync")
    assert (paused.status_code, paused.json()["error"]["code"]) == (409, "CONFLICT")
    assert (await post(api, "No Such/resync")).status_code == 400
    assert (await post(api, "okx/resync?symbols=BTC")).json()["error"]["details"]["parameter"] == "symbols"
    assert (await post(api, "okx/pause", READ_KEY)).status_code == 403
    assert [verb for verb, _ in asked] == ["resync"]
