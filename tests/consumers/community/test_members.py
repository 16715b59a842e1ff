"""What members are and are called, many in one command: the newest counts, what is known already is not said again."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from contracts import streams
from contracts.services.community.bot import MOST_MEMBERS
from contracts.services.community.events import CommunityEvent
from runtime.app.resume import Start
from runtime.nats.streams.past import read_past
from tests.consumers.community.conftest import Community

pytestmark = [pytest.mark.nats, pytest.mark.timeout(60)]
NOW = datetime(2026, 1, 1, tzinfo=UTC)


def change(user_id: int, status: str | None = None, seconds: int = 0, **more: Any) -> dict[str, Any]:
    at = (NOW + timedelta(seconds=seconds)).isoformat().replace("+00:00", "Z")
    return {"user_id": user_id, "status": status, "at": at, **more}


async def changed(community: Community, *members: dict[str, Any]) -> tuple[int, int]:
    reply = await community.good("update_members", None, members=list(members))
    return reply["members"], reply["profiles"]


async def status(community: Community, user_id: int) -> str:
    return (await community.good("user_stats", user_id=user_id))["status"]


async def test_the_newest_of_many_changes_of_a_member_counts(community: Community) -> None:
    await community.add_group()
    together = (change(1, "member"), change(1, "restricted", 2), change(1, "member", 1), change(2, "banned"))
    assert await changed(community, *together) == (2, 0)
    assert await status(community, 1) == "restricted"
    assert await status(community, 2) == "banned"
    assert await changed(community, change(1, "left", 1), change(2, "banned", 9)) == (0, 0)  # older; known
    assert await status(community, 1) == "restricted"
    stats = await community.good("user_stats", user_id=2)
    assert stats["joined_at"] is None
    assert await changed(community, change(2, "member", 20)) == (1, 0)
    assert (await community.good("user_stats", user_id=2))["joined_at"] == change(2, "member", 20)["at"]


async def test_names_are_written_into_profiles_and_leave_the_rest_of_them(community: Community) -> None:
    await community.add_group()
    await community.good("update_user", user_id=1, changes={"note": "met in person", "language": "id"})
    named = change(1, name="Ann", username="Ann_1234")
    assert await changed(community, named, change(2, "member", name="Bob", username=None)) == (1, 2)
    profile = await community.good("find_user", user_id=1)
    assert (profile["name"], profile["username"], profile["note"], profile["language"]) == (
        "Ann", "Ann_1234", "met in person", "id",
    )  # fmt: skip
    assert (await community.good("find_user", username="ann_1234"))["user_id"] == 1
    assert await changed(community, named, change(2, name="Robert")) == (0, 1)
    assert (await community.good("find_user", user_id=2))["name"] == "Robert"
    rows = await read_past(community.bus, streams.COMMUNITY, ("community.v1.user.>",), Start(sequence=1), limit=10)
    events = [CommunityEvent.model_validate_json(row.payload) for row in rows]
    assert [one.keys or [one.key] for one in events] == [["1"], ["1", "2"], ["2"]]


async def test_many_members_cost_little_more_than_one(community: Community) -> None:
    await community.add_group()
    began = time.perf_counter()
    await changed(community, change(1, "member", name="One"))
    one = time.perf_counter() - began
    for begin in (0, MOST_MEMBERS):
        members = [change(1000 + begin + number, "member", name="Somebody") for number in range(MOST_MEMBERS)]
        began = time.perf_counter()
        assert await changed(community, *members) == (MOST_MEMBERS, MOST_MEMBERS)
        many = time.perf_counter() - began
    print(f"one member {1000 * one:.1f} ms, each of {MOST_MEMBERS} {1000 * many / MOST_MEMBERS:.1f} ms")
    assert (await community.good("group_stats"))["members"] == {"member": 2 * MOST_MEMBERS + 1}
