"""What a venue's folder provides to the socket loop, and what its decoder returns. Plain data; no I/O.

Longer than other files because it is the whole interface of a venue: whoever adds one reads this page and no other.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar, Final, Literal, Protocol

from contracts.instrument import Instrument
from runtime.book.rule import BookChecksum as BookChecksum  # noqa: PLC0414  # a venue's author reads this page only
from runtime.book.rule import BookRule as BookRule  # noqa: PLC0414

if TYPE_CHECKING:
    from producers.normalize.events import Makers

TRADE: Final = "trade"
TICKER: Final = "ticker"
BOOK: Final = "book"
LIQUIDATION: Final = "liquidation"
FUNDING: Final = "funding"
INTEREST: Final = "interest"
PING_FRAME: Final = ""  # as a policy's `ping`: no text but a WebSocket ping frame
CHANNELS: Final = (TRADE, TICKER, BOOK, LIQUIDATION, FUNDING, INTEREST)


# ---- what a decoder answers beside events (fast structs of contracts.codec); each has a `kind`, as events have
@dataclass(frozen=True, slots=True)
class Ack:
    """The venue confirmed a subscription; `ref` is a request's `ref` or a subscription's `key`."""

    kind: ClassVar[str] = "ack"
    ref: str


@dataclass(frozen=True, slots=True)
class Refused:
    """The venue refused a subscription; `ref` is None where it does not say which one."""

    kind: ClassVar[str] = "refused"
    ref: str | None
    reason: str


@dataclass(frozen=True, slots=True)
class Answered:
    """The venue confirmed these keys of request `ref`; by leaving out its other keys it refused them."""

    kind: ClassVar[str] = "answered"
    ref: str
    keys: frozenset[str]


@dataclass(frozen=True, slots=True)
class Pong:
    """The venue answered our ping, or sent a heartbeat of its own that asks for nothing."""

    kind: ClassVar[str] = "pong"


@dataclass(frozen=True, slots=True)
class Reply:
    """The venue asks for this answer at once (its own ping)."""

    kind: ClassVar[str] = "reply"
    frame: str


@dataclass(frozen=True, slots=True)
class Closing:
    """The venue announces that it will close this connection: reconnect within `seconds`."""

    kind: ClassVar[str] = "closing"
    reason: str
    seconds: float


@dataclass(frozen=True, slots=True)
class LastTrade:
    """A heartbeat with the newest trade's id of an instrument, by which lost trades are noticed."""

    kind: ClassVar[str] = "last_trade"
    instrument: Instrument
    trade_id: str


@dataclass(frozen=True, slots=True)
class TradeSpan:
    """The trade behind this one in the frame stands for the numbers `first` to `last` of its instrument's trades."""

    kind: ClassVar[str] = "trade_span"
    instrument: Instrument
    first: int
    last: int


@dataclass(frozen=True, slots=True)
class Unreadable:
    """A frame, or one row of it or of a REST answer, that could not be read, and why; never a decoder's."""

    kind: ClassVar[str] = "unreadable"
    frame: bytes
    error: Exception


@dataclass(frozen=True, slots=True)
class Proof:
    """The venue's checksum of a book as it is after the events before this one."""

    kind: ClassVar[str] = "proof"
    instrument: Instrument
    checksum: int


@dataclass(frozen=True, slots=True)
class Gap:
    """Data of a channel was lost and will not come; `instrument` None: it is not known of which.

    A book that has lost something shows it by its sequence or checksum; this is for books of venues with neither: one
    of which an update could not be read gets a new seed.
    """

    kind: ClassVar[str] = "gap"
    channel: str
    instrument: Instrument | None
    reason: str


Decoded = Any  # a fast event of contracts.codec, or one of the controls above
FindInstrument = Callable[[str], Instrument]
SplitRows = Callable[[bytes], list[bytes]]  # a frame of many rows into frames of one row each


class Decoder(Protocol):
    """Turns one connection's frames into events. May remember frames (ticker deltas); reads no clock, socket or log."""

    def decode(self, frame: bytes, ts_recv: int) -> Sequence[Decoded]:
        """Decode one frame; raises contracts.errors.FrameError (or msgspec.DecodeError) that names what is at fault."""
        ...


class MakeDecoder(Protocol):
    """Makes the decoder of a new connection."""

    def __call__(self, market: str, find: FindInstrument, *, makers: Makers) -> Decoder:
        """`market` is the connection's; `find` gives the instrument of a venue symbol; `makers` make its events."""
        ...


# ---- connections
@dataclass(frozen=True, slots=True)
class Subscription:
    """One channel of one instrument (or of a whole market). `key` is the venue's own name of it.

    `silence`: seconds without data after which the channel counts as stale though pings still answer; None where quiet
    is normal (liquidations).
    """

    key: str
    channel: str
    instrument: Instrument | None
    silence: float | None = None


