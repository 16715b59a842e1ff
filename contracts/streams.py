"""Streams, buckets and durable consumers as frozen data; `runtime.provision` is the only one that creates them.

A few lines over the usual length of a file: everything that is kept, in one list.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Final, Literal

from contracts import subjects
from contracts.alerts import ALERT_KINDS, PRICE_ALERT
from contracts.timeframes import TIMEFRAMES

MINUTE: Final = 60
HOUR: Final = 60 * MINUTE
DAY: Final = 24 * HOUR
MIB: Final = 1024 * 1024


@dataclass(frozen=True, slots=True)
class StreamSpec:
    """One stream. `max_age` and `duplicate_window` are seconds, `max_bytes` bytes; 0 or -1 mean no limit.

    `effects` streams hold what must never be lost: they are synced on every write and refuse new messages when full.
    The others drop their oldest messages; those that are not `written` are persisted asynchronously, and lose the last
    milliseconds where their server is killed. A message that comes again within the
    duplicate window is dropped by its id: one that has none (ticker, book, delta) is stored each time.
    """

    name: str
    subjects: tuple[str, ...]
    max_age: int
    max_bytes: int
    effects: bool = False
    written: bool = False  # before it is acknowledged, as effects are
    retention: Literal["limits", "workqueue"] = "limits"
    max_msgs_per_subject: int = -1
    duplicate_window: int = 2 * MINUTE
    optional: bool = False  # created only when asked for (recording)
    counter: bool = False  # each subject is a number that publishes add to (header Nats-Incr)
    memory: bool = False  # kept by the running server only
    named_jobs: bool = False  # a subject is one job: a second one is refused until the first is acknowledged
    schedules: bool = False  # holds messages until their time (header Nats-Schedule); the server allows no discard NEW
    compressed: bool = False  # on disk; `max_bytes` counts what was written, not what that takes there


@dataclass(frozen=True, slots=True)
class BucketSpec:
    """One key-value bucket; `ttl` in seconds, 0 keeps for ever."""

    name: str
    max_bytes: int
    ttl: int = 0
    history: int = 1
    effects: bool = False
    recorded: bool = False  # what is written is published again on `subjects.PAST`, and kept by the stream PAST


@dataclass(frozen=True, slots=True)
class DurableSpec:
    """One durable pull consumer; `ack_wait` in seconds. Redelivery is asked for with a delay, `max_deliver` times."""

    stream: str
    name: str
    filter_subject: str
    ack_wait: int = 30
    max_deliver: int = 10
    max_ack_pending: int = 64
    deliver: Literal["all", "new", "last_per_subject"] = "new"


MARKET: Final = "MARKET"
LIQUIDATIONS: Final = "LIQUIDATIONS"
DERIVATIVES: Final = "DERIVATIVES"
CANDLES_1M: Final = "CANDLES_1M"
CANDLES_5M: Final = "CANDLES_5M"
CANDLES_1H: Final = "CANDLES_1H"
BOOKS: Final = "BOOKS"
DELTAS: Final = "DELTAS"
SIGNALS: Final = "SIGNALS"
OWN_ALERTS: Final = "OWN_ALERTS"
FEEDS: Final = "FEEDS"
TRADING: Final = "TRADING"
JOBS: Final = "JOBS"
REMINDERS: Final = "REMINDERS"
SCHEDULES: Final = "SCHEDULES"
DLQ: Final = "DLQ"
BUDGETS: Final = "BUDGETS"
ANALYTICS: Final = "ANALYTICS"
PROBE: Final = "PROBE"
TELEGRAM: Final = "TELEGRAM"
AUDIT: Final = "AUDIT"
LIMITS: Final = "LIMITS"
COMMUNITY: Final = "COMMUNITY"
SAMPLES: Final = "SAMPLES"
PAST: Final = "PAST"
PAST_TRADES: Final = "PAST_TRADES"
PAST_BOOKS: Final = "PAST_BOOKS"

CANDLE_STREAMS: Final[Mapping[str, str]] = {
    timeframe: CANDLES_1M if timeframe == "1m" else CANDLES_5M if timeframe.endswith("m") else CANDLES_1H
    for timeframe in TIMEFRAMES
}
"""The stream of each time frame: the short ones, which are many, do not push out the long ones."""

PUBLIC_ALERTS: Final = tuple(f"{subjects.ALERT}{kind}.>" for kind in ALERT_KINDS if kind != PRICE_ALERT)
"""The subjects of alerts of everybody's."""


def _candles(stream: str) -> tuple[str, ...]:
    return tuple(f"{subjects.CANDLE}{timeframe}.>" for timeframe, name in CANDLE_STREAMS.items() if name == stream)


