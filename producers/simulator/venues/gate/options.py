"""Gate: what the vendor's pages leave open."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Options:
    """The points, each with the behaviour that is assumed.

    `refuses_old_requests`: a request whose `time` is not the server's is refused.
    `liquidations_batched`: liquidations come as a list, else one object at most a second.
    `liquidation_size_is_order`: a liquidation's size has the sign of the order, else of the position.
    """

    refuses_old_requests: bool = True
    liquidations_batched: bool = True
    liquidation_size_is_order: bool = True
