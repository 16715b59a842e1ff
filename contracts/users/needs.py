"""What a service needs of the bus, in the words of the contracts: subjects, commands, streams, buckets. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, fields


@dataclass(frozen=True, slots=True, kw_only=True)
class Needs:
    """What one service does on the bus; whatever is not named here, its user may not do.

    A command stands as `<service>.<verb>`, all of a service's as the service's name alone. `answers` and `requests` are
    other subjects on which something is asked and replied to. Streams, buckets and durables stand by their names.
    """

    publishes: tuple[str, ...] = ()  # subjects, with wildcards
    subscribes: tuple[str, ...] = ()  # core NATS
    serves: tuple[str, ...] = ()  # commands that it replies to
    asks: tuple[str, ...] = ()  # commands that it sends
    answers: tuple[str, ...] = ()  # subjects whose messages it replies to
    requests: tuple[str, ...] = ()  # subjects on which it waits for replies
    reads: tuple[str, ...] = ()  # streams, by consumers of its own and message by message
    durables: tuple[str, ...] = ()  # that it pulls from and acknowledges
    remakes: tuple[str, ...] = ()  # durables that it deletes and makes again
    mirrors: tuple[str, ...] = ()  # buckets that it reads
    writes: tuple[str, ...] = ()  # buckets that it reads and writes
    leases: tuple[str, ...] = ()  # keys of leases that it may hold
    looks_for_holders: bool = False  # finds out whether those who hold leases are there
    letters: tuple[str, ...] = ()  # names under which it writes dead letters
    api: tuple[str, ...] = ()  # other requests of the JetStream API, without `$JS.API.`

    def __or__(self, other: Needs) -> Needs:
        """Return what both need together."""
        return together((self, other))


def together(needs: Iterable[Needs]) -> Needs:
    """Return what several services in one process need, each thing once."""
    every = tuple(needs)
    listed = {
        one.name: tuple(dict.fromkeys(entry for need in every for entry in getattr(need, one.name)))
        for one in fields(Needs)
        if one.name != "looks_for_holders"
    }
    return Needs(**listed, looks_for_holders=any(need.looks_for_holders for need in every))
