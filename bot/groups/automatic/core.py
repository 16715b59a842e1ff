"""What bots wait for in groups, and what follows: newcomers who have to answer, raids, boards, reports. Pure.

Times are Unix seconds.
"""

from __future__ import annotations

from typing import Annotated, Final, Literal

from pydantic import BaseModel, ConfigDict, Field

MOST_WRONG: Final = 3  # answers, after which a newcomer has failed
SHARED_SECONDS: Final = 60.0  # for which one question serves everybody who joins
LARGEST: Final = 9  # of the two numbers of a sum
ANSWERS: Final = range(2, 2 * LARGEST + 1)
PROLONG_AT: Final = 0.9  # of a raid's time left, below which a join that is part of it prolongs it
Asked = Literal["button", "sum"]
Fails = Literal["kick", "ban", "decline", "nothing"]
Answered = Literal["right", "wrong", "late"]
AGAIN_SECONDS: Final = 15.0  # after which what follows from an answer is done again
MOST_TRIES: Final = 20
MOST_REPORTERS: Final = 100  # of one message


class StateModel(BaseModel):
    """What is kept of a group until it is over."""

    model_config = ConfigDict(frozen=True, extra="ignore")


class Pending(StateModel):
    """A newcomer who has to show that they are a person; `action_id` is the mute that an answer takes back.

    It is kept, `answered`, until what follows from the answer is done.
    """

    user_id: int
    name: str
    asked: Asked
    until: float
    first: int = 1
    second: int = 1
    wrong: int = 0
    fails: Fails = "kick"
    fails_seconds: int | None = None
    action_id: str | None = None
    rule_id: str | None = None
    in_raid: bool = False
    answered: Answered | None = None
    cause: int = 0  # names what follows from the answer: done again it is the same
    again_at: float = 0.0  # when what follows is done again, where nobody has said that it is done
    tries: int = 0


class Raid(StateModel):
    """Raid mode of a group: whoever joins until its end is held back."""

    began: float
    until: float
    seconds: int
    reason: str


class Board(StateModel):
    """The one message with the question that everybody who waits in a group answers below."""

    at: float
    in_raid: bool = False
    message_id: int | None = None


class Passed(StateModel):
    """Who answered before joining: they are not asked again."""

    at: float


class Report(StateModel):
    """A message that members reported; hidden from so many on until a moderator looks."""

    user_id: int
    name: str
    message_id: int
    text: str = ""
    photo: str | None = None
    thread_id: int | None = None
    reporters: Annotated[tuple[int, ...], Field(max_length=MOST_REPORTERS)] = ()
    hidden: bool = False


class Fading(StateModel):
    """A command that is deleted with its answers: `jobs` are the gateway's that send those."""

    at: float
    until: float
    message_ids: tuple[int, ...] = ()
    jobs: tuple[str, ...] = ()


def answer(pending: Pending, given: int, numbers: tuple[int, int]) -> Pending | Literal["right", "wrong"]:
    """Return what follows from an answer; after a wrong one the newcomer with another sum, of `numbers`."""
    if given == pending.first + pending.second:
        return "right"
    wrong = pending.wrong + 1
    if wrong >= MOST_WRONG:
        return "wrong"
    return pending.model_copy(update={"wrong": wrong, "first": numbers[0], "second": numbers[1]})


def settling(pending: Pending, answered: Answered, cause: int, now: float) -> Pending:
    """Return a newcomer who has answered, or whose time is over, while what follows is done."""
    update = {"answered": answered, "cause": cause, "again_at": now + AGAIN_SECONDS, "tries": 1}
    return pending.model_copy(update=update)


def is_due(pending: Pending, now: float) -> bool:
    """Return whether their time is over, or what follows from their answer has to be done again."""
    return now >= (pending.until if pending.answered is None else pending.again_at)


def due(pending: Pending, revision: int, now: float) -> Pending | None:
    """Return what is kept of a newcomer who is due while what follows is done; None after too many tries."""
    if pending.answered is None:
        return settling(pending, "late", revision, now)
    if pending.tries >= MOST_TRIES:
        return None
    return pending.model_copy(update={"again_at": now + AGAIN_SECONDS, "tries": pending.tries + 1})


def begin_raid(now: float, seconds: int, reason: str) -> Raid:
    """Return a raid that begins now and lasts so many seconds."""
    return Raid(began=now, until=now + seconds, seconds=seconds, reason=reason)


def prolong(raid: Raid, now: float) -> Raid:
    """Return a raid after another join that is part of it: it lasts as long from then on."""
    if raid.until - now >= PROLONG_AT * raid.seconds:
        return raid
    return raid.model_copy(update={"until": now + raid.seconds})


def needs_board(board: Board | None, now: float) -> bool:
    """Return whether a newcomer needs a message of their own: the last one is too far up by now."""
    return board is None or (not board.in_raid and now - board.at >= SHARED_SECONDS)


def reported(report: Report, reporter_id: int) -> Report:
    """Return a report by one more member; who reports twice counts once, and MOST_REPORTERS are enough."""
    if reporter_id in report.reporters or reporter_id == report.user_id or len(report.reporters) >= MOST_REPORTERS:
        return report
    return report.model_copy(update={"reporters": (*report.reporters, reporter_id)})


def hides(report: Report, after: int) -> bool:
    """Return whether so many reported a message that it is hidden; `after` 0 for never."""
    return not report.hidden and 0 < after <= len(report.reporters)
