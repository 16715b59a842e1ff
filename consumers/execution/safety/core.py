"""Decides when orders are stopped: after errors in a row, and when nothing was reached for too long. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

from contracts.services.trading.events import TradingTripped

MOST_ERRORS: Final = 5  # in a row
LOST_AFTER_SECONDS: Final = 30  # without the documents, or the bus
LONGEST_REASON: Final = 300

What = Literal["venue", "strategy", "heartbeat"]


@dataclass(frozen=True, slots=True)
class Scope:
    """Whose orders are counted together: an owner's at one venue, or of one strategy (`name` is its id)."""

    owner: str
    what: What
    name: str


class Streaks:
    """Errors in a row by scope; in memory: a restart begins to count again."""

    def __init__(self, most: int = MOST_ERRORS) -> None:
        self._most = most
        self._errors: dict[Scope, int] = {}

    def on_error(self, scope: Scope) -> int | None:
        """Count an error; returns how many there were in a row where this one is one too many, else None."""
        errors = self._errors[scope] = self._errors.get(scope, 0) + 1
        return errors if errors == self._most else None

    def on_success(self, scope: Scope) -> None:
        """Begin to count again."""
        self._errors.pop(scope, None)

    def forget(self, owner: str) -> None:
        """Begin to count again for all of an owner's."""
        self._errors = {scope: errors for scope, errors in self._errors.items() if scope.owner != owner}


class Heartbeat:
    """Whether what is needed to act was reached lately; times in seconds of a clock that never goes back."""

    def __init__(self, limit: float = LOST_AFTER_SECONDS) -> None:
        self._limit = limit
        self._missing_since: float | None = None
        self._lost = False

    def note(self, now: float, *, reached: bool) -> bool:
        """Note whether it was reached; returns whether the heartbeat is lost with this: once, until it is back."""
        if reached:
            self._missing_since, self._lost = None, False
            return False
        if self._missing_since is None:
            self._missing_since = now
        lost = now - self._missing_since >= self._limit
        news, self._lost = lost and not self._lost, lost
        return news


@dataclass(frozen=True, slots=True, kw_only=True)
class Trip:
    """Orders of a scope are stopped; `ts` ns UTC."""

    scope: Scope
    account: str
    venue: str
    errors: int
    reason: str
    ts: int
    cleared: bool = False

    @property
    def id(self) -> str:
        """Name this trip: another one of the same scope has another."""
        return f"{self.account}.tripped.{self.scope.what}.{self.scope.name}.{self.ts}"

    def refusal(self) -> str:
        """Return why an order is not sent, in words for its owner."""
        whose = f"orders at {self.venue}" if self.scope.what == "venue" else "orders of this strategy"
        return f"{whose} are stopped after {self.errors} errors in a row ({self.reason}): resume trading first"

    def event(self) -> TradingTripped:
        """Return the event of it."""
        return TradingTripped(
            id=self.id,
            ts=self.ts,
            account=self.account,
            owner=self.scope.owner,
            venue=self.venue,
            what=self.scope.what,
            strategy=self.scope.name if self.scope.what == "strategy" else None,
            errors=self.errors,
            reason=self.reason,
        )
