"""Liquidations and whales of one base on every venue: the recent ones, and sums of liquidations by the minute. Pure."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from decimal import Decimal
from functools import reduce
from typing import Any, Final

from consumers.cache.newest import insert_by_time
from contracts import codec
from contracts.arithmetic.exact import EXACT, as_dollars, in_dollars, read_amount, value_of
from contracts.arithmetic.usd import UsdRates
from contracts.numbers import time_of
from contracts.state import LiquidationEntry, LiquidationsState, LiquidationTotals, WhalesState
from runtime.seen.ids import SeenIds

FastEvent = Any  # a struct of `contracts.codec.fast`: decimals are text
FastDocument = Any  # the same of a document
MINUTE: Final = 60_000_000_000
WINDOWS: Final[dict[str, int]] = {"1h": 60, "4h": 240, "24h": 1440}
KEPT: Final = 100
_DAY_MINUTES: Final = 1440
_NOTHING: Final = Decimal(0)
_REMEMBERED: Final = 20_000
_MINUTE_BYTES: Final = 340  # of one with its sums
_ENTRY_BYTES: Final = 350
_WHALE_BYTES: Final = 1160  # with the id of one trade
_ID_BYTES: Final = 112  # of each trade more
_ENTRY: Final = codec.fast(LiquidationEntry)
_TOTALS: Final = codec.fast(LiquidationTotals)
_LIQUIDATIONS: Final = codec.fast(LiquidationsState)
_WHALES: Final = codec.fast(WhalesState)


class _Minute:  # there are 1,440 of each base: a day of them
    __slots__ = ("count", "long", "sampled", "short", "sim", "unknown", "unvalued")

    def __init__(self) -> None:
        self.long = self.short = self.unknown = _NOTHING
        self.count = 0
        self.unvalued = 0
        self.sampled = False
        self.sim = False


class LiquidationTally:
    """Liquidations of one base; sums reach 24 h back."""

    def __init__(self, base: str) -> None:
        self.base = base
        self.dirty = True
        self.shown = 0
        self.as_of = 0
        self._recent: deque[FastDocument] = deque(maxlen=KEPT)
        self._minutes: dict[int, _Minute] = {}
        self._seen = SeenIds(_REMEMBERED)

    def size(self) -> int:
        """Return the bytes that its ids, its minutes and its entries take."""
        return self._seen.size() + _MINUTE_BYTES * len(self._minutes) + _ENTRY_BYTES * len(self._recent)

    def fold(self, event: FastEvent, quote: str, rates: UsdRates) -> None:
        """Fold one liquidation whose price is in `quote`; a repeated one changes nothing.

        FigureError, with everything as it was, for one that cannot be summed.
        """
        if event.id in self._seen:
            return
        ts = time_of(event.ts_event, event.ts_recv)
        usd = _value(event, quote, rates, ts)
        self._seen.add(event.id)
        minute = self._minutes.setdefault(ts // MINUTE, _Minute())
        minute.count += 1
        minute.sampled = minute.sampled or event.sampled
        minute.sim = minute.sim or event.sim
        if usd is None:
            minute.unvalued += 1
        else:
            side = event.position_side or "unknown"
            setattr(minute, side, EXACT.add(getattr(minute, side), usd))
        self._recent.appendleft(_entry(event, ts, usd))
        self.dirty = True

    def document(self, now: int) -> FastDocument:
        """Give the `contracts.state.LiquidationsState` with windows that end at `now` (ns UTC)."""
        self.as_of = now
        oldest = now // MINUTE - _DAY_MINUTES
        for minute in [minute for minute in self._minutes if minute <= oldest]:
            del self._minutes[minute]
        return _LIQUIDATIONS(
            sim=any(minute.sim for minute in self._minutes.values()),
            base=self.base,
            recent=list(self._recent),
            totals={name: self._total(now // MINUTE - minutes) for name, minutes in WINDOWS.items()},
            as_of=now,
            sampled=any(minute.sampled for minute in self._minutes.values()),
        )

    def is_due(self, now: int) -> bool:
        """Tell whether the windows have moved on by a minute since the last document."""
        return bool(self._minutes) and now // MINUTE > self.as_of // MINUTE

    def _total(self, after: int) -> FastDocument:
        minutes = [minute for start, minute in self._minutes.items() if start > after]
        return _TOTALS(
            long_usd=_sum(minute.long for minute in minutes),
            short_usd=_sum(minute.short for minute in minutes),
            unknown_usd=_sum(minute.unknown for minute in minutes),
            count=sum(minute.count for minute in minutes),
            unvalued=sum(minute.unvalued for minute in minutes),
        )


class WhaleList:
    """The newest whales of one base, newest first."""

    def __init__(self, base: str) -> None:
        self.base = base
        self.dirty = True
        self.shown = 0
        self.seq = 0
        self.whales: deque[FastEvent] = deque(maxlen=KEPT)

    def fold(self, whale: FastEvent, seq: int) -> None:
        """Fold one whale, a late one by its time; a repeated one changes nothing."""
        self.seq = seq
        if any(held.id == whale.id for held in self.whales):
            return
        if not whale.late:
            self.whales.appendleft(whale)
        elif not insert_by_time(self.whales, whale):
            return
        self.dirty = True

    def size(self) -> int:
        """Return the bytes of the whales that are kept."""
        return sum(_WHALE_BYTES + _ID_BYTES * (len(whale.trade_ids) - 1) for whale in self.whales)

    def document(self) -> FastDocument:
        """Give the `contracts.state.WhalesState`."""
        sim = any(whale.sim for whale in self.whales)
        return _WHALES(sim=sim, base=self.base, whales=list(self.whales), seq=self.seq)


def _value(event: FastEvent, quote: str, rates: UsdRates, ts: int) -> Decimal | None:
    rate = rates.find(quote, ts)
    if rate is None or event.amount is None:
        return None
    price = Decimal(event.average_price or event.price)
    return in_dollars(value_of(price, read_amount(event.amount)), rate.rate)


def _entry(event: FastEvent, ts: int, usd: Decimal | None) -> FastDocument:
    return _ENTRY(
        sim=event.sim,
        id=event.id,
        venue=event.venue,
        symbol=event.symbol,
        ts=ts,
        price=event.average_price or event.price,
        amount=event.amount,
        usd_value=None if usd is None else as_dollars(usd),
        position_side=event.position_side,
        order_side=event.order_side,
        sampled=event.sampled,
    )


def _sum(values: Iterable[Decimal]) -> str:
    return as_dollars(reduce(EXACT.add, values, _NOTHING))
