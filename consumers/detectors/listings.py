"""Listings: what a venue has begun, or ceased, to list. Pure: each listing of a unit goes in, changes come out.

A venue may be followed by several units, each with a listing of its own of the whole venue: an instrument is listed
when the first of them shows it, and delisted when none does any more. A unit's first listing is where it begins.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, Final

import msgspec

from consumers.detectors.rules import FastEvent, Outputs, mark_of
from contracts import subjects
from contracts.codec import fast
from contracts.errors import SymbolSyntaxError
from contracts.instrument import Instrument, make_instrument
from contracts.recent import Recent
from contracts.signals import ListingChange
from runtime.app.explaining.trace import Trace
from runtime.cooldowns import Cooldowns

FastSignal: Final = fast(ListingChange)
RULE: Final = "listing/1"
UNITS: Final = 256


class Listing(msgspec.Struct, frozen=True, kw_only=True):
    """One listing of a unit: what it lists, by symbol, and the venue's own symbols; `ts_recv`: when it was written."""

    id: str
    unit: str
    venue: str
    symbol: str
    revision: int
    ts_recv: int
    listed: dict[str, str]
    sim: bool = False
    ts_event: int | None = None
    kind: str = "listing_of_a_unit"


@dataclass(slots=True)
class _Unit:
    venue: str = ""
    revision: int = 0
    event_id: str = ""
    listed: dict[str, str] = field(default_factory=dict[str, str])
    changed: bool = False
    # by revisions that are not folded yet, and may be gone: the bucket keeps the newest only
    published: dict[tuple[str, str], int] = field(default_factory=dict[tuple[str, str], int])


class SavedUnit(msgspec.Struct):
    """A unit as it is kept over a restart."""

    venue: str
    revision: int
    event_id: str
    listed: dict[str, str]


class ListingDetector:
    """The last listing of every unit."""

    def __init__(self, trace: Trace | None = None) -> None:
        self.cooldowns: Cooldowns[str] = Cooldowns(1)
        self._trace = trace
        self._units: Recent[str, _Unit] = Recent(UNITS)

    @property
    def forgotten(self) -> int:
        """How many units were dropped because others came."""
        return self._units.dropped

    def recall(self, signal: FastEvent) -> None:
        """Take note of a change that was published after the unit's last listing here was folded."""
        unit, _, revision = signal.event_ids[-1].rpartition(".")
        held = self._units.get(unit)
        if held is not None and revision.isdigit() and int(revision) > held.revision:
            held.published[signal.change, signal.symbol] = int(revision)

    def fold(self, listing: Listing) -> Outputs:
        """Fold one listing; one that is not newer than the unit's last changes nothing."""
        held = self._units.get(listing.unit)
        if held is not None and listing.revision <= held.revision:
            return []
        before = held or self._units.put(listing.unit, _Unit(listing.venue))
        others = self._listed_elsewhere(listing)
        changes: list[tuple[str, str]] = []
        if held is not None:
            changes += [("listed", symbol) for symbol in sorted(listing.listed.keys() - held.listed.keys() - others)]
            changes += [("delisted", symbol) for symbol in sorted(held.listed.keys() - listing.listed.keys() - others)]
        changes = [one for one in changes if before.published.get(one, listing.revision) >= listing.revision]
        ids = [part for part in (before.event_id, listing.id) if part]
        names = {**before.listed, **listing.listed}
        outputs = [
            output
            for change, symbol in changes
            for output in self._signals(listing, change, (symbol, names[symbol]), ids)
        ]
        self._compare(listing, before)
        before.venue, before.revision, before.event_id = listing.venue, listing.revision, listing.id
        before.listed, before.changed = dict(listing.listed), True
        before.published = {one: at for one, at in before.published.items() if at > listing.revision}
        return outputs

    def save(self) -> dict[str, bytes]:
        """Return the units that changed since the last call: unit -> document for `restore`."""
        changed = {name: held for name, held in self._units.items() if held.changed}
        for held in changed.values():
            held.changed = False
        return {
            name: msgspec.json.encode(SavedUnit(held.venue, held.revision, held.event_id, held.listed))
            for name, held in changed.items()
        }

    def restore(self, unit: str, document: bytes) -> None:
        """Take back what `save` gave; msgspec.MsgspecError where it is not that."""
        saved = msgspec.json.decode(document, type=SavedUnit)
        self._units.put(unit, _Unit(saved.venue, saved.revision, saved.event_id, saved.listed))

    def _listed_elsewhere(self, listing: Listing) -> set[str]:
        others = [unit for name, unit in self._units.items() if unit.venue == listing.venue and name != listing.unit]
        return {symbol for unit in others for symbol in unit.listed}

    def _compare(self, listing: Listing, before: _Unit) -> None:
        if self._trace is not None:
            changed = len(listing.listed.keys() ^ before.listed.keys())
            known = bool(before.revision)
            self._trace.compare(
                f"instruments that changed in the listing of {listing.unit}",
                (changed if known else 0, ">=", 1),
                listing.ts_recv,
                holds=known and changed > 0,
            )

    def _signals(self, listing: Listing, change: str, named: tuple[str, str], ids: Iterable[str]) -> Outputs:
        symbol, venue_symbol = named
        try:
            instrument = make_instrument(listing.venue, symbol, venue_symbol)
        except SymbolSyntaxError:  # no subject can name it
            return []
        events = list(ids)
        signal = FastSignal(
            id=f"{instrument.tail}.listing.{change}.{mark_of([listing.id])}",
            venue=listing.venue,
            symbol=symbol,
            venue_symbol=venue_symbol,
            ts_event=None,
            ts_recv=listing.ts_recv,
            sim=listing.sim,
            change=change,
            base=instrument.base,
            quote=instrument.quote,
            event_ids=events,
            rule=RULE,
        )
        return [(subjects.LISTING + instrument.tail, signal)]


def make_listing(
    unit: str, listed: Iterable[Instrument], place: tuple[int, int], *, sim: bool = False
) -> Listing | None:
    """Return the listing of a unit that the bucket took at `place` (revision, ns UTC); None where it lists nothing."""
    revision, at = place
    found: list[Any] = list(listed)
    if not found:
        return None
    names = {item.symbol: item.venue_symbol for item in found}
    return Listing(
        id=f"{unit}.{revision}",
        unit=unit,
        venue=found[0].venue,
        symbol=found[0].symbol,
        revision=revision,
        ts_recv=at,
        listed=names,
        sim=sim,
    )