@dataclass(frozen=True, slots=True)
class SubscribeRequest:
    """One frame that subscribes to `keys`; the ack names `ref` or each key.

    With `gate`, the frames behind it are sent only when this one was confirmed (a login, a connect command). An empty
    frame is not sent: it stands for what the venue says by itself first (a welcome), which acks `ref`.
    """

    ref: str
    frame: str
    keys: frozenset[str]
    gate: bool = False


@dataclass(frozen=True, slots=True)
class ConnectionPlan:
    """One socket to hold: `url` is complete; `name` tells connections of a venue apart ("public.0").

    `headers` go with the opening handshake; `ping` replaces the policy's where sockets of a venue differ in it.
    """

    name: str
    market: str
    url: str
    subscriptions: tuple[Subscription, ...]
    requests: tuple[SubscribeRequest, ...]
    headers: Mapping[str, str] = field(default_factory=dict[str, str])
    ping: str | None = None

    @property
    def books(self) -> list[Instrument]:
        """Return whose books come over it."""
        return [item.instrument for item in self.subscriptions if item.channel == BOOK and item.instrument is not None]


@dataclass(frozen=True, slots=True)
class SubscriptionLimit:
    """How many subscriptions one address may hold over all its connections (producers.limits).

    `cost(instrument, channels)` is how many an instrument takes; `reason` names the number, and whose rule it is.
    """

    most: int
    cost: Callable[[Instrument, frozenset[str]], int]
    reason: str


@dataclass(frozen=True, slots=True)
class ConnectionPolicy:
    """How to treat a venue's sockets; all times in seconds.

    `ping`: text that we send every `ping_every` (None: we send none; PING_FRAME: a ping frame of the protocol;
    the WebSocket library answers those of the venue);
    `quiet`: no frame at all for so long means a dead socket; `max_age`: planned reconnect before the venue's forced
    one; `pace`: between two frames that we send; `connect_pace`: between two new connections.
    """

    ping: str | None = None
    ping_every: float = 20.0
    quiet: float = 60.0
    max_age: float | None = None
    pace: float = 0.25
    connect_pace: float = 0.5
    ack_deadline: float = 10.0
    first_data_deadline: float = 30.0
    max_frame_bytes: int = 64 * 1024 * 1024


# ---- REST
@dataclass(frozen=True, slots=True)
class RestCall:
    """One request: path below the REST base, query parameters, its weight against the venue's budget, and headers.

    `body` is the text of a JSON body, for venues that read one. `base_url` is for venues with several hosts: it
    replaces the venue's own where no other address was set.
    """

    path: str
    params: Mapping[str, str] = field(default_factory=dict[str, str])
    weight: int = 1
    method: Literal["GET", "POST"] = "GET"
    base_url: str | None = None
    headers: Mapping[str, str] = field(default_factory=dict[str, str])
    body: str | None = None


@dataclass(frozen=True, slots=True)
class RestFailure:
    """What an answer that is no success means; `retry_after` seconds pause all calls to that venue."""

    reason: str
    code: str | None = None
    retry_after: float | None = None


@dataclass(frozen=True, slots=True)
class RestBudget:
    """`weight` units may be spent within any `seconds`."""

    weight: int
    seconds: float


class DecodeDepth(Protocol):
    """Reads a REST depth answer into one `book` event."""

    def __call__(self, body: bytes, instrument: Instrument, ts_recv: int, *, sim: bool) -> Decoded:
        """`quality` is "sim" or "live"; raises FrameError naming the field at fault."""
        ...


@dataclass(frozen=True, slots=True)
class Span:
    """Which candles: of `timeframe` ("1m" … "1w") with start_ts <= start < end_ts (ns UTC), `limit` at most.

    `asked_ts` (ns UTC) is when they are asked for, for venues that count back from now; None: at `end_ts`.
    """

    timeframe: str
    start_ts: int
    end_ts: int
    limit: int
    asked_ts: int | None = None

    def candles_back(self, seconds: int) -> int:
        """Return how many candles of so many seconds there are from the span's start until now, the open one too."""
        now = self.end_ts - 1 if self.asked_ts is None else self.asked_ts
        return (now - self.start_ts) // (seconds * 1_000_000_000) + 1


class DecodeCandles(Protocol):
    """Reads a REST answer into `candle` events, in whatever order, also outside the span.

    A row that cannot be read is an `Unreadable`, as of trades (producers.connection.frames.read_each).
    """

    def __call__(
        self, body: bytes, instrument: Instrument, timeframe: str, *, ts_recv: int, sim: bool
    ) -> list[Decoded]:
        """`id` is `<tail>.candle.<timeframe>.<start, seconds>.rest`, `ts_event` null; raises FrameError."""
        ...


