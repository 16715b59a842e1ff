"""How many instruments fit into what a venue lets one address subscribe to. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from contracts.errors import InvalidParameterError
from contracts.instrument import Instrument
from producers.venue import SubscriptionLimit


@dataclass(frozen=True, slots=True)
class Fitting:
    """The instruments that fit, in their order, and those left out, with the reason in one sentence."""

    instruments: tuple[Instrument, ...]
    left_out: tuple[Instrument, ...] = ()
    reason: str | None = None


def fitting(
    limit: SubscriptionLimit | None, instruments: Iterable[Instrument], channels: Iterable[str], share: int = 1
) -> Fitting:
    """Return which instruments an address may follow in these channels: as many as fit, the first ones before others.

    `share`: among how many processes of one address the limit is divided.
    """
    wanted, listed = frozenset(channels), tuple(instruments)
    if limit is None:
        return Fitting(listed)
    room, kept, left = limit.most // share, list[Instrument](), list[Instrument]()
    for item in listed:
        cost = limit.cost(item, wanted)
        if cost > room:
            left.append(item)
            continue
        room -= cost
        kept.append(item)
    return Fitting(tuple(kept), tuple(left), limit.reason if left else None)


def refuse_too_many(limit: SubscriptionLimit, instruments: Iterable[Instrument], channels: Iterable[str]) -> None:
    """Raise InvalidParameterError that names the limit, and how many instruments fit, where these do not."""
    found = fitting(limit, instruments, channels)
    if found.left_out:
        fit, all_of_them = len(found.instruments), len(found.instruments) + len(found.left_out)
        raise InvalidParameterError(
            f"{limit.reason}: {fit} of these {all_of_them} instruments fit in these channels", parameter="symbols"
        )
