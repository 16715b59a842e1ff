"""The rate limit of an endpoint, symbol and event type: the first event goes at once, the others in a digest. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

from consumers.webhooks.delivery.rules import SECOND_NS, DigestRules
from consumers.webhooks.payloads.facts import Fact

_ALWAYS_AT_ONCE: Final = frozenset({"test", "endpoint.disabled", "digest"})


@dataclass(frozen=True, slots=True)
class Matched:
    """An event that an endpoint wants; `stream` and `before` say where reading goes on to find it again.

    `trace`: the W3C `traceparent` of an event that is sampled.
    """

    endpoint: str
    event_id: str
    fact: Fact
    stream: str = ""
    before: int = 0  # the last sequence of the stream that was read before it
    trace: str | None = None


@dataclass(slots=True)
class _Window:
    ends: int
    at_once: int = 1
    held: list[Matched] = field(default_factory=list[Matched])


class Coalescing:
    """Windows of `rules.seconds` that begin with an event that goes at once, or with a digest."""

    def __init__(self, rules: DigestRules) -> None:
        self._rules = rules
        self._span = int(rules.seconds * SECOND_NS)
        self._windows: dict[tuple[str, str | None, str], _Window] = {}

    def admit(self, matched: Matched, now_ns: int) -> bool:
        """Return whether an event goes at once; it is held where not."""
        fact = matched.fact
        if not self._span or fact.event_type in _ALWAYS_AT_ONCE:
            return True
        key = (matched.endpoint, fact.base, fact.event_type)
        window = self._windows.get(key)
        if window is None:
            self._windows[key] = _Window(now_ns + self._span)
            return True
        single = fact.event_type in self._rules.single
        if not window.held and single and window.at_once < self._rules.single_at_once:
            window.at_once += 1
            return True
        window.held.append(matched)
        return False

    def ended(self, now_ns: int, *, all_of_them: bool = False) -> Iterator[list[Matched]]:
        """Give what was held in each window that has ended, or is full, the oldest first."""
        for key, window in list(self._windows.items()):
            full = len(window.held) >= self._rules.most
            if not full and not all_of_them and now_ns < window.ends:
                continue
            if not window.held:
                del self._windows[key]
                continue
            held, window.held = window.held, []
            window.ends, window.at_once = now_ns + self._span, 1
            yield held

    def positions(self) -> dict[str, int]:
        """Return, by stream, from where reading must go on so that nothing that is held is missed."""
        found: dict[str, int] = {}
        for window in self._windows.values():
            for one in window.held:
                found[one.stream] = min(found.get(one.stream, one.before), one.before)
        return found
