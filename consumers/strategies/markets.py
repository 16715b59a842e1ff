"""Reads what strategies look at: their instruments' events as they come, and the state of their venues' feeds."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import Any, Final

from consumers.strategies.runner import Runner
from contracts import codec, streams, subjects
from contracts.instrument import escape_token, make_instrument
from contracts.market import FeedStatus
from contracts.services.audit import AuditEvent
from runtime import clock
from runtime.app.fold import Fault, fold_each
from runtime.nats.bus import Bus
from runtime.nats.lanes.publisher import LaneReader
from runtime.nats.lanes.reader import Watchers, read_event
from runtime.nats.streams.past import read_past
from runtime.nats.streams.reader import Start
from runtime.strategies.protocol import Kind, Reads

FEED_PAST_NS: Final = 3_600_000_000_000  # how far back the state of a feed is looked for
_SUBJECTS: Final[dict[str, str]] = {"ticker": subjects.TICKER, "trade": subjects.TRADE, "book": subjects.BOOK}


class Markets:
    """Hands events to the strategies that read them."""

    def __init__(self, bus: Bus, watchers: Watchers) -> None:
        self._bus = bus
        self._reader = LaneReader(bus, watchers)
        self._of: defaultdict[str, list[Runner]] = defaultdict(list)
        self._feeds: defaultdict[str, list[Runner]] = defaultdict(list)
        self.failed = self._reader.failed

    async def open(self) -> None:
        """Begin with the feeds."""
        await self._reader.subscribe(subjects.ALL_FEEDS, read_event, self._on_feeds)

    async def watch(self, runner: Runner) -> None:
        """Hand a strategy what its feed has said, and from now on what it reads."""
        venue = runner.kept.exchange
        self._feeds[venue].append(runner)
        for subject in read_by(runner.definition.kind, venue, runner.kept.symbol):
            known = subject in self._of
            self._of[subject].append(runner)
            if not known:
                await self._reader.subscribe(subject, read_event, self._on_events)
        since = Start(time_ns=min(runner.kept.saved_ns, clock.now_ns() - FEED_PAST_NS))
        for row in await read_past(self._bus, streams.FEEDS, (f"{subjects.FEED}{escape_token(venue)}",), since):
            runner.put(FeedStatus.model_validate_json(row.payload))

    def forget(self, runner: Runner) -> None:
        """Hand a strategy nothing any more."""
        for runners in (*self._of.values(), *self._feeds.values()):
            if runner in runners:
                runners.remove(runner)

    async def close(self) -> None:
        """Stop reading."""
        await self._reader.close()

    def _on_events(self, batch: Sequence[tuple[str, Any]]) -> Sequence[Fault]:
        """Hand events to those that read them; a trade that was filled in is not of now."""
        now = [(subject, event) for subject, event in batch if not getattr(event, "backfilled", False)]
        return fold_each(now, lambda subject, event: _hand(self._of.get(subject), event))

    def _on_feeds(self, batch: Sequence[tuple[str, Any]]) -> Sequence[Fault]:
        return fold_each(batch, lambda _subject, event: _hand(self._feeds.get(event.venue), event))


def _hand(runners: Sequence[Runner] | None, event: Any) -> None:
    """Hand an event to those that read it, in the form that they decide on."""
    if runners:
        seen = as_model(event)
        for runner in runners:
            runner.put(seen)


def as_model(event: Any) -> Any:
    """Return a fast event as its model; pydantic.ValidationError where that refuses it."""
    return codec.EVENTS[event.kind].model_validate_json(codec.encode(event))


def read_by(kind: Kind, venue: str, symbol: str) -> Iterator[str]:
    """Yield the subjects that a strategy reads."""
    tail = make_instrument(venue, symbol, symbol).tail
    for read in kind.reads:
        yield f"{_prefix(read)}{tail}"


def _prefix(read: Reads) -> str:
    name, _, timeframe = read.partition(".")
    return f"{subjects.CANDLE}{timeframe}." if timeframe else _SUBJECTS[name]


def read_audit(_subject: str, body: bytes) -> AuditEvent:
    """Decode an event of the audit trail; ValueError where it is none."""
    return AuditEvent.model_validate_json(body)