class DecodeTrades(Protocol):
    """Reads a REST answer into `trade` events, in whatever order; for their ids see History.same_trade_ids."""

    def __call__(self, body: bytes, instrument: Instrument, *, ts_recv: int, sim: bool) -> list[Decoded]:
        """`side` is the aggressor's, as on the socket; raises FrameError naming the field at fault."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class History:
    """A venue's history over REST.

    `timeframes` are those of ours that the venue's own candles equal (UTC, weeks from Monday): the others are put
    together from smaller ones. `most_candles` and `most_trades` are rows of one answer. A `closed` candle is one whose
    time is over by `ts_recv`, unless the venue says so itself. Without `same_trade_ids` the venue numbers trades
    otherwise over REST: their ids then begin with "rest-" and never equal one of the socket.
    """

    timeframes: frozenset[str]
    most_candles: int
    candles_call: Callable[[Instrument, Span], RestCall]
    decode_candles: DecodeCandles
    most_trades: int
    trades_call: Callable[[Instrument, int], RestCall]
    decode_trades: DecodeTrades
    same_trade_ids: bool = True
    # (instrument, limit, trade of an answer) -> a call for those right before it, where the venue gives them.
    older_trades_call: Callable[[Instrument, int, Decoded], RestCall] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RestFace:
    """A venue's REST side, as far as producers need it. `base_url` carries no trailing slash."""

    base_url: str
    budget: RestBudget
    instrument_calls: Callable[[], tuple[tuple[str, RestCall], ...]]  # (market, call) for each list of instruments
    # (market, body) -> an Instrument for each row (an Unreadable: producers.connection.frames.read_each), the next page
    decode_instruments: Callable[[str, bytes], tuple[list[Any], RestCall | None]]
    depth_call: Callable[[Instrument], RestCall]
    decode_depth: DecodeDepth
    failure: Callable[[int, Mapping[str, str], bytes], RestFailure | None]  # (status, lower-case headers, body)
    history: History | None = None
    # A call for a snapshot that live books are audited with, by what the rule of the book says of it (`audit`).
    audit_call: Callable[[Instrument], RestCall] | None = None


@dataclass(frozen=True, slots=True)
class Ticket:
    """What has to be fetched before each connection (a token that the address carries).

    `admit(plan, policy, body)` gives the address and the policy of this one connection.
    """

    call: Callable[[ConnectionPlan], RestCall]
    admit: Callable[[ConnectionPlan, ConnectionPolicy, bytes], tuple[str, ConnectionPolicy]]


@dataclass(frozen=True, slots=True)
class Sandbox:
    """A venue's public test network: the addresses of its sockets and of its REST, as `ws_url` and `base_url` are."""

    ws_url: str
    rest_url: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Venue:
    """One venue: data and pure functions.

    `plan(ws_base, instruments, channels)` returns the connections to hold; `guess(market, venue_symbol)`
    names an instrument without metadata (recordings): its `contract_size` is then None. A venue with several hosts uses
    its own ones while `ws_base` is its `ws_url`, and `ws_base` for all of them otherwise.

    Where a venue needs more: `ticket` before each connection; `resume(plan, decoder)` adapts the requests of a new
    connection to what the last one had received; `inherit(decoder, last)` is called for a feed's new decoder (never for
    a recording's) and passes on what the last connection's decoder remembers (positions in streams, ids
    that were seen), None for the first connection; `book_request(instrument)` is a frame that asks for a snapshot,
    which comes as a `book` event (None: of this instrument it is pushed when it is subscribed again);
    `resubscribe(subscription)` are the frames that bring a fresh one of one channel, `resubscribe_learned` the same
    where they need what the decoder has learned, such as a channel's number (without either, or without frames, the
    connection is renewed); `checksum` verifies `Proof`; `stamp(frame, now_ns)` writes the time of
    sending into each frame that we send (venues that refuse old requests); `rows(frame)` splits a frame of many rows
    (producers.connection.frames.rows_at), so that one that cannot be read does not cost the others.

    `trades_counted`: the vendor's page says that this field of its trades counts by one, an instrument each: a hole is
    then a gap. Where a trade stands for several numbers its decoder gives a `TradeSpan` before it.

    `limit`: what an address may subscribe to; `plan` raises InvalidParameterError where more instruments are given than
    fit (producers.limits.fitting chooses them).

    `sampled`: channels of which the vendor publishes only a sample, so that it is never all there was.

    `sandbox`: its public test network, None where the vendor has none, or one that needs more than other addresses.
    """

    id: str
    markets: tuple[str, ...]
    ws_url: str
    policy: ConnectionPolicy
    book: BookRule
    plan: Callable[[str, Iterable[Instrument], Iterable[str]], tuple[ConnectionPlan, ...]]
    decoder: MakeDecoder
    guess: Callable[[str, str], Instrument]
    rest: RestFace
    ticket: Ticket | None = None
    resume: Callable[[ConnectionPlan, Decoder], ConnectionPlan] | None = None
    inherit: Callable[[Decoder, Decoder | None], None] | None = None
    book_request: Callable[[Instrument], str | None] | None = None
    resubscribe: Callable[[Subscription], tuple[str, ...]] | None = None
    resubscribe_learned: Callable[[Subscription, Decoder], tuple[str, ...]] | None = None
    checksum: BookChecksum | None = None
    stamp: Callable[[str, int], str] | None = None
    rows: SplitRows | None = None
    trades_counted: Literal["seq", "trade_id"] | None = None
    limit: SubscriptionLimit | None = None
    sampled: frozenset[str] = frozenset()
    sandbox: Sandbox | None = None
