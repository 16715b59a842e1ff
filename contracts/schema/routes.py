"""What a subject says about the event that it carries: its kind, venue, symbol and time frame. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from contracts import subjects
from contracts.alerts import ALERT_KINDS
from contracts.errors import SymbolSyntaxError
from contracts.instrument import tail_symbol, unescape_token
from contracts.timeframes import TIMEFRAMES

SUBJECT_KINDS: Final[dict[str, str]] = {  # of two that fit the first counts
    subjects.CONSOLIDATED_TICKER: "consolidated_ticker",
    subjects.CONSOLIDATED_BOOK: "consolidated_book",
    subjects.TRADE: "trade",
    subjects.TICKER: "ticker",
    subjects.BOOK: "book",
    subjects.DELTA: "delta",
    subjects.LIQUIDATION: "liquidation",
    subjects.FUNDING: "funding",
    subjects.INTEREST: "interest",
    subjects.CANDLE: "candle",
    subjects.FEED: "feed",
    subjects.WHALE: "whale",
    subjects.CLUSTER: "cluster",
    subjects.STORM: "storm",
    subjects.ALERT: "alert",  # <kind of alert>. and the tail
    subjects.FUNDING_EXTREME: "funding_extreme",
    subjects.INTEREST_JUMP: "interest_jump",
    subjects.WALL: "wall",
    subjects.SPREAD: "spread",
    subjects.VOLUME_SPIKE: "volume_spike",
    subjects.LISTING: "listing",
}
KIND_SUBJECTS: Final[dict[str, str]] = {kind: prefix for prefix, kind in SUBJECT_KINDS.items()}
MOST_TAIL: Final = 192  # so that every id that begins with it has room for what follows
CROSS_VENUE: Final = frozenset({"cluster", "storm"})
CONSOLIDATED: Final = frozenset({"consolidated_ticker", "consolidated_book"})
_ANY: Final = ".any"
_REPLAY_TOKENS: Final = 2  # rp.<run>.


class BadEventError(ValueError):
    """A message that is no event of its subject; the text says which rule it breaks."""


@dataclass(frozen=True, slots=True)
class Route:
    """What the tokens of a subject name; `symbol` is None where any may be, `timeframe` where there is none."""

    kind: str
    venue: str
    symbol: str | None
    timeframe: str | None = None
    replayed: bool = False


def kind_of(subject: str) -> str:
    """Tell the kind of event that a subject carries; raises KeyError for a subject that carries none."""
    for prefix, kind in SUBJECT_KINDS.items():
        if subject.startswith(prefix):
            return kind
    raise KeyError(subject)


def subject_text(raw: bytes) -> str:
    """Return a subject as text; bytes that are no UTF-8 are written as escapes, so that they name no event."""
    return raw.decode(errors="backslashreplace")


def read_subject(subject: str) -> Route:
    """Read a subject, replayed ones too; raises KeyError where it carries no event, BadEventError for wrong tokens."""
    replayed = subject.startswith(subjects.REPLAY)
    plain = subject.split(".", _REPLAY_TOKENS)[-1] if replayed else subject
    kind = kind_of(plain)
    rest = plain.removeprefix(KIND_SUBJECTS[kind])
    if len(rest) > MOST_TAIL:
        raise BadEventError(f"subject of a {kind}: more than {MOST_TAIL} characters name the instrument")
    try:
        venue, symbol, timeframe = _read_tokens(kind, rest)
    except SymbolSyntaxError as error:
        raise BadEventError(f"subject of a {kind}: {error.message}") from error
    return Route(kind, venue, symbol, timeframe, replayed)


def _read_tokens(kind: str, rest: str) -> tuple[str, str | None, str | None]:
    if kind == "feed":
        return unescape_token(rest), None, None
    if kind == "candle":
        timeframe, _, tail = rest.partition(".")
        if timeframe not in TIMEFRAMES:
            raise BadEventError(f"subject of a candle: {timeframe!r} is no time frame")
        return *tail_symbol(tail), timeframe
    if kind == "alert":
        alert, _, rest = rest.partition(".")
        if alert not in ALERT_KINDS:
            raise BadEventError(f"subject of an alert: {alert!r} is no kind of alert")
    if kind in CROSS_VENUE or (kind == "alert" and rest.endswith(_ANY)):
        if not rest.endswith(_ANY):
            raise BadEventError(f"subject of a {kind}: {rest!r} does not end in {_ANY!r}")
        return *tail_symbol(rest.removesuffix(_ANY) + ".spot"), None
    if kind in CONSOLIDATED:
        return *tail_symbol(f"{subjects.ALL_VENUES}.{rest}"), None
    return *tail_symbol(rest), None
