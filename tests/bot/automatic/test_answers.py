"""A press while the mute that it takes back is being logged counts; a second press at the same time does not."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any, cast

import pytest

from bot.callback_data import pack
from bot.groups.automatic.answers import Answers
from bot.groups.automatic.core import AGAIN_SECONDS, Pending, settling
from bot.groups.automatic.joins import Joins
from bot.texts.automatic import GATE
from contracts.errors import NotReadyError

ASKED = Pending(user_id=42, name="Ann", asked="button", until=1e12)
LOGGED = ASKED.model_copy(update={"action_id": "9f86d081884c7d65.0"})
NOW = 1e9


class States:
    """One state, which another writer changes before the first write is compared."""

    def __init__(self, other: Pending | None) -> None:
        self.state, self.revision, self.other = cast("Pending | None", ASKED), 1, other
        self.written: list[Pending | None] = []

    async def find(self, _key: str, _kind: type[Pending]) -> tuple[Pending | None, int]:
        return self.state, self.revision

    async def put(self, _key: str, state: Pending | None, revision: int) -> int | None:
        if self.revision == 1:
            self.state, self.revision = self.other, 2
        if revision != self.revision:
            return None
        self.written.append(state)
        return 3


@pytest.mark.parametrize(
    ("other", "note", "written"),
    [
        (LOGGED, "automatic.note.right", [settling(LOGGED, "right", 2, NOW)]),
        (ASKED.model_copy(update={"wrong": 1}), None, []),
        (None, None, []),
    ],
    ids=["the mute was logged", "a wrong answer was noted", "it was answered"],
)
async def test_a_press_beside_another_write(other: Pending | None, note: str | None, written: list[Pending]) -> None:
    states, begun = States(other), list[Callable[..., Any]]()

    async def find_group(_id: int) -> Any:
        return SimpleNamespace(id=-1, reader=SimpleNamespace(plain=lambda key, **_: key))

    context = SimpleNamespace(kept=states, groups=SimpleNamespace(find=find_group), now=lambda: NOW)
    work = SimpleNamespace(start=lambda job, **_: begun.append(job))
    answers = Answers(cast("Any", context), cast("Any", None), cast("Any", work))
    message = SimpleNamespace(chat=SimpleNamespace(id=-1, type="supergroup"))
    query = SimpleNamespace(data=pack(GATE, "in", "-1"), message=message, from_user=SimpleNamespace(id=42))
    assert await answers._press(cast("Any", query)) == note
    assert states.written == written
    assert bool(begun) == (note is not None)


class Kept:
    """One state, and the mirror of it."""

    def __init__(self, state: Pending) -> None:
        self.state, self.revision = cast("Pending | None", state), 1

    def last(self, _key: str, _kind: type[Pending]) -> Pending | None:
        return self.state

    async def find(self, _key: str, _kind: type[Pending]) -> tuple[Pending | None, int]:
        return self.state, self.revision

    async def put(self, _key: str, state: Pending | None, revision: int) -> int | None:
        if revision != self.revision:
            return None
        self.state, self.revision = state, revision + 1
        return self.revision


async def test_who_answered_is_let_in_later_where_the_log_of_actions_was_away() -> None:
    kept, clock, undone = Kept(settling(LOGGED, "right", 5, NOW)), SimpleNamespace(at=NOW), list[str]()

    async def undo(_group_id: int, _undo: Any, key: str, **_more: Any) -> None:
        undone.append(key)
        if len(undone) == 1:
            raise NotReadyError("nobody replies", waiting_for=["community"])

    async def found(_id: int) -> Any:
        return SimpleNamespace(id=-1)

    async def nothing(*_: Any) -> None:
        return None

    context = SimpleNamespace(
        kept=kept,
        groups=SimpleNamespace(find=found),
        now=lambda: clock.at,
        bot_id=lambda: 1,
        deeds=SimpleNamespace(undo=undo),
    )
    raids, greetings = SimpleNamespace(find=nothing), SimpleNamespace(welcome=nothing)
    joins = Joins(cast("Any", context), cast("Any", None), cast("Any", raids), cast("Any", greetings))
    with pytest.raises(NotReadyError):
        await joins.settle(
            cast("Any", SimpleNamespace(id=-1)), LOGGED.model_copy(update={"answered": "right", "cause": 5}), 1
        )
    assert not joins.is_due("captcha.-1.42")
    clock.at += AGAIN_SECONDS
    assert joins.is_due("captcha.-1.42")
    await joins.do_due("captcha.-1.42")
    assert undone == ["captcha.42.5"] * 2
    assert kept.state is None
    await joins.do_due("captcha.-1.42")
    assert len(undone) == 2
