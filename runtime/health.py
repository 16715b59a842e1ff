"""Whether this process lives and is ready: named checks, and the age of each loop's last beat."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from runtime import clock

Check = Callable[[], str | None]
"""None while all is well, else what is wrong in a few words."""


@dataclass(frozen=True, slots=True)
class Answer:
    """The answer to a probe: the problems by name, empty while all is well."""

    problems: Mapping[str, str]

    @property
    def well(self) -> bool:
        """Whether there is no problem."""
        return not self.problems


@dataclass(frozen=True, slots=True)
class _Beat:
    at: float
    limit: float


@dataclass
class Health:
    """Checks for readiness and beats for liveness; `monotonic` gives seconds.

    A loop that stops beating makes the process not live (a supervisor restarts it); a failing check only not ready.
    """

    monotonic: Callable[[], float] = clock.monotonic
    _checks: dict[str, Check] = field(default_factory=dict[str, Check], init=False)
    _beats: dict[str, _Beat] = field(default_factory=dict[str, _Beat], init=False)

    def check(self, name: str, check: Check) -> None:
        """Ask this before saying that the process is ready."""
        self._checks[name] = check

    def beat(self, name: str, limit: float) -> None:
        """The loop `name` is alive now and beats again within `limit` seconds."""
        self._beats[name] = _Beat(self.monotonic(), limit)

    def end(self, name: str) -> None:
        """The loop `name` ended as it should."""
        self._beats.pop(name, None)

    def live(self) -> Answer:
        """Loops that are overdue."""
        now = self.monotonic()
        overdue = {name: now - beat.at for name, beat in self._beats.items() if now - beat.at > beat.limit}
        return Answer({name: f"last beat {age:.1f} s ago" for name, age in overdue.items()})

    def ready(self) -> Answer:
        """Loops that are overdue and checks that fail."""
        problems = dict(self.live().problems)
        for name, check in self._checks.items():
            if (problem := check()) is not None:
                problems[name] = problem
        return Answer(problems)


def connected_check(connected: Callable[[], bool]) -> Check:
    """A check that fails while the bus is away."""
    return lambda: None if connected() else "not connected"