_PAST_STATE: Final = subjects.PAST + "STATE."
_PAST_DOCUMENTS: Final = (
    *(_PAST_STATE + key + ">" for key in (subjects.STATE_TICKER, subjects.STATE_FUNDING, subjects.STATE_INTEREST)),
    *(_PAST_STATE + key + ">" for key in (subjects.STATE_FEED, subjects.STATE_WHALES, subjects.STATE_LIQUIDATIONS)),
    subjects.PAST + "COVERAGE.>",
)

STREAMS: Final[tuple[StreamSpec, ...]] = (
    # The firehose; what is rare has streams of its own, so that it outlives it.
    StreamSpec(MARKET, (subjects.ALL_TRADES, subjects.ALL_TICKERS), max_age=DAY, max_bytes=1024 * MIB),
    StreamSpec(LIQUIDATIONS, (subjects.ALL_LIQUIDATIONS,), max_age=30 * DAY, max_bytes=128 * MIB),
    StreamSpec(DERIVATIVES, (subjects.ALL_FUNDING, subjects.ALL_INTEREST), max_age=30 * DAY, max_bytes=512 * MIB),
    StreamSpec(CANDLES_1M, _candles(CANDLES_1M), max_age=30 * DAY, max_bytes=512 * MIB),
    StreamSpec(CANDLES_5M, _candles(CANDLES_5M), max_age=730 * DAY, max_bytes=256 * MIB),
    StreamSpec(CANDLES_1H, _candles(CANDLES_1H), max_age=730 * DAY, max_bytes=256 * MIB),
    StreamSpec(BOOKS, (subjects.ALL_BOOKS,), max_age=DAY, max_bytes=128 * MIB, max_msgs_per_subject=1),
    StreamSpec(DELTAS, (subjects.ALL_DELTAS,), max_age=HOUR, max_bytes=2048 * MIB, optional=True),
    StreamSpec(SIGNALS, (subjects.ALL_SIGNALS, *PUBLIC_ALERTS), max_age=30 * DAY, max_bytes=256 * MIB, written=True),
    # price alerts: each is of an owner, whom it was promised to; no subscriber of the bus reads them
    StreamSpec(
        OWN_ALERTS,
        (subjects.ALL_PRICE_ALERTS,),
        max_age=30 * DAY,
        max_bytes=128 * MIB,
        effects=True,
        duplicate_window=30 * MINUTE,
    ),
    # what detectors decided by and no other stream keeps, so that it can be decided again
    StreamSpec(SAMPLES, (subjects.ALL_SAMPLES,), max_age=6 * HOUR, max_bytes=256 * MIB),
    # every version of the documents of recorded buckets, so that answers can be given as they were; books and lists of
    # trades, which are long and change often, in streams of their own: they do not push out the others
    StreamSpec(PAST, _PAST_DOCUMENTS, max_age=DAY, max_bytes=1280 * MIB, compressed=True),
    StreamSpec(
        PAST_BOOKS, (f"{_PAST_STATE}{subjects.STATE_BOOK}>",), max_age=DAY, max_bytes=2048 * MIB, compressed=True
    ),
    StreamSpec(
        PAST_TRADES,
        (f"{_PAST_STATE}{subjects.STATE_TRADE}>", f"{_PAST_STATE}{subjects.STATE_TRADES_PAGE}>"),
        max_age=DAY,
        max_bytes=1280 * MIB,
        compressed=True,
    ),
    StreamSpec(FEEDS, (subjects.ALL_FEEDS,), max_age=30 * DAY, max_bytes=64 * MIB),
    StreamSpec(
        TRADING,
        (subjects.ALL_ORDERS, subjects.ALL_STRATEGIES),
        max_age=0,
        max_bytes=128 * MIB,
        effects=True,
        duplicate_window=30 * MINUTE,
    ),
    StreamSpec(
        JOBS,
        (subjects.ALL_TELEGRAM_JOBS,),
        max_age=0,
        max_bytes=128 * MIB,
        effects=True,
        retention="workqueue",
        duplicate_window=30 * MINUTE,
    ),
    # that an endpoint of a webhook has something to be posted: one for each, what it is stands in documents
    StreamSpec(
        REMINDERS,
        (subjects.ALL_WEBHOOK_JOBS,),
        max_age=0,
        max_bytes=64 * MIB,
        effects=True,
        retention="workqueue",
        max_msgs_per_subject=1,
        duplicate_window=30 * MINUTE,
        named_jobs=True,
    ),
    # when a job is to be looked at again; one for each subject, the newest counts
    StreamSpec(
        SCHEDULES,
        (subjects.ALL_SCHEDULES,),
        max_age=0,
        max_bytes=64 * MIB,
        effects=True,
        retention="workqueue",
        max_msgs_per_subject=1,
        schedules=True,
    ),
    # what became of each job, the last of a job, and what was learnt of chats
    StreamSpec(
        TELEGRAM, (subjects.ALL_TELEGRAM,), max_age=7 * DAY, max_bytes=64 * MIB, effects=True, max_msgs_per_subject=1
    ),
    StreamSpec(
        BUDGETS, (subjects.ALL_BUDGETS,), max_age=10 * MINUTE, max_bytes=16 * MIB, max_msgs_per_subject=1, counter=True
    ),
    # until the consumer has them in documents; enough for a document store that is away for hours
    StreamSpec(ANALYTICS, (subjects.ANALYTICS,), max_age=2 * DAY, max_bytes=128 * MIB),
    StreamSpec(DLQ, (subjects.ALL_DEAD_LETTERS,), max_age=30 * DAY, max_bytes=64 * MIB, effects=True),
    # what the access consumer has not kept yet, and a month for others to read
    StreamSpec(AUDIT, (subjects.ALL_AUDIT,), max_age=30 * DAY, max_bytes=64 * MIB, effects=True),
    # what changed in managed groups; the documents are the truth, a reader that missed a week of it reads them
    StreamSpec(COMMUNITY, (subjects.ALL_COMMUNITY,), max_age=7 * DAY, max_bytes=64 * MIB, duplicate_window=30 * MINUTE),
    StreamSpec(
        LIMITS,
        (subjects.ALL_LIMITS,),
        max_age=2 * HOUR,
        max_bytes=32 * MIB,
        max_msgs_per_subject=1,
        counter=True,
        memory=True,
    ),
    # <who>: a message a second that shows whether the bus can write; synced like every effect
    StreamSpec(PROBE, (subjects.ALL_PROBES,), max_age=HOUR, max_bytes=1 * MIB, effects=True, max_msgs_per_subject=1),
)

