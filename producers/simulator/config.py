"""Everything that a simulator is started with: load, listing, keep-alive rules, the points that vendors leave open."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from typing import Any

from producers.simulator.hub import Heartbeat
from producers.simulator.market.listing import Listing
from producers.simulator.registry import VENUES
from producers.simulator.venue import Setup, Snapshots, Venue

SLOWEST, FASTEST = 0.1, 50
STEPS_MS = ((4, 50), (15, 20), (FASTEST, 10))
DEFAULT_BASES = ("BTC", "ETH", "SOL", "XRP", "DOGE")


def default_heartbeats() -> dict[str, Heartbeat]:
    """Return each venue's documented keep-alive rules."""
    return {name: venue.heartbeat for name, venue in VENUES.items()}


class Options:
    """What the vendors' pages leave open, and limits that tests change.

    Every point of a venue's own `Options` is given as `<venue>_<point>`, such as `okx_book_snapshot=False`; TypeError
    names one that does not exist. `notice_lead_s` is how long before a close its notice is sent.
    """

    def __init__(self, *, notice_lead_s: float = 30.0, **points: object) -> None:
        self.notice_lead_s = notice_lead_s
        self._changed: Mapping[str, dict[str, object]] = {name: _pop_points(name, points) for name in VENUES}
        if points:
            raise TypeError(f"options: {', '.join(points)}: no venue has such a point")

    def find(self, venue: str) -> Any:
        """Return the options of one venue."""
        changed = self._changed[venue]
        return replace(VENUES[venue].options, **changed) if changed else VENUES[venue].options


def _pop_points(venue: str, points: dict[str, object]) -> dict[str, object]:
    options = VENUES[venue].options
    names = () if options is None else [item.name for item in fields(options)]
    return {name: points.pop(f"{venue}_{name}") for name in names if f"{venue}_{name}" in points}


@dataclass(frozen=True, slots=True)
class SimulatorConfig:
    """One simulator. `rate` (0.1 to 50) multiplies every event rate; `port` 0 takes a free one.

    `whale_every_s` and `cascade_every_s` are intervals at rate 1; `send_buffer` is how many bytes may wait for one
    slow client before its socket is cut.
    """

    seed: int = 1
    venues: tuple[str, ...] = tuple(VENUES)
    rate: float = 1.0
    host: str = "127.0.0.1"
    port: int = 0
    bases: tuple[str, ...] = DEFAULT_BASES
    whale_every_s: tuple[float, float] = (5.0, 10.0)
    cascade_every_s: tuple[float, float] = (30.0, 60.0)
    heartbeats: dict[str, Heartbeat] = field(default_factory=default_heartbeats)
    options: Options = field(default_factory=Options)
    enforce_limits: bool = True
    send_buffer: int = 16 * 1024 * 1024

    def __post_init__(self) -> None:
        if not SLOWEST <= self.rate <= FASTEST:
            raise ValueError(f"rate: {self.rate} is not within 0.1 and 50")
        if not self.venues:
            raise ValueError("venues: none given")
        for venue in self.venues:
            if venue not in VENUES:
                raise ValueError(f"venues: {venue!r} is not one of {', '.join(VENUES)}")

    def heartbeat(self, venue: str) -> Heartbeat:
        """Return the rules of one venue: the given ones, else the documented ones."""
        return self.heartbeats.get(venue) or VENUES[venue].heartbeat

    def open_venue(self, name: str, listings: list[Listing], snapshots: Snapshots) -> Venue:
        """Return one venue, opened with its listings, its rules and its options."""
        rules, options = self.heartbeat(name), self.options.find(name)
        return VENUES[name].open(Setup(name, listings, snapshots, rules, options, self.seed, self.enforce_limits))

    @property
    def step_ms(self) -> int:
        """How long one market step is: shorter at higher rates, always a divisor of 100 ms."""
        return next(step for rate, step in STEPS_MS if self.rate <= rate)
