"""How far the delivery of one endpoint's events is, and what may be posted next. Pure.

Every sequence below `next` is delivered, dead or coalesced, unless it stands in `open`.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Any

from consumers.webhooks.delivery.circuit import CLOSED, Circuit, is_hopeless, on_failure
from consumers.webhooks.delivery.outcome import Outcome
from consumers.webhooks.delivery.rules import SECOND_NS, DeliveryRules, pause
from contracts.services.webhooks.endpoints import Ordering

Document = dict[str, Any]


@dataclass(slots=True)
class Open:
    """An event that is to be posted, at once or when it is due (ns UTC); `tries` are those that failed."""

    lane: str
    tries: int = 0
    due: int = 0


@dataclass(slots=True, kw_only=True)
class Progress:
    """Of one endpoint; times are ns UTC, 0 for never. `version` grows with each write: of two writers one fails.

    `page`: where the page begins that holds `next`. `notice`: a change since the last write of which the endpoint's
    owner is to be notified.
    """

    endpoint: str
    version: int = 0
    next: int = 1
    page: int = 1
    open: dict[int, Open] = field(default_factory=dict[int, Open])
    circuit: Circuit = CLOSED
    quiet_until: int = 0  # what the receiver asked for by Retry-After
    disabled: int = 0
    notice: str | None = None

    def blocked_until(self) -> int:
        """Return when the next post may be sent at all."""
        return max(self.quiet_until, self.circuit.until if self.circuit.is_open else 0)

    def next_due(self, ordering: Ordering) -> int | None:
        """Return when the next event is due (0 for at once); None where none is open."""
        if not self.open:
            return None
        heads = _heads(self.open).values() if ordering == "symbol" else self.open
        return min(self.open[sequence].due for sequence in heads)

    def may_post(
        self, ordering: Ordering, now_ns: int, *, skip: Collection[int], busy: Collection[str], most: int
    ) -> list[int]:
        """Return the sequences that may be posted now, the oldest first; ordered, the first of each lane only.

        `skip` are under way, `busy` are lanes that wait for one.
        """
        found: list[int] = []
        blocked = set(busy)
        for sequence, one in self.open.items():
            if len(found) >= most:
                break
            if ordering == "symbol":
                if one.lane in blocked:
                    continue
                blocked.add(one.lane)
            if one.due <= now_ns and sequence not in skip:
                found.append(sequence)
        return found

    def find_probe(self, ordering: Ordering) -> int | None:
        """Return the sequence that failed least often, of the first of each lane where they are ordered."""
        heads = _heads(self.open).values() if ordering == "symbol" else self.open
        return min(heads, key=lambda sequence: (self.open[sequence].tries, sequence), default=None)

    def look_at(self, sequence: int, lane: str) -> None:
        """Take note of an event that is to be posted; keep them in order."""
        self.open[sequence] = Open(lane)

    def settle(self, sequence: int) -> None:
        """Take note that an event was delivered, is dead, or stands in a digest."""
        self.open.pop(sequence, None)

    def apply(self, sequence: int, outcome: Outcome, now_ns: int, *, rules: DeliveryRules, chance: float) -> bool:
        """Take note of an attempt; return whether the event is dead by it. `chance` is from 0 to 1."""
        one = self.open[sequence]
        if outcome.kind == "delivered":
            self.settle(sequence)
            self._close()
            return False
        if outcome.kind == "hopeless":
            self.settle(sequence)
            return True
        if outcome.kind == "gone":
            self.disable("gone", now_ns)
            return False
        return self._fail(sequence, one, outcome, now_ns, rules=rules, chance=chance)

    def _fail(
        self, sequence: int, one: Open, outcome: Outcome, now_ns: int, *, rules: DeliveryRules, chance: float
    ) -> bool:
        asked, counts = outcome.retry_after, one.due <= now_ns
        if asked is not None:
            asked = min(asked, rules.longest_retry_after)
            self.quiet_until = max(self.quiet_until, now_ns + int(asked * SECOND_NS))
        else:
            was_open = self.circuit.is_open
            self.circuit = on_failure(self.circuit, now_ns, rules)
            if self.circuit.is_open and not was_open:
                self.notice = "open"
            if is_hopeless(self.circuit, now_ns, rules):
                self.disable("failing", now_ns)
        if not counts:  # a probe before its time is about the endpoint, not about the event
            return False
        one.tries += 1
        seconds = pause(rules, one.tries, chance)
        if seconds is None:
            self.settle(sequence)
            return True
        one.due = now_ns + int(max(seconds, asked or 0.0) * SECOND_NS)
        return False

    def _close(self) -> None:
        """The receiver answers again: what failed while it did not is due at once."""
        if self.circuit.is_open:
            self.notice = "closed"
            for one in self.open.values():
                one.due = 0
        self.circuit = CLOSED

    def disable(self, reason: str, now_ns: int) -> None:
        """Post nothing more until the owner resumes it."""
        if not self.disabled:
            self.disabled, self.notice = now_ns, f"disabled.{reason}"

    def resume(self) -> None:
        """Post again, from now on and without waiting."""
        self.circuit, self.quiet_until, self.disabled, self.notice = CLOSED, 0, 0, "resumed"
        for one in self.open.values():
            one.tries, one.due = 0, 0

    def document(self) -> Document:
        """Return what is kept of it, without its version."""
        circuit = self.circuit
        return {
            "next": self.next,
            "page": self.page,
            "open": [[sequence, one.lane, one.tries, one.due] for sequence, one in self.open.items()],
            "circuit": [circuit.failures, circuit.failing_since, circuit.opened, circuit.until, circuit.wait],
            "quiet_until": self.quiet_until,
            "disabled": self.disabled,
            "wake": min((one.due for one in self.open.values()), default=-1),
            "blocked_until": self.blocked_until(),
            **({} if self.notice is None else {"notice": self.notice}),
        }


def read_progress(endpoint: str, document: Document | None) -> Progress:
    """Return what `document` wrote; a new one where nothing was kept."""
    if document is None or "next" not in document:
        return Progress(endpoint=endpoint)
    failures, failing_since, opened, until, wait = document["circuit"]
    return Progress(
        endpoint=endpoint,
        version=document["version"],
        next=document["next"],
        page=document["page"],
        open={sequence: Open(lane, tries, due) for sequence, lane, tries, due in document["open"]},
        circuit=Circuit(failures=failures, failing_since=failing_since, opened=opened, until=until, wait=wait),
        quiet_until=document["quiet_until"],
        disabled=document["disabled"],
    )


def _heads(events: dict[int, Open]) -> dict[str, int]:
    heads: dict[str, int] = {}
    for sequence, one in events.items():
        heads.setdefault(one.lane, sequence)
    return heads