RECORDED_AGAIN: Final = 15
"""Seconds within which every document of the STATE bucket is written again, even if nothing of it changed.

So far back a version is looked for; the server needs about 20 ms for each 8 MB of that.
"""

PAGES_AGAIN: Final = MINUTE
"""The same of pages of trades, which would be most of it."""

SMALLEST: Final = 16 * MIB  # no scale makes a stream or bucket smaller than that, or than what is declared


@dataclass(frozen=True, slots=True)
class Retention:
    """How long (seconds) and how much (bytes) some streams keep in place of what is declared, by name.

    `scale` multiplies the bytes of every stream and bucket.
    """

    ages: Mapping[str, int] = field(default_factory=dict[str, int])
    sizes: Mapping[str, int] = field(default_factory=dict[str, int])
    scale: float = 1.0

    def of_stream(self, spec: StreamSpec) -> StreamSpec:
        """The stream as it is to be kept."""
        size = self.sizes.get(spec.name, spec.max_bytes)
        return replace(spec, max_age=self.ages.get(spec.name, spec.max_age), max_bytes=self._scaled(size))

    def of_bucket(self, spec: BucketSpec) -> BucketSpec:
        """The bucket as it is to be kept."""
        return replace(spec, max_bytes=self._scaled(spec.max_bytes))

    def _scaled(self, size: int) -> int:
        return max(int(size * self.scale), min(size, SMALLEST))


STATE: Final = "STATE"
INSTRUMENTS: Final = "INSTRUMENTS"
LISTINGS: Final = "LISTINGS"
CANDLES: Final = "CANDLES"
POSITIONS: Final = "POSITIONS"
LEASES: Final = "LEASES"
PAUSES: Final = "PAUSES"
ACCESS: Final = "ACCESS"
IDEMPOTENCY: Final = "IDEMPOTENCY"
CACHE: Final = "CACHE"
MOVED_CHATS: Final = "MOVED_CHATS"
GROUP_STATE: Final = "GROUP_STATE"
TRADERS: Final = "TRADERS"
COVERAGE: Final = "COVERAGE"

