"""From what a user's services need to the subjects that the server lets it publish and subscribe to. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from itertools import zip_longest
from typing import Final

from contracts import streams, subjects
from contracts.streams import DURABLES
from contracts.users.declared import USERS, needs_of
from contracts.users.needs import Needs

DEFAULT_INBOX: Final = "_INBOX"  # of users that are not declared: the admin, a subscriber, your own
CROSSING_REPLIES: Final = "_R_.>"  # where the server wants replies to what was asked from another account
PUBLIC_COMMANDS: Final = (
    subjects.MARKET_COMMANDS,
    subjects.CANDLES_LIST,
    subjects.HISTORY_CANDLES,
    subjects.HISTORY_TRADES,
)
"""What anybody may ask who has a subscriber's password."""
_SPECS: Final = {spec.name: spec for spec in DURABLES}
_LEASE: Final = subjects.LEASE + "*"


@dataclass(frozen=True, slots=True)
class Permissions:
    """Subjects with wildcards, sorted; whatever matches none of them is refused."""

    publish: tuple[str, ...]
    subscribe: tuple[str, ...]


def inbox_of(user: str | None) -> str:
    """Return the prefix of a user's inboxes: its own where the user is declared, so that no other one can read them."""
    return f"{DEFAULT_INBOX}_{user}" if user in USERS else DEFAULT_INBOX


@cache
def permissions_of(user: str) -> Permissions:
    """Return what a declared user may do; KeyError for another one."""
    needs = needs_of(user)
    return Permissions(
        publish=_sorted([*_published(needs), *_replied_to(needs)]),
        subscribe=_sorted([f"{inbox_of(user)}.>", *needs.subscribes, *_answered(needs)]),
    )


def _published(needs: Needs) -> list[str]:
    names = (*needs.reads, *map(_stream_of, (*needs.mirrors, *needs.writes)))
    leased = [_stream_of(streams.LEASES)] if needs.leases else []
    return [
        *needs.publishes,
        *_requested(needs),
        *(entry for name in (*names, *leased) for entry in _reading(name)),
        *(entry for name in needs.durables for entry in _pulling(name)),
        *(entry for name in needs.remakes for entry in _remaking(name)),
        *(f"$KV.{name}.>" for name in needs.writes),
        *(f"$KV.{streams.LEASES}.{key}" for key in needs.leases),
        *(f"{subjects.DEAD_LETTER}{name}.>" for name in (*needs.letters, *needs.durables)),
        *(f"$JS.API.{call}" for call in needs.api),
    ]


def _reading(stream: str) -> list[str]:
    """Messages by their place, consumers that end with their reader, and the flow control of those."""
    calls = ("STREAM.INFO", "STREAM.MSG.GET", "CONSUMER.CREATE", "DIRECT.GET")
    return [*(f"$JS.API.{call}.{stream}" for call in calls), f"$JS.API.DIRECT.GET.{stream}.>", f"$JS.FC.{stream}.>"]


def _pulling(durable: str) -> list[str]:
    spec = _SPECS[durable]
    place = f"{spec.stream}.{spec.name}"
    calls = (f"$JS.API.CONSUMER.INFO.{place}", f"$JS.API.CONSUMER.MSG.NEXT.{place}")
    return [*calls, f"$JS.ACK.{place}.>", f"$JS.ACK.*.*.{place}.>"]


def _remaking(durable: str) -> list[str]:
    spec = _SPECS[durable]
    place = f"{spec.stream}.{spec.name}"
    return [f"$JS.API.CONSUMER.DELETE.{place}", f"$JS.API.CONSUMER.CREATE.{place}.{spec.filter_subject}"]


def _answered(needs: Needs) -> list[str]:
    held = [_LEASE] if needs.leases else []
    return [*map(_command_subject, needs.serves), *needs.answers, *held]


def _requested(needs: Needs) -> list[str]:
    looked = [_LEASE] if needs.leases or needs.looks_for_holders else []
    return [*map(_command_subject, needs.asks), *needs.requests, *looked]


def _replied_to(needs: Needs) -> list[str]:
    """The inboxes of whoever may ask what these services answer, the admin's among them."""
    answered = _answered(needs)
    if not answered:
        return []
    askers = [user for user in USERS if _meet(answered, _requested(needs_of(user)))]
    crossing = [CROSSING_REPLIES] if _meet(answered, PUBLIC_COMMANDS) else []
    return [f"{DEFAULT_INBOX}.>", *(f"{inbox_of(user)}.>" for user in askers), *crossing]


def _command_subject(name: str) -> str:
    return f"{subjects.COMMAND}{name}" if "." in name else f"{subjects.COMMAND}{name}.>"


def _stream_of(bucket: str) -> str:
    return f"KV_{bucket}"


def _meet(some: Iterable[str], others: Iterable[str]) -> bool:
    second = tuple(others)
    return any(overlap(one, other) for one in some for other in second)


def overlap(one: str, other: str) -> bool:
    """Whether a subject can match both patterns."""
    for first, second in zip_longest(one.split("."), other.split(".")):
        if ">" in {first, second}:
            return first is not None and second is not None
        if first != second and "*" not in {first, second}:
            return False
        if first is None or second is None:
            return False
    return True


def allows(patterns: Iterable[str], subject: str) -> bool:
    """Whether one of the patterns covers a subject, or all that a pattern in its place matches."""
    return any(_covers(pattern.split("."), subject.split(".")) for pattern in patterns)


def _covers(pattern: list[str], subject: list[str]) -> bool:
    for place, word in enumerate(pattern):
        if word == ">":
            return len(subject) > place
        if place >= len(subject) or subject[place] == ">" or word not in {"*", subject[place]}:
            return False
    return len(pattern) == len(subject)


def _sorted(entries: Iterable[str]) -> tuple[str, ...]:
    """Each pattern once, without those that another one covers."""
    every = sorted(set(entries))
    return tuple(one for one in every if not any(other != one and allows((other,), one) for other in every))
