"""The key store on a real bus and a real document server: commands, the bucket, the audit trail."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest

from consumers.access import core
from consumers.access.handlers import AccessPlan
from consumers.access.store import AccessStore
from contracts import streams
from contracts.schema.literals import iso
from contracts.services import access
from contracts.services.access import Caller, KeyEntry
from runtime import provision
from runtime.clock import now_ns
from runtime.nats.bus import Bus
from runtime.nats.kv.mirror import Mirror
from runtime.servers.embedded import NatsServer
from runtime.store import Store
from tests.consumers.access.conftest import PEPPER, Begin, keeping
from tests.consumers.conftest import PLAN

pytestmark = [pytest.mark.nats, pytest.mark.timeout(180)]
CALLER = {"actor": "settings.0123", "address": "10.0.0.1", "request_id": "r1"}


async def ask(bus: Bus, verb: str, **fields: Any) -> dict[str, Any]:
    request = {"caller": CALLER, **fields} if verb in {"create", "rotate", "revoke"} else fields
    return json.loads(await bus.request(f"cmd.v1.access.{verb}", json.dumps(request).encode(), 20.0))


async def make(bus: Bus, **fields: Any) -> dict[str, Any]:
    return await ask(bus, "create", **{"name": "dashboard", "owner": "alice", "scopes": ["market:read"], **fields})


async def entry(bus: Bus, key_id: str) -> KeyEntry | None:
    bucket = await bus.jetstream().key_value(streams.ACCESS)
    found = {key: await bucket.get(key) for key in await keys(bus)}
    held = found.get(key_id)
    return None if held is None else KeyEntry.model_validate_json(held.value or b"")


async def keys(bus: Bus) -> list[str]:
    mirror = await Mirror(bus, streams.ACCESS).open()
    found = [key for key, _ in mirror.entries()]
    await mirror.close()
    return sorted(found)


async def audited(bus: Bus, count: int, **query: Any) -> dict[str, Any]:
    async with asyncio.timeout(20):
        while True:
            page = await ask(bus, "audit", **query)
            if page["total"] >= count:
                return page
            await asyncio.sleep(0.05)


async def test_who_had_the_lease_before_gives_a_revoked_key_no_secret(own: Bus, begin: Begin, plan: AccessPlan) -> None:
    await begin()
    key_id, now = (await make(own))["id"], now_ns()
    store = AccessStore(Store(plan.documents))
    before = await store.find(key_id)
    assert before is not None
    await ask(own, "revoke", id=key_id)
    rotated = core.rotate(before, "0" * 64, 60, now)
    assert not await store.save(rotated, before, core.audit("rotate", rotated, Caller(**CALLER), now))
    assert (await ask(own, "find", id=key_id))["state"] == "revoked"


async def test_a_key_is_made_shown_once_rotated_and_revoked(own: Bus, begin: Begin) -> None:
    await begin()
    made = await make(own, expires_at="2035-01-01T00:00:00Z")
    key_id, _, secret = made["key"].partition(".")
    assert access.KEY_FORM.fullmatch(made["key"])
    assert {name: made[name] for name in ("id", "owner", "state", "expires_at", "rotated_at")} == {
        "id": key_id,
        "owner": "alice",
        "state": "active",
        "expires_at": "2035-01-01T00:00:00Z",
        "rotated_at": None,
    }
    assert made["created_at"].endswith("Z")
    held = await entry(own, key_id)
    assert held is not None
    assert [one.mac for one in held.secrets] == [access.key_mac(PEPPER, secret)]
    assert (held.owner, held.scopes) == ("alice", ("market:read",))
    found = await ask(own, "find", id=key_id)
    assert "key" not in found
    rotated = await ask(own, "rotate", id=key_id, overlap_seconds=60)
    held = await entry(own, key_id)
    assert held is not None
    assert [one.mac for one in held.secrets] == [
        access.key_mac(PEPPER, rotated["key"].partition(".")[2]),
        access.key_mac(PEPPER, secret),
    ]
    revoked = await ask(own, "revoke", id=key_id)
    assert (revoked["state"], await entry(own, key_id)) == ("revoked", None)
    assert (await ask(own, "revoke", id=key_id))["revoked_at"] == revoked["revoked_at"]
    refused = [await ask(own, "rotate", id=key_id), await ask(own, "find", id="0" * 16), await ask(own, "find", id="x")]
    assert [one["error"]["code"] for one in refused] == ["GONE", "NOT_FOUND", "INVALID_PARAMETER"]


async def test_every_change_is_in_the_audit_trail_once(own: Bus, begin: Begin) -> None:
    await begin()
    made = await make(own)
    await ask(own, "rotate", id=made["id"])
    await ask(own, "revoke", id=made["id"])
    await ask(own, "revoke", id=made["id"])  # changes nothing
    page = await audited(own, 3)
    assert page["total"] == 3
    assert [item["action"] for item in page["items"]] == ["revoke", "rotate", "create"]
    for item in page["items"]:
        assert {name: item[name] for name in ("actor", "service", "target", "address", "request_id")} == {
            "actor": "settings.0123",
            "service": "access",
            "target": made["id"],
            "address": "10.0.0.1",
            "request_id": "r1",
        }
    since = page["items"][1]["timestamp"]
    counts = [
        (await ask(own, "audit", **query))["total"]
        for query in (
            {"actor": "settings.0123"},
            {"actor": "nobody"},
            {"action": "rotate"},
            {"action": "access.rotate"},
            {"action": "alerts.rotate"},
            {"since": since},
        )
    ]
    assert counts == [3, 0, 1, 1, 0, 2]
    second = await ask(own, "audit", page=2, page_size=2)
    assert ([item["action"] for item in second["items"]], second["pages"]) == (["create"], 2)
    info = await own.jetstream().stream_info(streams.AUDIT)
    assert info.state.messages == 3
    assert (info.config.storage, info.config.discard) == ("file", "new")


async def test_keys_are_listed_by_page_and_owner(own: Bus, begin: Begin) -> None:
    await begin()
    made = [await make(own, owner=owner) for owner in ("alice", "bob", "alice")]
    page = await ask(own, "list", page_size=2)
    assert ([item["id"] for item in page["items"]], page["total"], page["pages"]) == (
        [made[2]["id"], made[1]["id"]],
        3,
        2,
    )
    mine = await ask(own, "list", owner="alice")
    assert {item["owner"] for item in mine["items"]} == {"alice"}
    assert not any("key" in item for item in page["items"])


async def test_a_repeated_request_makes_no_second_key(own: Bus, begin: Begin) -> None:
    await begin()
    first, second = await make(own, request_key="ab"), await make(own, request_key="ab")
    assert first["id"] == second["id"]
    assert first["key"] != second["key"]
    other = await make(own, request_key="ab", owner="bob")
    assert other["error"]["code"] == "CONFLICT"
    assert (await ask(own, "list"))["total"] == 1


async def test_nothing_that_is_kept_has_a_secret(own: Bus, begin: Begin, plan: AccessPlan) -> None:
    await begin()
    secrets = [(await make(own))["key"].partition(".")[2] for _ in range(3)]
    store = Store(plan.documents)
    kept = [str(document) async for document in store.collection("access_keys").find({})]
    await store.close()
    held = [str(await entry(own, key)) for key in await keys(own)]
    trail = json.dumps(await audited(own, 3))
    assert len(kept) == len(held) == 3
    assert not any(secret in text for secret in secrets for text in (*kept, *held, trail))


async def test_after_a_restart_the_bucket_is_what_the_store_says(
    own: Bus, access_nats: NatsServer, plan: AccessPlan
) -> None:
    async with keeping(access_nats.url, plan):
        kept, revoked = (await make(own))["id"], (await make(own))["id"]
        await ask(own, "revoke", id=revoked)
    js = own.jetstream()
    await js.purge_stream(f"KV_{streams.ACCESS}")
    await js.publish(f"$KV.{streams.ACCESS}.{revoked}", b"{}")
    async with keeping(access_nats.url, plan):
        assert await keys(own) == [kept]
        await js.delete_stream(f"KV_{streams.ACCESS}")  # lost while it runs, and made again
        await provision.apply(own, PLAN)
        async with asyncio.timeout(20):
            while await keys(own) != [kept]:  # noqa: ASYNC110
                await asyncio.sleep(0.1)


async def test_an_expired_key_leaves_the_bucket(own: Bus, begin: Begin) -> None:
    await begin()
    made = await make(own, expires_at=iso(now_ns() + 3_000_000_000))
    assert await keys(own) == [made["id"]]
    async with asyncio.timeout(30):
        while await keys(own):  # noqa: ASYNC110
            await asyncio.sleep(0.1)


async def test_of_two_processes_one_changes_keys_and_the_other_takes_over(
    own: Bus, access_nats: NatsServer, plan: AccessPlan
) -> None:
    async with keeping(access_nats.url, plan) as first:
        made = await make(own)
        async with asyncio.timeout(60), keeping(access_nats.url, plan):
            first.stop.set()
            while True:
                found = await ask_again(own, "find", id=made["id"])
                if found.get("id") == made["id"]:
                    break


async def ask_again(bus: Bus, verb: str, **fields: Any) -> dict[str, Any]:
    await asyncio.sleep(0.1)
    try:
        return await ask(bus, verb, **fields)
    except RuntimeError:  # nobody serves it for the moment
        return {}
