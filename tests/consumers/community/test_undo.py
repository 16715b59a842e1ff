"""Actions that are taken back, on a real bus: what is only asked, what waits for the bot, and what Telegram refused."""

from __future__ import annotations

import asyncio

import pytest

from contracts import streams
from contracts.services.community.events import CommunityEvent
from runtime.app.resume import Start
from runtime.nats.streams.past import read_past
from tests.consumers.community.conftest import Community

pytestmark = [pytest.mark.nats, pytest.mark.timeout(60)]
MODERATOR = 9
MUTE = {"kind": "mute", "moderator_id": 7}


async def undos(community: Community) -> list[CommunityEvent]:
    rows = await read_past(community.bus, streams.COMMUNITY, ("community.v1.undo.*",), Start(sequence=1), limit=100)
    return [CommunityEvent.model_validate_json(row.payload) for row in rows]


async def states(community: Community) -> set[str]:
    return {one["state"] for one in (await community.good("list_actions"))["items"]}


async def test_a_dry_run_of_an_undo_says_what_would_become_of_each_and_changes_nothing(community: Community) -> None:
    await community.add_group()
    ids = await community.add_actions(2)
    (kick,) = await community.add_actions(1, kind="kick")
    undo = {"ids": [*ids, kick], "moderator_id": MODERATOR}
    before = await community.good("list_actions")
    for lift in (False, True):
        found = await community.good("undo_actions", undo=undo, dry_run=True, lift=lift)
        assert (found["undone"], found["pending"], found["more"]) == (2, 0, False)
        assert [(one["result"], one["action"]) for one in found["results"]] == [
            ("undone", "unmute"), ("undone", "unmute"), ("not_possible", None),
        ]  # fmt: skip
    assert await community.good("list_actions") == before
    assert await undos(community) == []


@pytest.mark.parametrize("users", [2, 12])
async def test_what_another_action_holds_is_found_however_an_undo_names_its_actions(
    community: Community, users: int
) -> None:
    await community.add_group()
    rule = {"name": "ads", "kind": "words", "params": {"words": ["ads"]}, "penalty": {"kind": "mute"}}
    rule_id = (await community.good("create_rule", rule=rule))["rule_id"]
    ids = await community.add_actions(users, rule_id=rule_id)
    await community.add_actions(users, kind="ban")  # of another kind
    (lifted,) = await community.add_actions(1)  # was one of the first member, and is not one any more
    await community.good("undo_actions", undo={"ids": [lifted], "moderator_id": MODERATOR})
    (held,) = (await community.good("create_actions", bulk={"actions": [{**MUTE, "user_id": 101}]}))["results"]
    for named in (
        {"ids": ids},
        {"rule_id": rule_id},
        {"rule_id": rule_id, "kind": "mute", "since": "2026-01-01T00:00Z"},
    ):
        found = await community.good("undo_actions", undo={**named, "moderator_id": MODERATOR}, dry_run=True)
        results = {one["id"]: one["result"] for one in found["results"]}
        assert results == dict.fromkeys(ids, "undone") | {ids[1]: "another_holds"}, named
    undo = {"ids": [held["id"]], "moderator_id": MODERATOR}
    assert [one["result"] for one in (await community.good("undo_actions", undo=undo))["results"]] == ["another_holds"]
    nothing = {"rule_id": rule_id, "kind": "kick", "moderator_id": MODERATOR}
    assert (await community.good("undo_actions", undo=nothing))["results"] == []


async def test_what_holds_in_telegram_waits_for_the_bot_and_the_rest_does_not(community: Community) -> None:
    await community.add_group()
    mute, warn = (await community.add_actions(1))[0], (await community.add_actions(1, kind="warn"))[0]
    undo = {"ids": [mute, warn], "moderator_id": MODERATOR, "reason": "wrong"}
    found = await community.good("undo_actions", undo=undo, lift=True)
    assert (found["undone"], found["pending"]) == (1, 1)
    assert [one["result"] for one in found["results"]] == ["pending", "undone"]
    (event,) = await undos(community)
    assert event.undo is not None
    assert (event.undo.ids, event.undo.moderator_id, event.undo.reason) == ([mute], MODERATOR, "wrong")
    assert await states(community) == {"done", "undone"}
    waiting = asyncio.create_task(community.good("undo_actions", undo=undo, lift=True, wait_seconds=5.0))
    while len(await undos(community)) < 2:  # noqa: ASYNC110
        await asyncio.sleep(0.01)
    await community.good("undo_actions", None, undo={"ids": [mute], "moderator_id": MODERATOR})  # as the bot does
    found = await waiting
    assert (found["undone"], found["pending"]) == (1, 0)
    assert [one["result"] for one in found["results"]] == ["undone", "already_undone"]


async def test_why_telegram_did_not_take_something_back_is_kept_until_it_is_asked_again(community: Community) -> None:
    await community.add_group()
    ids = await community.add_actions(1)
    undo = {"ids": ids, "moderator_id": MODERATOR}
    waiting = asyncio.create_task(community.good("undo_actions", undo=undo, lift=True, wait_seconds=5.0))
    while not await undos(community):  # noqa: ASYNC110
        await asyncio.sleep(0.01)
    await community.good("refuse_undo", None, refusals={ids[0]: "not enough rights"}, caller={"actor": "telegram:1"})
    found = await waiting
    assert (found["undone"], found["pending"], found["results"][0]["result"]) == (0, 0, "refused")
    (action,) = (await community.good("list_actions"))["items"]
    assert (action["state"], action["refusal"]) == ("done", "not enough rights")
    assert (await community.good("undo_actions", undo=undo, lift=True))["pending"] == 1
    assert (await community.good("list_actions"))["items"][0]["refusal"] is None
    strange = {"0" * 16 + ".0": "why"}
    caller = {"actor": "telegram:1"}
    assert await community.code("refuse_undo", None, refusals=strange, caller=caller) == "NOT_FOUND"
    assert await community.code("refuse_undo", "bob", refusals={ids[0]: "why"}, caller=caller) == "NOT_FOUND"


@pytest.mark.long
@pytest.mark.timeout(300)
async def test_of_more_than_a_thousand_the_bot_is_asked_for_all_that_was_meant(community: Community) -> None:
    await community.add_group()
    rule = {"name": "ads", "kind": "words", "params": {"words": ["ads"]}, "penalty": {"kind": "mute"}}
    rule_id = (await community.good("create_rule", rule=rule))["rule_id"]
    for _ in range(2):
        await community.add_actions(501, rule_id=rule_id)
    undo = {"rule_id": rule_id, "kind": "mute", "moderator_id": MODERATOR}
    found = await community.good("undo_actions", undo=undo, lift=True)
    assert found["more"] is False  # nothing is to be sent again: the bot goes on by itself
    assert found["pending"] + found["undone"] == len(found["results"]) == 1000
    (event,) = await undos(community)
    assert event.undo is not None
    assert (event.undo.rule_id, event.undo.ids) == (rule_id, None)
