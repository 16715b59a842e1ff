"""The private side of one venue as its front end serves it: each request with what goes wrong with it. Pure."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from producers.simulator.hub import Answer
from producers.simulator.private.exchange import Exchange
from producers.simulator.private.faults import SECOND_US, PrivateFault, PrivateFaults, Refusals

LOST: Final = Answer(0, "", lost=True)
Act = Callable[[int], Answer]
"""Carries a request out at a time (microseconds UTC), and returns its answer."""


@dataclass(slots=True)
class PrivateSide:
    """Exchange and faults; `delayed` are requests that reach the exchange later, with when."""

    exchange: Exchange
    faults: PrivateFaults = field(default_factory=PrivateFaults)
    delayed: list[tuple[int, Act]] = field(default_factory=list[tuple[int, Act]])

    def answer(self, method: str, act: Act, refusals: Refusals, now_us: int) -> Answer:
        """Return the answer to a private request, or that its client gets none."""
        self.tick(now_us)
        fault = self.faults.find(method, now_us)
        if fault is None:
            return act(now_us)
        match fault.kind:
            case "maintenance":
                return refusals.maintenance()
            case "rate_limit":
                return refusals.rate_limit()
            case "lost_before":
                return LOST
            case "late":
                self.delayed.append((now_us + _us(fault), act))
                return LOST
            case "lost_after":
                act(now_us)
                return LOST
            case "duplicate":
                act(now_us)
                return act(now_us)
            case "partial_fill":
                self.exchange.share = fault.share
            case "late_fill":
                self.exchange.listed_after_us = _us(fault)
        return act(now_us)

    def tick(self, now_us: int) -> None:
        """Carry out what is due: delayed requests and countdowns."""
        due = [act for at, act in self.delayed if at <= now_us]
        self.delayed = [(at, act) for at, act in self.delayed if at > now_us]
        for act in due:
            act(now_us)
        self.exchange.tick(now_us)


def _us(fault: PrivateFault) -> int:
    return int(fault.seconds * SECOND_US)
