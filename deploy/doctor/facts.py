"""What was seen of a system, as plain data: gathered by `deploy.doctor.looking`, judged by `deploy.doctor.judging`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class PortFact:
    """A port that a setting names, and whether it is free."""

    setting: str
    host: str
    port: int
    free: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class DataFact:
    """The data directory: `problem` is why it cannot be written; sizes are bytes, `needed` None where it runs."""

    path: str
    user: str
    problem: str | None = None
    free: int
    total: int
    needed: int | None = None
    held: int = 0


@dataclass(frozen=True, slots=True)
class CertificateFact:
    """A certificate and its times (ns UTC), or why it cannot be read."""

    setting: str
    where: str
    not_before: int = 0
    not_after: int = 0
    problem: str | None = None


@dataclass(frozen=True, slots=True)
class ServerFact:
    """A bus server by its monitoring address: whether it syncs each write, its write error, or why it is silent."""

    url: str
    syncs: bool = True
    write_error: str | None = None
    problem: str | None = None


@dataclass(frozen=True, slots=True)
class ItemFact:
    """A declared stream, bucket or durable (`stream MARKET`): missing, or its drifts in words with whether safe."""

    place: str
    missing: bool
    drifts: tuple[tuple[str, bool], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class DurableFact:
    """One look at a durable: messages that wait, are unacknowledged, pulls that wait, and its last delivery.

    `delivered` is its consumer sequence; `last_active` is ns UTC, None where nothing was delivered yet; `ack_wait`
    seconds.
    """

    place: str
    pending: int
    unacked: int
    pulls: int
    delivered: int
    last_active: int | None
    ack_wait: float


@dataclass(frozen=True, slots=True)
class ClockFact:
    """Another clock: how far ours is ahead of it, and how far that may be wrong, seconds."""

    where: str
    ahead: float
    error: float


@dataclass(frozen=True, slots=True, kw_only=True)
class VenueFact:
    """An exchange's answer to one request: its status, what its adapter says of it, or why there was none.

    `refusal` is what the exchange means by an answer that is no success; `pause` the seconds that it wants to be left
    alone for.
    """

    venue: str
    url: str
    status: int | None = None
    refusal: str | None = None
    pause: float | None = None
    problem: str | None = None
    clock: ClockFact | None = None


@dataclass(frozen=True, slots=True)
class FeedFact:
    """A feed by the market core's word."""

    venue: str
    state: str | None
    reason: str | None


@dataclass(frozen=True, slots=True)
class TelegramFact:
    """What getMe answered: the status, its description, the bot's name, and whether it sees all messages of groups."""

    url: str
    status: int | None
    description: str = ""
    name: str = ""
    reads_groups: bool = True
    problem: str | None = None


@dataclass(frozen=True, slots=True)
class DocumentsFact:
    """Whether the document server answers: `problem` says why not, `refused` that it takes not who we are."""

    where: str
    problem: str | None = None
    refused: bool = False


@dataclass(frozen=True, slots=True)
class ApiFact:
    """The API's readiness: its status and what it waits for, or why it does not answer."""

    url: str
    status: int | None
    waits: tuple[str, ...] = ()
    problem: str | None = None


@dataclass(frozen=True, slots=True)
class KeyFact:
    """A linked account: `sealed` that its key does not open, else what the exchange's adapter says is wrong with it."""

    account: str
    venue: str
    problem: str | None
    sealed: bool = False


@dataclass(frozen=True, slots=True)
class CopyFact:
    """A running copy by its run.json: its parts with whether each lives, and where their logs are."""

    path: str
    mode: str
    logs: str
    parts: Mapping[str, bool] = field(default_factory=dict[str, bool])
