"""A press while the mute that it takes back is being logged counts; a second press at the same time does not."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any, cast

import pytest

from bot.callback_data import pack
from bot.groups.automatic.answers import Answers
from bot.groups.automatic.core import Pending
from bot.texts.automatic import GATE

ASKED = Pending(user_id=42, name="Ann", asked="button", until=1e12)


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
        (ASKED.model_copy(update={"action_id": "act_1"}), "automatic.note.right", [None]),
        (ASKED.model_copy(update={"wrong": 1}), None, []),
        (None, None, []),
    ],
    ids=["the mute was logged", "a wrong answer was noted", "it was answered"],
)
async def test_a_press_beside_another_write(other: Pending | None, note: str | None, written: list[None]) -> None:
    states, begun = States(other), list[Callable[..., Any]]()

    async def find_group(_id: int) -> Any:
        return SimpleNamespace(id=-1, reader=SimpleNamespace(plain=lambda key, **_: key))

    context = SimpleNamespace(kept=states, groups=SimpleNamespace(find=find_group))
    work = SimpleNamespace(start=lambda job, **_: begun.append(job))
    answers = Answers(cast("Any", context), cast("Any", None), cast("Any", work))
    message = SimpleNamespace(chat=SimpleNamespace(id=-1, type="supergroup"))
    query = SimpleNamespace(data=pack(GATE, "in", "-1"), message=message, from_user=SimpleNamespace(id=42))
    assert await answers._press(cast("Any", query)) == note
    assert states.written == written
    assert bool(begun) == (note is not None)
