"""What the whale detector keeps over a restart: open groups, prices, and the sizes of the last day. Pure.

One document has what changes all the time, at one sequence of the stream: groups, prices, and the sizes of the newest
two hours. Older hours do not change any more: each is written once, under a name that comes again a day later.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final, TypeVar

import msgspec

from consumers.whales.groups import HOURS, InstrumentState, check_fill
from contracts.arithmetic.exact import read_amount
from contracts.arithmetic.tiers import Tiers
from contracts.arithmetic.usd import UsdRate
from contracts.codec import fast
from contracts.market import Trade
from contracts.signals import UsdRateSource
from runtime.bounded import SavedCounts

T = TypeVar("T")
FastEvent = Any  # a struct of `contracts.codec.fast`: decimals are text
Sizes = dict[str, list[tuple[int, SavedCounts]]]
"""The sizes of hours (since 1970), by subject."""
Prices = list[tuple[str, str, str, int]]
KEY: Final = "whales"
HOUR_KEYS: Final = "whales.sizes."
_MOST_SAVED: Final = 900_000  # bytes: a message of the bus holds a million
_MOST_SIZES: Final = 400_000  # bytes of the newest hours' sizes in the document that is written every second
_SAVED_PRICES: Final = 1000  # of names of any length
_SAVED_FILLS: Final = 1000  # of open groups, in one saved document
_OPEN_HOURS: Final = 2


class Limit(msgspec.Struct):
    """The limit of an open group's instrument, and the rate that it is valued with: those of when it began."""

    second: int
    limit: str
    rate: str
    source: UsdRateSource


class Saved(msgspec.Struct):
    """Everything needed to go on after the stream's sequence `seq`; all by subject but the prices.

    `late` are the open groups of trades that were filled in.
    """

    seq: int
    groups: dict[str, list[FastEvent]]
    prices: Prices
    limits: dict[str, Limit] = {}
    late: dict[str, list[FastEvent]] = {}
    late_limits: dict[str, Limit] = {}
    sizes: Sizes = {}


class SavedHour(msgspec.Struct):
    """The sizes of one hour (since 1970) that is over, by subject."""

    hour: int
    counts: dict[str, SavedCounts]


@dataclass(frozen=True, slots=True)
class Written:
    """A document, and how much there was no room for."""

    body: bytes
    unsaved: int


def write(
    position: tuple[int, int], instruments: Iterable[InstrumentState], late: Iterable[InstrumentState], prices: Prices
) -> Written:
    """Write the document that changes all the time; `position` is (sequence, newest hour).

    Open groups that are more than it holds are left out, the oldest first, and sizes, those of few trades first.
    """
    seq, newest_hour = position
    known = list(instruments)
    groups, limits, unsaved = _open_groups(known)
    late_groups, late_limits, late_unsaved = _open_groups(late)
    sizes, left_out = _newest_sizes(known, newest_hour)
    saved = Saved(
        seq=seq, groups=groups, prices=prices, limits=limits, late=late_groups, late_limits=late_limits, sizes=sizes
    )
    body = msgspec.json.encode(saved)
    unsaved += late_unsaved
    if len(body) <= _MOST_SAVED:
        return Written(body, unsaved + left_out)
    body = msgspec.json.encode(Saved(seq=seq, groups={}, prices=prices[-_SAVED_PRICES:]))
    return Written(body, unsaved + len(groups) + len(late_groups) + len(sizes))


def _open_groups(instruments: Iterable[InstrumentState]) -> tuple[dict[str, list[FastEvent]], dict[str, Limit], int]:
    """Return open groups with their limits, and of how many there was no room."""
    groups, limits = dict[str, list[FastEvent]](), dict[str, Limit]()
    room, unsaved = _SAVED_FILLS, 0
    for instrument in sorted(instruments, key=lambda instrument: instrument.touched, reverse=True):
        if not instrument.fills:
            continue
        room -= len(instrument.fills)
        if room < 0:
            unsaved += 1
            continue
        groups[instrument.subject] = instrument.fills
        if instrument.rate is not None and instrument.limit_at is not None:
            limits[instrument.subject] = Limit(
                second=instrument.limit_at,
                limit=format(instrument.limit, "f"),
                rate=format(instrument.rate.rate, "f"),
                source=instrument.rate.source,
            )
    return groups, limits, unsaved


