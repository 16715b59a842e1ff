"""What a run came to: worth over time, the deepest fall from a height, and how long the base coin was held. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal
from typing import Final

from contracts.arithmetic.exact import EXACT, FINE

COVERS_NS: Final = 60 * 10**9  # how long an event stands for: silence for longer is missing data
_ZERO: Final = Decimal(0)
_HUNDRED: Final = Decimal(100)
_PLACES: Final = Decimal("0.0001")  # of percents


@dataclass(slots=True)
class Coverage:
    """How much of a span (ns UTC) has data: each event stands for the minute after it, until the next one."""

    begin_ns: int
    end_ns: int
    _last: int | None = None
    _covered: int = 0

    def on_event(self, now_ns: int) -> None:
        """Take that there was an event."""
        self._covered += self._since(now_ns)
        self._last = now_ns

    def percent(self) -> Decimal:
        """Return the share of the span that has data."""
        return percent(self._covered + self._since(self.end_ns), self.end_ns - self.begin_ns)

    def _since(self, now_ns: int) -> int:
        return 0 if self._last is None else max(0, min(now_ns - self._last, COVERS_NS))


@dataclass(slots=True)
class Worth:
    """What everything is worth in the quote, as it was and at most, at so many points of a span."""

    begin_ns: int
    end_ns: int
    points: int
    first: Decimal | None = None
    last: Decimal | None = None
    curve: list[tuple[int, Decimal]] = field(default_factory=list[tuple[int, Decimal]])
    _peak: Decimal = _ZERO
    _fall: Decimal = _ZERO  # fraction of the peak
    _held_since: int | None = None
    _held_ns: int = 0

    def on_value(self, value: Decimal, now_ns: int) -> None:
        """Take what everything is worth now."""
        if self.first is None:
            self.first = value
        if value > self._peak:
            self._peak = value
        elif self._peak > 0:
            self._fall = max(self._fall, FINE.divide(EXACT.subtract(self._peak, value), self._peak))
        self.last = value
        at = self._point(now_ns)
        if self.curve and self._point(self.curve[-1][0]) == at:
            self.curve[-1] = (now_ns, value)
        else:
            self.curve.append((now_ns, value))

    def on_held(self, amount: Decimal, now_ns: int) -> None:
        """Take how much of the base coin is held from now on."""
        if amount > 0 and self._held_since is None:
            self._held_since = now_ns
        elif amount <= 0 and self._held_since is not None:
            self._held_ns += now_ns - self._held_since
            self._held_since = None

    @property
    def profit(self) -> Decimal:
        """What it is worth at the end, less what it was worth at the beginning."""
        return _ZERO if self.first is None or self.last is None else EXACT.subtract(self.last, self.first)

    @property
    def max_drawdown(self) -> Decimal:
        """The deepest fall from a height before it, in percent of that."""
        return EXACT.quantize(EXACT.multiply(self._fall, _HUNDRED), _PLACES)

    @property
    def exposure(self) -> Decimal:
        """For how many percent of the span the base coin was held."""
        held = self._held_ns + (0 if self._held_since is None else self.end_ns - self._held_since)
        return percent(held, self.end_ns - self.begin_ns)

    def _point(self, now_ns: int) -> int:
        return (now_ns - self.begin_ns) * self.points // max(1, self.end_ns - self.begin_ns + 1)


def percent(part: int, whole: int) -> Decimal:
    """Return a share in percent, to four places; zero of nothing."""
    if whole <= 0:
        return _ZERO
    return EXACT.quantize(FINE.divide(Decimal(part * 100), Decimal(whole)), _PLACES)
