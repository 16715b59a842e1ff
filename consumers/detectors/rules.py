"""The limits of the detectors, by tier where a coin's size matters, and what all of them do alike. Pure."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Mapping
from dataclasses import dataclass, field, fields
from decimal import Decimal
from hashlib import blake2b
from typing import Any, Final, Protocol, TypeVar, cast

from contracts.arithmetic.exact import EXACT, FINE
from contracts.arithmetic.tiers import Tiers
from contracts.instrument import make_instrument
from contracts.numbers import DAY_NS, time_of
from contracts.recent import Recent
from contracts.signals import Tier
from runtime.app.explaining.trace import Trace, is_held
from runtime.cooldowns import Cooldowns

FastEvent = Any  # a struct of `contracts.codec.fast`: decimals are text
Output = tuple[str, FastEvent]
"""(subject, signal)."""
Outputs = list[Output]
R = TypeVar("R")
K = TypeVar("K", bound=Hashable)
SECOND: Final = 1_000_000_000
MINUTE: Final = 60 * SECOND
HOUR: Final = 3600 * SECOND
INSTRUMENTS: Final = 10_000  # kept at least, those used last; at most twice as many
Percents = Mapping[Tier, Decimal]
_HUNDRED: Final = Decimal(100)
_COUNTS: Final = frozenset({"samples", "levels"})
_tails: Final[Recent[tuple[str, str], str]] = Recent(20_000)  # no state: what can be computed again
_ORIGIN: Final = ("venue", "symbol", "venue_symbol", "ts_event", "ts_recv", "sim")
_PLACES: Final = Decimal("0.0001")


def by_tier(majors: object, large: object, mid: object) -> dict[Tier, Decimal]:
    """Return a limit for each tier."""
    return {"majors": Decimal(str(majors)), "large": Decimal(str(large)), "mid": Decimal(str(mid))}


@dataclass(frozen=True, slots=True)
class FundingRules:
    """A rate whose size is beyond `limit`; or beyond `share` of the hourly rates of 30 days, and beyond `floor`."""

    tiers: Tiers = field(default_factory=Tiers)
    limit: Decimal = Decimal("0.001")
    share: Decimal = Decimal("0.99")  # 0: no quantile
    samples: int = 168  # hours, below which there is no quantile
    floor: Decimal = Decimal("0.0003")
    cooldown: int = 8 * HOUR


@dataclass(frozen=True, slots=True)
class InterestRules:
    """Open interest that changes by `percent` within `window` ns."""

    tiers: Tiers = field(default_factory=Tiers)
    percent: Percents = field(default_factory=lambda: by_tier(3, 5, 10))
    window: int = 15 * MINUTE
    cooldown: int = 15 * MINUTE


@dataclass(frozen=True, slots=True)
class WallRules:
    """A level worth `times` the median of at least `levels` levels of its side, and `usd`."""

    tiers: Tiers = field(default_factory=Tiers)
    times: Decimal = Decimal(20)
    usd: Percents = field(default_factory=lambda: by_tier(1_000_000, 300_000, 100_000))
    levels: int = 10
    cooldown: int = 10 * MINUTE


@dataclass(frozen=True, slots=True)
class SpreadRules:
    """A bid `percent` above another venue's ask; neither is older than `stale` ns by the time of the newer one."""

    tiers: Tiers = field(default_factory=Tiers)
    percent: Percents = field(default_factory=lambda: by_tier("0.3", "0.5", "1"))
    stale: int = 5 * SECOND
    cooldown: int = 5 * MINUTE


@dataclass(frozen=True, slots=True)
class VolumeRules:
    """A minute of `times` the median volume of at least `samples` of the last `minutes` minutes, worth `usd`."""

    tiers: Tiers = field(default_factory=Tiers)
    times: Decimal = Decimal(8)
    usd: Percents = field(default_factory=lambda: by_tier(5_000_000, 1_000_000, 250_000))
    minutes: int = 60
    samples: int = 30
    cooldown: int = 10 * MINUTE