def write_hour(hour: int, instruments: Iterable[InstrumentState]) -> Written:
    """Write the sizes of an hour that is over; those of few trades are left out where they are too many."""
    found = {instrument.subject: instrument.sizes.find_slot(hour) for instrument in instruments}
    kept, unsaved = _fitting({subject: counts for subject, counts in found.items() if counts}, _MOST_SAVED)
    return Written(msgspec.json.encode(SavedHour(hour, kept)), unsaved)


def hour_key(hour: int) -> str:
    """Return the key of an hour's document: that of the same hour of the day before is replaced."""
    return f"{HOUR_KEYS}{hour % HOURS}"


@dataclass(frozen=True, slots=True)
class Read:
    """What a document holds: instruments with their open groups, prices, the sizes of the newest hours."""

    seq: int
    instruments: list[InstrumentState]
    late: list[InstrumentState]
    prices: Prices
    sizes: Sizes


def read(document: bytes, tiers: Tiers) -> Read:
    """Read what `write` wrote; raises msgspec.MsgspecError, SymbolSyntaxError, ValueError where it is not that."""
    saved = msgspec.json.decode(document, type=Saved)
    instruments = _read_groups(saved.groups, saved.limits, tiers)
    late = _read_groups(saved.late, saved.late_limits, tiers)
    for subject in saved.sizes:
        InstrumentState(subject, tiers)
    for _, _, price, _ in saved.prices:
        read_amount(price)
    return Read(saved.seq, instruments, late, saved.prices, saved.sizes)


def _read_groups(
    groups: Mapping[str, list[FastEvent]], limits: Mapping[str, Limit], tiers: Tiers
) -> list[InstrumentState]:
    instruments: list[InstrumentState] = []
    for subject, fills in groups.items():
        instrument = InstrumentState(subject, tiers)
        instrument.fills = msgspec.convert(fills, list[fast(Trade)])
        for fill in instrument.fills:
            instrument.bound = check_fill(instrument.bound, fill.price, fill.amount)
            instrument.seen.add(fill.id)
        if (limit := limits.get(subject)) is not None:
            instrument.keep_limit(limit.second)
            instrument.limit = read_amount(limit.limit)
            instrument.rate = UsdRate(read_amount(limit.rate), limit.source)
        instruments.append(instrument)
    return instruments


def read_hour(document: bytes, tiers: Tiers) -> SavedHour:
    """Read what `write_hour` wrote; raises msgspec.MsgspecError or SymbolSyntaxError where it is not that."""
    saved = msgspec.json.decode(document, type=SavedHour)
    for subject in saved.counts:
        InstrumentState(subject, tiers)
    return saved


def _newest_sizes(instruments: list[InstrumentState], newest: int) -> tuple[Sizes, int]:
    found = {
        instrument.subject: list(instrument.sizes.list_slots(newest - _OPEN_HOURS + 1).items())
        for instrument in instruments
        if instrument.sizes.count
    }
    return _fitting({subject: slots for subject, slots in found.items() if slots}, _MOST_SIZES)


def _fitting(found: dict[str, T], room: int) -> tuple[dict[str, T], int]:
    """Keep what fits into so many bytes, the largest first; return it with how many there was no room for."""
    lengths = {subject: len(msgspec.json.encode(held)) + len(subject) + 8 for subject, held in found.items()}
    kept: dict[str, T] = {}
    for subject in sorted(found, key=lambda subject: lengths[subject], reverse=True):
        room -= lengths[subject]
        if room >= 0:
            kept[subject] = found[subject]
    return kept, len(found) - len(kept)


def closed_hours(before: int, newest: int) -> range:
    """Return the hours that are over since the newest one is `newest`, which was `before` until now."""
    return range(max(before, newest - HOURS) - _OPEN_HOURS + 1, newest - _OPEN_HOURS + 1)
