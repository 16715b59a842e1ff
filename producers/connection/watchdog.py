"""The watchdog of one connection, pure: acks within a deadline, first data, then data on every channel."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from producers.venue import BOOK, TRADE, Subscription

if TYPE_CHECKING:
    from collections.abc import Iterable

    from contracts.instrument import Instrument
    from producers.venue import ConnectionPlan, ConnectionPolicy, SubscribeRequest

_BOOK_KINDS: Final = frozenset({"delta", "book"})
MAX_PATIENCE: Final = 3600.0


@dataclass(frozen=True, slots=True)
class Lost:
    """The connection is to be given up, for this reason; `seconds` where nothing was received for so long."""

    reason: str
    seconds: float | None = None


@dataclass(frozen=True, slots=True)
class Stale:
    """A channel is silent though the connection answers; without an instrument all of them that it has are."""

    subscription: Subscription
    seconds: float


Verdict = Lost | Stale


class Patience:
    """How long silence is tolerated, by subscription; doubled each time that a new connection did not help.

    It outlives connections: a market that is simply quiet must not be reconnected for ever at the same pace.
    """

    def __init__(self) -> None:
        self._factor: dict[str, float] = {}

    def limit(self, subscription: Subscription) -> float | None:
        """Seconds of silence that are still normal; None where any is."""
        if subscription.silence is None:
            return None
        return min(MAX_PATIENCE, subscription.silence * self._factor.get(subscription.key, 1.0))

    def on_silence(self, subscription: Subscription) -> None:
        """Remember that it was silent for too long."""
        self._factor[subscription.key] = self._factor.get(subscription.key, 1.0) * 2

    def on_data(self, key: str) -> None:
        """Forget it: data came."""
        self._factor.pop(key, None)


class Watchdog:
    """The watchdog of one connection. Times are seconds of one monotonic clock, given by the caller at each tick."""

    def __init__(self, plan: ConnectionPlan, policy: ConnectionPolicy, patience: Patience, *, now: float) -> None:
        self.now = now
        self._plan = plan
        self._policy = policy
        self._patience = patience
        self._opened = now
        self._last_frame = now
        self._closing_at: float | None = None
        self._closing_reason = ""
        self._unacked: dict[str, float] = {}
        self._refs = {request.ref: request.keys for request in plan.requests}
        self._unsent = {key for request in plan.requests for key in request.keys}
        self._books = {item.instrument: item.key for item in plan.subscriptions if item.channel == BOOK}
        self._refused: dict[str, str] = {}
        book_seen: dict[str | None, float] = {}
        self.seen: dict[str, dict[str | None, float]] = dict.fromkeys(_BOOK_KINDS, book_seen)
        for subscription in plan.subscriptions:
            if subscription.channel != BOOK:
                self.seen.setdefault(subscription.channel, {})
        self._silenced: set[str] = set()

    def on_sent(self, request: SubscribeRequest) -> None:
        """Start waiting for the acks of a request's subscriptions (of itself, where it has none)."""
        self._unsent -= request.keys
        for key in request.keys or (request.ref,):
            self._unacked[key] = self.now + self._policy.ack_deadline

    def answered(self, request: SubscribeRequest) -> bool:
        """Return whether everything that a request asked for was answered."""
        return not any(key in self._unacked for key in request.keys or (request.ref,))

    def on_frame(self) -> None:
        """Anything at all arrived."""
        self._last_frame = self.now

    def on_event(self, kind: str, symbol: str | None) -> None:
        """Data of a channel arrived."""
        seen = self.seen.get(kind)
        if seen is not None:
            seen[symbol] = self.now

    def on_ack(self, ref: str) -> None:
        """A request or a single subscription was confirmed."""
        for key in self._refs.get(ref) or (ref,):
            self._unacked.pop(key, None)

    def on_answered(self, ref: str, keys: frozenset[str]) -> list[str]:
        """These keys of a request were confirmed; returns those that the answer left out, which are refused."""
        for key in keys:
            self.on_ack(key)
        return sorted(key for key in self._refs.get(ref, ()) if key in self._unacked)

    def on_refused(self, ref: str | None, reason: str) -> frozenset[str]:
        """Note a refusal; returns the keys that it names (all that still wait, where it names none)."""
        keys = frozenset(self._unacked) if ref is None else self._refs.get(ref, frozenset({ref}))
        for key in keys:
            self._unacked.pop(key, None)
            self._refused[key] = reason
        return keys

    def on_closing(self, reason: str, seconds: float) -> None:
        """The venue announced that it closes the connection: it is left before that."""
        self._closing_at = self.now + max(0.0, seconds * 0.5)
        self._closing_reason = reason

    @property
    def acked(self) -> bool:
        """Whether every subscription was answered."""
        return not self._unacked

    def is_book_subscribed(self, instrument: Instrument) -> bool:
        """Whether the changes of a book are subscribed: a snapshot from before that would leave a hole behind it."""
        key = self._books.get(instrument)
        return key not in self._unsent and key not in self._unacked

    def verdicts(self, now: float) -> list[Verdict]:
        """Return what is wrong with the connection at this time."""
        self.now = now
        quiet = now - self._last_frame
        if quiet > self._policy.quiet:
            return [Lost(f"nothing received for {self._policy.quiet:g} s", quiet)]
        lost = self._lost(now)
        if lost is not None:
            return [Lost(lost)]
        stale = [*self._stale(now)]
        return [*stale, *self._silent_channels(stale, now)]

    def _lost(self, now: float) -> str | None:
        policy = self._policy
        late = sorted(key for key, deadline in self._unacked.items() if now > deadline)
        if late:
            return f"not confirmed within {policy.ack_deadline:g} s: {', '.join(late[:5])}"
        if self._closing_at is not None and now >= self._closing_at:
            return self._closing_reason
        if policy.max_age is not None and now - self._opened > policy.max_age:
            return "planned reconnect before the venue's forced one"
        return None

    def _stale(self, now: float) -> Iterable[Stale]:
        for subscription in self._plan.subscriptions:
            limit = self._patience.limit(subscription)
            key = subscription.key
            if limit is None or key in self._refused:
                continue
            last = self._last_data(subscription)
            if last is None:
                limit, since = max(limit, self._policy.first_data_deadline), self._opened
            else:
                since = last
            if now - since <= limit:
                if last is not None:
                    self._silenced.discard(key)
                    self._patience.on_data(key)
                continue
            if key not in self._silenced:
                self._silenced.add(key)
                self._patience.on_silence(subscription)
                yield Stale(subscription, now - since)

    def _silent_channels(self, stale: list[Stale], now: float) -> Iterable[Stale]:
        """Yield the channels of stale instruments on which none of several has had anything for half of that limit.

        One instrument may be quiet, all together are not. Trades may: what was lost of them shows in their numbers, and
        in what REST gives after the new connection.
        """
        for channel, limit in {item.subscription.channel: item.seconds for item in stale}.items():
            seen = self.seen.get("delta" if channel == BOOK else channel, {})
            quiet = now - max(seen.values(), default=self._opened)
            if channel != TRADE and len(seen) > 1 and quiet > limit / 2:
                yield Stale(Subscription(channel, channel, None), quiet)

    def _last_data(self, subscription: Subscription) -> float | None:
        kind = "delta" if subscription.channel == BOOK else subscription.channel
        seen = self.seen.get(kind, {})
        if subscription.instrument is None:
            return max(seen.values(), default=None)
        return seen.get(subscription.instrument.symbol)
