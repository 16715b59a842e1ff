"""The document store's face on a real server (MONGO_URL, or the embedded one)."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid4

import pytest

from runtime.servers.embedded import document_server
from runtime.store import AlreadyThereError, IndexSpec, Store, StoreError, upsert


async def test_declared_unique_index_refuses_a_second(documents: Store) -> None:
    indexes = [IndexSpec("users", ("tenant", "-name"), unique=True), IndexSpec("logs", ("at",), ttl=3600)]
    await documents.create_indexes(indexes)
    await documents.create_indexes(indexes)
    users = documents.collection("users")
    await users.insert_one({"_id": 1, "tenant": "a", "name": "x"})
    await users.insert_one({"_id": 2, "tenant": "b", "name": "x"})
    with pytest.raises(AlreadyThereError):
        await users.insert_one({"_id": 3, "tenant": "a", "name": "x"})


async def test_times_come_back_aware(documents: Store) -> None:
    at = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
    await documents.collection("t").insert_one({"_id": 1, "at": at})
    document = await documents.collection("t").find_one({"_id": 1})
    assert document is not None
    assert document["at"] == at


async def test_state_filter_lets_one_update_win(documents: Store) -> None:
    jobs = documents.collection("jobs")
    await jobs.insert_one({"_id": 1, "state": "new"})
    first = await jobs.update_one({"_id": 1, "state": "new"}, {"$set": {"state": "taken"}})
    second = await jobs.update_one({"_id": 1, "state": "new"}, {"$set": {"state": "taken"}})
    assert (first.modified_count, second.modified_count) == (1, 0)


async def test_bulk_of_upserts_creates_and_changes(documents: Store) -> None:
    counts = documents.collection("counts")
    for _ in range(2):
        await counts.bulk_write([upsert({"_id": key}, {"$inc": {"n": 1}}) for key in ("a", "b")])
    assert {row["_id"]: row["n"] async for row in counts.find({})} == {"a": 2, "b": 2}


async def test_raw_documents_and_indexes_of_one_moment_are_put_back_equal(documents: Store, documents_url: str) -> None:
    at = datetime(2026, 1, 2, tzinfo=UTC)
    await documents.create_indexes([IndexSpec("users", ("name", "-at"), unique=True, where={"at": {"$gt": at}})])
    await documents.collection("users").insert_many(
        [{"_id": number, "at": at, "name": f"é{number}"} for number in range(9)]
    )
    await documents.collection("rules").insert_one({"_id": "r", "price": "0.1", "tags": [1, None, {"a": True}]})
    async with documents.moment() as read:
        users = [one async for one in read("users")]
        await documents.collection("rules").insert_one({"_id": "later"})
        rules = [one async for one in read("rules")]
    assert (len(users), len(rules)) == (9, 1)
    other = Store(documents_url, f"test_{uuid4().hex[:12]}")
    await other.insert_raw("users", users)
    for described in (await documents.find_indexes())["users"]:
        await other.add_index("users", described)
    assert (await other.find_indexes())["users"] == (await documents.find_indexes())["users"]
    async with other.moment() as read:
        assert [one async for one in read("users")] == users
    with pytest.raises(StoreError):
        await other.insert_raw("users", users[:1])
    await other.drop_database()
    await other.close()


async def test_unreachable_server_is_an_error_in_time() -> None:
    store = Store("mongodb://127.0.0.1:1/?directConnection=true", "x", timeout=0.3)
    with pytest.raises(StoreError, match=r"127\.0\.0\.1:1"):
        await store.ping()
    await store.close()


async def test_embedded_server_takes_nobody_without_the_password(tmp_path: Path) -> None:
    async with document_server(tmp_path) as server:
        known = Store(server.url, "test_known", timeout=5.0)
        await known.collection("kept").insert_one({"_id": 1})
        host = server.url.split("@", 1)[1]
        for url in (f"mongodb://{host}", f"mongodb://hydrophone:wrong@{host}"):
            stranger = Store(url, "test_known", timeout=5.0)
            with pytest.raises(StoreError, match=r"(?i)auth"):
                await stranger.collection("kept").find_one({})
            with pytest.raises(StoreError, match=r"(?i)auth"):
                await stranger.collection("kept").insert_one({"_id": 2})
            await stranger.close()
        assert await known.collection("kept").count_documents({}) == 1
        await known.close()
    async with document_server(tmp_path) as again:  # with another password
        known = Store(again.url, "test_known", timeout=5.0)
        assert await known.collection("kept").find_one({}) == {"_id": 1}
        await known.close()