BUCKETS: Final[tuple[BucketSpec, ...]] = (
    BucketSpec(STATE, max_bytes=64 * MIB, recorded=True),  # written by the cache consumer
    # <unit>: the instruments that it follows, written by the producers; those before show what was listed at a moment
    BucketSpec(INSTRUMENTS, max_bytes=32 * MIB, history=8),
    # <unit>: all that its venue lists, packed, for starts without REST; the listings before it show what is new
    BucketSpec(LISTINGS, max_bytes=64 * MIB, history=5),
    BucketSpec(CANDLES, max_bytes=128 * MIB),  # open candles and how far the trades were read, by the candles consumer
    BucketSpec(POSITIONS, max_bytes=64 * MIB),  # what the other readers of streams resume from, a key each
    BucketSpec(LEASES, max_bytes=16 * MIB, effects=True),
    BucketSpec(PAUSES, max_bytes=1 * MIB, ttl=DAY),  # <venue>: until when its REST must not be called, ns UTC
    BucketSpec(ACCESS, max_bytes=16 * MIB, effects=True),  # <key id>: what the API checks keys by
    BucketSpec(IDEMPOTENCY, max_bytes=32 * MIB, ttl=DAY),  # <hash of caller and Idempotency-Key>: the sealed answer
    BucketSpec(MOVED_CHATS, max_bytes=4 * MIB, effects=True),  # <chat>: the supergroup that a group became
    # captcha.<group>.<user>, raid.<group>, …: what bots wait for in groups, and reports that no moderator looked at
    BucketSpec(GROUP_STATE, max_bytes=32 * MIB, ttl=7 * DAY, effects=True),
    # token.<user>.<account>, asking.<user>: sealed tokens of Telegram users, and what the bot waits for them to write
    BucketSpec(TRADERS, max_bytes=16 * MIB, ttl=7 * DAY, effects=True),
    # the ledger: what was received of each venue and hour, by the coverage consumer, see contracts.services.coverage
    BucketSpec(COVERAGE, max_bytes=64 * MIB, ttl=30 * DAY, recorded=True),
    BucketSpec(CACHE, max_bytes=16 * MIB, ttl=DAY),  # <key>: an answer that an administrator put, until its life ends
)

MOST_TELEGRAM_JOBS: Final = 20_000  # of a priority that its sender holds; more wait on the stream

DURABLES: Final[tuple[DurableSpec, ...]] = (
    DurableSpec(LIQUIDATIONS, "storms", subjects.ALL_LIQUIDATIONS),
    DurableSpec(SIGNALS, "clusters", subjects.ALL_WHALES),
    DurableSpec(ANALYTICS, "analytics", subjects.ANALYTICS, max_deliver=1_000_000, deliver="all"),
    *(
        DurableSpec(
            JOBS,
            f"telegram_{priority}",
            f"{subjects.TELEGRAM_JOB}*.{priority}",
            ack_wait=5 * MINUTE,
            max_deliver=1_000_000,
            max_ack_pending=MOST_TELEGRAM_JOBS,
            deliver="all",
        )
        for priority in ("urgent", "normal", "low")
    ),
    DurableSpec(SIGNALS, "chats_alerts", subjects.ALL_ALERTS, max_deliver=100),
    DurableSpec(OWN_ALERTS, "chats_own_alerts", subjects.ALL_PRICE_ALERTS, max_deliver=1000, deliver="all"),
    DurableSpec(TELEGRAM, "chats_blocked", subjects.TELEGRAM_BLOCKED + "*", max_deliver=1000, deliver="all"),
    DurableSpec(TELEGRAM, "chats_migrated", subjects.TELEGRAM_MIGRATED + "*", max_deliver=1000, deliver="all"),
    DurableSpec(TRADING, "chats_fills", subjects.ORDER + "filled.*", max_deliver=1000, deliver="all"),
    DurableSpec(TRADING, "chats_orders", subjects.ORDER + "changed.*", max_deliver=1000, deliver="all"),
    DurableSpec(TRADING, "chats_foreign_orders", subjects.ORDER + "foreign.*", max_deliver=1000, deliver="all"),
    DurableSpec(TRADING, "chats_trips", subjects.ORDER + "tripped.*", max_deliver=1000, deliver="all"),
    DurableSpec(COMMUNITY, "bot_undos", subjects.ALL_UNDOS, max_deliver=100_000, max_ack_pending=16, deliver="all"),
    DurableSpec(AUDIT, "audit", subjects.ALL_AUDIT, max_deliver=100, deliver="all"),
    DurableSpec(TRADING, "portfolio", subjects.ORDER + "filled.*", max_deliver=1000, deliver="all"),
    # how long a process that died keeps an endpoint to itself; it says every second that it lives
    DurableSpec(
        REMINDERS,
        "webhooks",
        subjects.ALL_WEBHOOK_JOBS,
        ack_wait=5,
        max_deliver=-1,
        max_ack_pending=10_000,
        deliver="all",
    ),
    DurableSpec(SCHEDULES, "webhooks_due", subjects.ALL_WEBHOOKS_DUE, max_deliver=-1, deliver="all"),
)
