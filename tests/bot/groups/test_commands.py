"""The group commands as people type them, in both languages."""

from __future__ import annotations

import pytest

from tests.bot.groups.stage import Stage

pytestmark = [pytest.mark.nats, pytest.mark.asyncio(loop_scope="module"), pytest.mark.timeout(120)]


async def test_a_ban_is_done_logged_and_undone_by_its_button(stage: Stage) -> None:
    group = await stage.group()
    eve = await group.new()
    said = await group.write(eve, "buy my coin")
    answer = await group.person().say("/ban 2h spam", reply_to=said)
    assert "is banned" in answer["text"]
    assert "2 h" in answer["text"]
    assert "spam" in answer["text"]
    assert (await group.status(eve))["status"] == "kicked"
    (action,) = await group.log()
    assert (action["kind"], action["user_id"], action["moderator_id"]) == ("ban", eve, group.owner)
    assert (action["reason"], action["duration_seconds"]) == ("spam", 7200)
    changed = await group.person().press(answer, "↩️ Undo")
    assert "Taken back by" in changed["text"]
    assert (await group.status(eve))["status"] == "left"
    assert [one["kind"] for one in await group.log()] == ["unban", "ban"]
