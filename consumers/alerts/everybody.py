"""Decides the alerts for everybody about signals and single large liquidations. Pure: events go in, alerts come out.

A late whale, found among trades that a cut hid, is no news: no alert is about it.

Of each kind, instrument (or base, of what spans venues) and side there is at most one alert in the tier's cooldown; the
next one says how many it stands for.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from hashlib import blake2b
from typing import Any, Final, Literal

import msgspec

from consumers.alerts.core import LATE_NS, MOST_CAUSES, FastAlert
from contracts import subjects
from contracts.alerts import ALERT_KINDS, PRICE_ALERT
from contracts.arithmetic.exact import as_dollars, in_dollars, read_amount, value_of
from contracts.arithmetic.tiers import Tiers, UsdByTier
from contracts.arithmetic.usd import UsdRates
from contracts.instrument import split_symbol
from contracts.numbers import time_of
from contracts.recent import Recent
from contracts.schema.routes import kind_of
from contracts.signals import Tier

FastEvent = Any  # a struct of `contracts.codec.fast`: decimals are text
LIQUIDATION: Final = "liquidation"
WHALE: Final = "whale"
LIQUIDATION_RULE: Final = "liquidation/1"
KEYS: Final = 20_000  # kept at least, those used last; at most twice as many
_MARK_BYTES: Final = 8
_TAIL_TOKENS: Final = 4


@dataclass(frozen=True, slots=True)
class EverybodyRules:
    """Which liquidations are large, and for how long (ns) an alert silences those like it, by tier."""

    tiers: Tiers
    liquidation_usd: UsdByTier
    cooldown: Mapping[Tier, int]


class Silence(msgspec.Struct):
    """The alert that spoke last of a key, and what was held since; times are ns UTC."""

    clock: int
    spoke: int
    fired_id: str
    seq: int
    held: int = 0
    causes: list[str] = msgspec.field(default_factory=list[str])


@dataclass(frozen=True, slots=True)
class Verdict:
    """What became of one event: `alert` where it spoke, else whether it was held or was too small."""

    key: str
    alert: FastEvent | None
    before: Silence | None
    state: Literal["fired", "held", "not_met"]
    usd: str | None


@dataclass(frozen=True, slots=True)
class _Event:
    """What the rule needs of an event."""

    kind: str
    tail: str
    base: str
    tier: Tier
    side: str | None
    usd: str | None

    @property
    def key(self) -> str:
        return f"{self.kind}.{self.tail}.{self.side or '-'}"


class Everybody:
    """The silences of every key."""

    def __init__(self, rules: EverybodyRules) -> None:
        self.rules = rules
        self.silences: Recent[str, Silence] = Recent(KEYS)
        self._rates = UsdRates()  # without prices: dollars and dollar coins only, so that a repetition decides alike

    def fold(self, subject: str, event: FastEvent, seq: int, now: int | None = None) -> Verdict | None:
        """Fold a signal or liquidation, message `seq` of its stream; None where it makes no alert."""
        read = self._read(subject, event)
        if read is None:
            return None
        before = self.silences.get(read.key)
        kept = None if before is None else msgspec.structs.replace(before, causes=list(before.causes))
        if read.kind == LIQUIDATION and not self.is_large(read.tier, read.usd):
            return Verdict(read.key, None, kept, "not_met", read.usd)
        clock = event.ts_recv if before is None else max(before.clock, event.ts_recv)
        if before is not None and clock < before.spoke + self.rules.cooldown[read.tier]:
            before.clock, before.held = clock, before.held + 1
            before.causes = [*before.causes[1 - MOST_CAUSES :], event.id]
            return Verdict(read.key, None, kept, "held", read.usd)
        held = 0 if before is None else before.held
        causes = [event.id] if before is None else [*before.causes[1 - MOST_CAUSES :], event.id]
        alert = _alert(read, event, (clock, held + 1, causes), now)
        self.silences.put(read.key, Silence(clock, clock, alert.id, seq))
        return Verdict(read.key, alert, kept, "fired", read.usd)

    def is_large(self, tier: Tier, usd: str | None) -> bool:
        """Return whether a liquidation is worth telling."""
        return usd is not None and Decimal(usd) >= self.rules.liquidation_usd[tier]

    def _read(self, subject: str, event: FastEvent) -> _Event | None:
        kind = kind_of(subject)
        if kind not in ALERT_KINDS or kind == PRICE_ALERT or (kind == WHALE and event.late):
            return None
        base = split_symbol(event.symbol)[0]
        tail = ".".join(subject.split(".")[-_TAIL_TOKENS:])
        tier: Tier = getattr(event, "tier", None) or self.rules.tiers.find(base)
        if kind == LIQUIDATION:
            return _Event(kind, tail, base, tier, event.position_side, self._worth(event))
        return _Event(kind, tail, base, tier, getattr(event, "side", None), getattr(event, "usd_value", None))

    def _worth(self, liquidation: FastEvent) -> str | None:
        rate = self._rates.find(split_symbol(liquidation.symbol)[1], 0)
        if rate is None or liquidation.amount is None:
            return None
        price = Decimal(liquidation.average_price or liquidation.price)
        return as_dollars(in_dollars(value_of(price, read_amount(liquidation.amount)), rate.rate))


def alert_subject(alert: FastEvent) -> str:
    """Return where an alert is published."""
    tail = alert.id.partition(".alert.")[0]
    return f"{subjects.ALERT}{alert.alert}.{tail}"


def _alert(read: _Event, event: FastEvent, decided: tuple[int, int, list[str]], now: int | None) -> FastEvent:
    clock, stands_for, causes = decided
    at = time_of(event.ts_event, event.ts_recv)
    mark = blake2b(event.id.encode(), digest_size=_MARK_BYTES).hexdigest()
    return FastAlert(
        id=f"{read.tail}.alert.{read.kind}.{mark}",
        venue=event.venue,
        symbol=event.symbol,
        venue_symbol=event.venue_symbol,
        ts_event=event.ts_event,
        ts_recv=clock,
        sim=event.sim,
        alert=read.kind,
        rule=getattr(event, "rule", LIQUIDATION_RULE),
        fired_at=at,
        late=now is not None and now - event.ts_recv > LATE_NS,
        stands_for=stands_for,
        causes=causes,
        tier=read.tier,
        side=read.side,
        usd_value=read.usd,
        price=getattr(event, "price", None),
    )
