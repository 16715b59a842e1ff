"""Commands and their answers that are deleted after the seconds of a group's settings."""

from __future__ import annotations

import pytest

from tests.bot.automatic.world import OWNER, World, until

pytestmark = [pytest.mark.nats, pytest.mark.timeout(120), pytest.mark.asyncio(loop_scope="module")]


async def test_commands_and_their_answers_are_deleted_after_the_seconds_of_the_settings(groups: World) -> None:
    group = await groups.group(delete_commands_seconds=30)
    kept = [group.write(42, "not a command"), group.write(42, "/price@another_bot BTC"), group.write(42, "/strange")]
    command = group.write(OWNER, "/settings")
    answer = (await group.message("Settings"))["message_id"]
    silent = group.write(OWNER, "/swarn 50043 spam")
    await group.action(kind="warn", user_id=50043)
    assert group.has(command)
    assert group.has(answer)
    groups.clock.by += 31
    await until(lambda: not group.has(command) and not group.has(answer), "the command and its answer are deleted")
    assert not group.has(silent)
    assert all(group.has(one) for one in kept)


async def test_an_answer_that_comes_after_its_command_was_deleted_is_deleted_too(groups: World) -> None:
    group = await groups.group(delete_commands_seconds=0)
    command = group.write(OWNER, "/rules")
    await until(lambda: not group.has(command), "the command is deleted")
    answer = (await group.message())["message_id"]
    groups.clock.by += 3
    await until(lambda: not group.has(answer), "its answer is deleted")


async def test_commands_stay_where_the_settings_say_nothing(groups: World) -> None:
    group = await groups.group()
    command = group.write(OWNER, "/rules")
    answer = (await group.message())["message_id"]
    groups.clock.by += 3600
    other = await groups.group(delete_commands_seconds=1)
    gone = other.write(OWNER, "/rules")
    groups.clock.by += 2
    await until(lambda: not other.has(gone), "the other group's command is deleted")
    assert group.has(command)
    assert group.has(answer)
