"""The log on real documents: spans of time, marks, and actions that the first version kept one by one."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from consumers.community.store import log
from consumers.community.store.collections import ACTIONS, GROUPS
from consumers.community.store.days import count_in, end_of_day
from consumers.community.store.log import ActionLog, read_action
from consumers.community.store.migrations import migrate, put_actions_into_pages
from consumers.community.store.pages import MOST_ROWS
from contracts.services.community.commands import ListActions
from runtime.store import IndexSpec, Store

pytestmark = pytest.mark.timeout(60)
KEY, RULE = "g", "0123456789abcdef"
NOW = datetime.now(UTC).replace(microsecond=0)
NOON = NOW.replace(hour=12, minute=0, second=0)


def entry(number: int, **more: Any) -> dict[str, Any]:
    return {"kind": "mute", "user_id": number % 7, "moderator_id": 7, "reason": "", "state": "done", **more}


async def seqs(store: Store, **query: Any) -> list[int]:
    found, total = await ActionLog(store, lambda: NOW).page(KEY, ListActions(group_id=-1, page_size=100, **query))
    assert total == len(found)
    return [one.seq for one in found]


async def test_a_span_of_time_has_the_actions_within_it_whether_they_came_one_by_one_or_together(
    documents: Store,
) -> None:
    await migrate(documents)
    await documents.collection(GROUPS).insert_one({"_id": KEY, "seq": 0, "last_at": NOON - timedelta(days=3)})
    written: list[tuple[int, datetime]] = []
    for place, size in enumerate((1, 1, MOST_ROWS + 3, 1, 1, 7, 1)):
        at = NOON - timedelta(days=2) + timedelta(hours=6 * place)
        entries = {f"{place:016x}.{number}": entry(number) for number in range(size)}
        if place == 4:  # numbers that nobody has, as a process leaves them that dies where there are no transactions
            await documents.collection(GROUPS).update_one({"_id": KEY}, {"$inc": {"seq": 2}})
        added = await log.add(documents.collection, KEY, entries, f"{place:016x}", now=at)
        written += [(one["seq"], one["at"]) for one in added]
    times = sorted({at for _, at in written})
    for since in times:
        for begin, end in ((since, None), (since + timedelta(seconds=1), times[-2]), (None, since)):
            wanted = [seq for seq, at in written if (begin is None or at >= begin) and (end is None or at < end)]
            found = await seqs(documents, since=begin, until=end, user_id=None, kind="mute")
            assert found == sorted(wanted, reverse=True), (begin, end)


async def test_marks_are_of_the_actions_that_were_named_and_of_no_other_row_of_their_page(documents: Store) -> None:
    await migrate(documents)
    await documents.collection(GROUPS).insert_one({"_id": KEY, "seq": 0, "last_at": NOON})
    names = [f"{'a' * 16}.{number}" for number in range(0, 3 * MOST_ROWS, 2)]  # every other one was refused
    await log.add(documents.collection, KEY, {name: entry(0) for name in names}, "a" * 16, now=NOON)
    undone, refused = names[3 : MOST_ROWS + 3], names[-1]
    await log.mark_undone(documents.collection, {name: f"{'b' * 16}.{place}" for place, name in enumerate(undone)})
    await log.note_refusals(documents.collection, {refused: "no rights", f"{'c' * 16}.0": "not kept any more"})
    found = [read_action(one) for one in await ActionLog(documents, lambda: NOW).find(KEY, names)]
    assert [one.id for one in found] == names
    assert [one.seq for one in found] == list(range(1, len(names) + 1))
    assert [one.id for one in found if one.state == "undone"] == undone
    assert [one.undone_by for one in found if one.undone_by] == [f"{'b' * 16}.{place}" for place in range(len(undone))]
    assert {one.id: one.refusal for one in found if one.refusal} == {refused: "no rights"}


def single(seq: int, batch: str, number: int) -> dict[str, Any]:
    """An action as the first version kept it."""
    own = {"group": KEY, "seq": seq, **entry(seq), "rule_id": None, "undoes": None}
    return {"_id": f"{batch}.{number}", **own, "at": NOON, "ended_at": end_of_day(NOON)}


async def test_actions_of_the_first_version_are_put_into_pages_by_two_processes_at_once(documents: Store) -> None:
    await documents.create_indexes(
        [IndexSpec(ACTIONS, ("group", "-seq")), IndexSpec(ACTIONS, ("group", "kind", "-seq"))]
    )
    size, requests = 151, ("a" * 16, "b" * 16, "c" * 16)  # the third goes on beyond what is read at once
    kept = [
        single(1 + place * size + number, name, number) for place, name in enumerate(requests) for number in range(size)
    ]
    kept[70] |= {"rule_id": RULE, "by_rule": True, "state": "undone", "undone_by": "x", "refusal": None}
    actions = documents.collection(ACTIONS)
    await actions.insert_many(kept)
    await documents.collection(GROUPS).insert_one({"_id": KEY, "seq": len(kept), "last_at": NOON})
    await count_in(documents.collection, KEY, "a", kept)
    await asyncio.gather(*(put_actions_into_pages(documents, at_once=400) for _ in range(2)))
    now = ActionLog(documents, lambda: NOW)
    found = [read_action(one) for one in await now.find(KEY, [one["_id"] for one in kept])]
    assert [(one.id, one.seq, one.user_id) for one in found] == [
        (one["_id"], one["seq"], one["user_id"]) for one in kept
    ]
    marked = found[70]
    assert (marked.state, marked.rule_id, marked.undone_by, marked.at) == ("undone", RULE, "x", NOON)
    assert await seqs(documents, rule_id=RULE) == [71]
    assert await actions.count_documents({"group": KEY}) == 3 * -(-size // MOST_ROWS)
    assert not {"group_down_seq", "group_kind_down_seq"} & await documents.list_indexes(ACTIONS)