@dataclass(frozen=True, slots=True)
class DetectorRules:
    """The limits of all detectors."""

    funding: FundingRules = field(default_factory=FundingRules)
    interest: InterestRules = field(default_factory=InterestRules)
    wall: WallRules = field(default_factory=WallRules)
    spread: SpreadRules = field(default_factory=SpreadRules)
    volume: VolumeRules = field(default_factory=VolumeRules)


class Detector(Protocol):
    """Decides by events alone, by their own time, so that the same events always give the same signals and ids.

    What `fold` raises is that event's fault and leaves everything as it was.
    """

    @property
    def cooldowns(self) -> Cooldowns[Any]:
        """The silences of its signals."""
        ...

    @property
    def forgotten(self) -> int:
        """How many instruments were dropped because memory is bounded."""
        ...

    def recall(self, signal: FastEvent, /) -> None:
        """Take note of a signal that was published before: its cooldown holds."""
        ...

    def fold(self, event: FastEvent, /) -> Outputs:
        """Fold one event and return the signals that follow from it."""
        ...


def mark_of(ids: Iterable[str]) -> str:
    """Return what is the same for the same events, and short enough for the id of a signal."""
    return blake2b(" ".join(ids).encode(), digest_size=12).hexdigest()


def event_time(event: FastEvent) -> int:
    """Return when an event counts as having happened, ns UTC."""
    return time_of(event.ts_event, event.ts_recv)


def origin_of(event: FastEvent) -> dict[str, Any]:
    """Return the fields of a signal that are those of the event that it follows from."""
    return {name: getattr(event, name) for name in _ORIGIN}


def fire(
    cooldowns: Cooldowns[K], key: K, spell: tuple[int, int], trace: Trace | None, *, make: Callable[[], Output]
) -> Outputs:
    """Return what `make` does and begin its silence; nothing while one holds.

    `spell`: the time (ns UTC) and how long a silence lasts, ns.
    """
    if is_held(cooldowns, key, spell, trace):
        return []
    output = make()
    cooldowns.begin(key, spell[0], output[1].id)
    return [output]


def is_old(event: FastEvent) -> bool:
    """Return whether an event happened more than a day before its receipt: nothing is decided by it."""
    return event_time(event) < event.ts_recv - DAY_NS


def tail_of(event: FastEvent) -> str:
    """Return the tokens that name an event's instrument in subjects."""
    key = (event.venue, event.symbol)
    return _tails.get(key) or _tails.put(key, make_instrument(event.venue, event.symbol, "").tail)


def percent(part: Decimal, whole: Decimal) -> Decimal:
    """Return how many percent of a whole, to four places."""
    return ratio(EXACT.multiply(part, _HUNDRED), whole) if whole else Decimal(0)


def ratio(part: Decimal, whole: Decimal) -> Decimal:
    """Return how many times a whole, to four places."""
    return EXACT.quantize(FINE.divide(part, whole), _PLACES)


def with_limits(rules: R, limits: Mapping[str, str]) -> R:
    """Return rules with some limits in place of the configured ones: `times`, or `usd_majors` for one of a tier.

    Raises ArithmeticError or ValueError for one that is no number.
    """
    held: dict[str, Any] = {name: getattr(rules, name) for name in _fields_of(rules)}
    for name, text in limits.items():
        if name in held:
            held[name] = int(text) if isinstance(held[name], int) else Decimal(text)
        else:
            group, _, tier = name.rpartition("_")
            held[group] = {**held[group], tier: Decimal(text)}
    return type(rules)(**held)


def limits_of(rules: object) -> frozenset[str]:
    """Return the names that `with_limits` takes."""
    names: set[str] = set()
    for name in _fields_of(rules):
        held = getattr(rules, name)
        if isinstance(held, Mapping):
            names |= {f"{name}_{tier}" for tier in cast("Mapping[str, Any]", held)}
        elif isinstance(held, Decimal) or name in _COUNTS:
            names.add(name)
    return frozenset(names)


def _fields_of(rules: object) -> list[str]:
    return [item.name for item in fields(cast("Any", rules))]
