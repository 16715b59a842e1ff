"""How far a piece of market data can be trusted: live, simulated, after a gap, or stale. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from msgspec.structs import replace

from consumers.market.documents import Feed
from runtime.coverage.connections import list_touched

LIVE: Final = "live"
SIM: Final = "sim"
GAP: Final = "gap"
STALE: Final = "stale"
_WORSE: Final = {LIVE: 0, SIM: 1, GAP: 2, STALE: 3}
_FEED_STATES: Final = {"live": LIVE, "gap": GAP, "resync": GAP}  # of every other one all is stale

DEAD_AFTER_NS: Final = 5_000_000_000
"""A feed's health is written once a second: one so old was left behind by a cache that is dead or cannot write."""


@dataclass(frozen=True, slots=True)
class Freshness:
    """When data counts as stale: `after_ns` since it arrived, and at once while the bus is `cut` off."""

    after_ns: int
    cut: bool = False


def worst(qualities: Iterable[str]) -> str:
    """The worst of some qualities; stale where there is none."""
    return max(qualities, key=lambda quality: _WORSE.get(quality, _WORSE[STALE]), default=STALE)


def feed_quality(feed: Feed | None, place: tuple[str, str] | None = None) -> str:
    """What the state of a venue's feed means for everything it sent, or for a place: a channel of a symbol.

    A venue without one is judged by its data.
    """
    if feed is None:
        return LIVE
    if feed.away and place is not None:
        states = list_touched(feed.away, *place)
        return worst([LIVE, *(_FEED_STATES.get(state, STALE) for state in states)])
    if not feed.connected:
        return STALE
    return LIVE if feed.state is None else _FEED_STATES.get(feed.state, STALE)


def is_dead(feed: Feed, now_ns: int) -> bool:
    """Whether nobody judges the feed any more, so that its state is only what was true once."""
    return feed.as_of is not None and now_ns - feed.as_of > DEAD_AFTER_NS


def judge_feed(feed: Feed, now_ns: int) -> Feed:
    """The feed as it can be believed now: whatever is live in a dead document is stale."""
    if not is_dead(feed, now_ns):
        return feed
    state = STALE if feed.state == LIVE else feed.state
    reason = "the cache does not write: this is what it wrote last" if state != feed.state else feed.reason
    channels = {channel: STALE if held == LIVE else held for channel, held in feed.channels.items()}
    return replace(feed, state=state, reason=reason, channels=channels, away=[])


def decide_quality(own: str, feed: Feed | None, age_ns: int, freshness: Freshness, *, place: tuple[str, str]) -> str:
    """The quality of one document of a place: its own, its feed's there and its age's, whichever is worst."""
    if freshness.cut or age_ns > freshness.after_ns:
        return STALE
    return worst((own if own in _WORSE else STALE, feed_quality(feed, place)))
