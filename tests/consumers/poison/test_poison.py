"""No odd message ends a consumer, leaves it half changed, or hides the good one that follows it."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import Any, ClassVar, Protocol

import msgspec
import pytest

from consumers.books.core import KeptBooks
from consumers.cache.core import StateCache
from consumers.candles.core import CandleBook
from consumers.clusters.core import ClusterDetector, ClusterRules
from consumers.coverage.core import Ledger
from consumers.detectors.feeds import Detectors
from consumers.detectors.rules import (
    HOUR,
    DetectorRules,
    FundingRules,
    InterestRules,
    SpreadRules,
    VolumeRules,
    WallRules,
    by_tier,
)
from consumers.detectors.samples import cut
from consumers.market.publishing import Consolidator
from consumers.market.state import MarketState
from consumers.registry import CONSUMERS
from consumers.storms.core import StormDetector, StormRules
from consumers.strategies.markets import as_model
from consumers.whales.core import WhaleDetector
from consumers.whales.rules import WhaleRules
from contracts import codec, subjects
from contracts.arithmetic.tiers import Tiers
from contracts.arithmetic.usd import UsdRates
from contracts.codec import EVENTS
from contracts.instrument import make_instrument
from contracts.schema.checking import check
from contracts.services.coverage import HOUR_NS, HourLedger
from contracts.state import DOCUMENTS
from contracts.symbols import SymbolBook
from runtime.app.fold import Fault, fold_each
from runtime.book.books import BookPace
from runtime.nats.lanes.reader import UNDECODABLE
from runtime.strategies.loading import Kinds
from runtime.strategies.protocol import Setup
from runtime.strategies.running import Definition, begin, dump, load, on_feed, step
from tests.consumers.odd_events import golden, list_odd

SECOND = 1_000_000_000
NOW = 1_795_291_200 * SECOND
MESSAGES = 10_000
TIERS = Tiers()
LIMITS = dict.fromkeys(("majors", "large", "mid"), Decimal(1000))
COUNTS = dict.fromkeys(("majors", "large", "mid"), 2)
COOLDOWN = dict.fromkeys(("majors", "large", "mid"), SECOND)


class Core(Protocol):
    """A consumer's core as this test drives it."""

    @property
    def kinds(self) -> tuple[str, ...]:
        """Which kinds of event it reads."""
        ...

    def fold(self, kind: str, batch: Sequence[tuple[str, Any]], bodies: Sequence[bytes]) -> Sequence[Fault]:
        """Fold events of one kind; give the faults."""
        ...

    def knows(self, kind: str, event: Any) -> bool:
        """Whether a good event was folded and counts."""
        ...

    def check(self) -> None:
        """Show everything and hold it to the contract."""
        ...


def check_signals(outputs: Sequence[tuple[str, Any]]) -> None:
    """Read what a consumer would publish as its readers do, with both codecs."""
    for subject, event in outputs:
        body = codec.encode(event)
        codec.decode(subject, body)
        EVENTS[event.kind].model_validate_json(body)
        assert len(body) < 1_000_000


class Cache:
    kinds = ("trade", "ticker", "book", "funding", "interest", "liquidation", "whale", "feed")

    def __init__(self) -> None:
        self.core = StateCache()
        self.seq = 0
        self.shown: dict[str, bytes | None] = {}

    def fold(self, kind: str, batch: Sequence[tuple[str, Any]], bodies: Sequence[bytes]) -> Sequence[Fault]:
        self.seq += 1
        if kind in {"book", "funding", "interest"}:
            rows = [(subject, body) for (subject, _), body in zip(batch, bodies, strict=True)]
            return self.core.fold_bodies(codec.KIND_SUBJECTS[kind], rows, NOW)
        folds = {
            "trade": self.core.fold_trades,
            "ticker": self.core.fold_tickers,
            "liquidation": self.core.fold_liquidations,
        }
        if kind in folds:
            return folds[kind](batch, NOW)
        return {"whale": self.core.fold_whales, "feed": self.core.fold_feeds}[kind](batch, self.seq)

    def knows(self, kind: str, event: Any) -> bool:
        if kind == "feed":
            return self.core._find_feed(event.venue).events is not None
        base = event.symbol.partition("/")[0]
        if kind == "liquidation":
            tally = self.core._liquidations.get(base)
            return tally is not None and tally._recent[0].id == event.id
        if kind == "whale":
            whales = self.core._whales.get(base)
            return whales is not None and whales.whales[0].id == event.id
        instrument = self.core._instruments._states.get(next(tail for tail in self.tails(event)))
        assert instrument is not None
        if kind == "trade":
            return next(iter(instrument.trades)).id == event.id and instrument.ticker["last"] == event.price
        if kind == "ticker":
            return instrument.ticker["last"] == event.last and instrument.ticker["bid"] == event.bid
        return json.loads(instrument.bodies[f"{kind}."])["id"] == event.id

    def tails(self, event: Any) -> list[str]:
        return [
            tail
            for tail, instrument in self.core._instruments._states.items()
            if (instrument.venue, instrument.symbol) == (event.venue, event.symbol)
        ]

    def check(self) -> None:
        changed = self.core.drain(NOW)
        again = StateCache()
        for key, body in changed.items():
            model = next(model for prefix, model in DOCUMENTS.items() if key.startswith(prefix))
            assert body is not None
            model.model_validate_json(body)
            again.restore(key, body)


class Candles:
    kinds = ("trade",)

    def __init__(self) -> None:
        self.core = CandleBook()
        self.core.begin(NOW)
        self.seq = self.before = 0

    def fold(self, kind: str, batch: Sequence[tuple[str, Any]], bodies: Sequence[bytes]) -> Sequence[Fault]:
        self.seq, self.before = self.seq + 1, self.core.counts.folded
        return self.core.fold(batch, self.seq)

    def knows(self, kind: str, event: Any) -> bool:
        return self.core.counts.folded == self.before + 1

    def check(self) -> None:
        check_signals(self.core.tick(NOW))
        for instrument in self.core._instruments.values():
            assert sum(map(len, instrument.bars.values())) < 200
        again = CandleBook()
        for tail, document in self.core.save().items():
            again.restore(tail, document)


class Coverage:
    kinds = ("feed",)

    def __init__(self) -> None:
        self.core = Ledger()

    def fold(self, kind: str, batch: Sequence[tuple[str, Any]], bodies: Sequence[bytes]) -> Sequence[Fault]:
        return fold_each(batch, lambda _subject, status: self.core.on_status(status))

    def knows(self, kind: str, event: Any) -> bool:
        return event.venue in self.core.books

    def check(self) -> None:
        venues, hours = self.core.drain(NOW // HOUR_NS)
        assert len(venues) < 100_000
        assert len(hours) < 100_000
        for (venue, hour), document in hours.items():
            written = codec.encode(document)
            assert len(written) < 500_000
            Ledger().restore_hour(venue, hour, msgspec.json.decode(written, type=codec.fast(HourLedger)))


class Whales:
    kinds = ("trade", "ticker")

    def __init__(self) -> None:
        self.core = WhaleDetector(WhaleRules(tiers=TIERS, limits=LIMITS))
        self.seq = 0
        self.found: list[tuple[str, Any]] = []

    def fold(self, kind: str, batch: Sequence[tuple[str, Any]], bodies: Sequence[bytes]) -> Sequence[Fault]:
        self.seq += 1
        outputs, faults = self.core.fold(batch, self.seq, NOW)
        self.found = [*outputs, *self.core.tick(NOW + SECOND)]
        check_signals(self.found)
        return faults

    def knows(self, kind: str, event: Any) -> bool:
        return kind == "ticker" or any(event.id in whale.trade_ids for _, whale in self.found)

    def check(self) -> None:
        assert WhaleDetector(self.core.rules).restore(self.core.save()) == self.seq


class Clusters:
    kinds = ("whale",)

    def __init__(self) -> None:
        self.core = ClusterDetector(ClusterRules(tiers=TIERS, cooldown=COOLDOWN))

    def fold(self, kind: str, batch: Sequence[tuple[str, Any]], bodies: Sequence[bytes]) -> Sequence[Fault]:
        return fold_each(batch, lambda _, event: check_signals(self.core.fold(event)))

    def knows(self, kind: str, event: Any) -> bool:
        window = self.core._whales.get((event.symbol.partition("/")[0], event.side))
        return window is not None and event.id in window

    def check(self) -> None:
        return


class Storms:
    kinds = ("liquidation",)

    def __init__(self) -> None:
        rules = StormRules(tiers=TIERS, usd=LIMITS, count=COUNTS, cooldown=COOLDOWN)
        self.core = StormDetector(rules, UsdRates())

    def fold(self, kind: str, batch: Sequence[tuple[str, Any]], bodies: Sequence[bytes]) -> Sequence[Fault]:
        return fold_each(batch, lambda _, event: check_signals(self.core.fold(event)))

    def knows(self, kind: str, event: Any) -> bool:
        held = self.core._hits.get(event.symbol.partition("/")[0])
        return held is not None and event.id in held.window

    def check(self) -> None:
        return


class AllDetectors:
    """Each figure's detector, with limits that everything reaches."""

    kinds = ("funding", "interest", "ticker", "candle", "book")

    def __init__(self) -> None:
        low = by_tier("0.0001", "0.0001", "0.0001")
        rules = DetectorRules(
            funding=FundingRules(limit=Decimal("0.000001"), samples=2, cooldown=0),
            interest=InterestRules(percent=low, cooldown=0),
            wall=WallRules(times=Decimal("0.1"), usd=low, levels=1, cooldown=0),
            spread=SpreadRules(percent=low, cooldown=0),
            volume=VolumeRules(times=Decimal("0.1"), usd=low, samples=1, cooldown=0),
        )
        self.core = Detectors(rules)
        self.folds = {
            prefix: feed.fold
            for feed in self.core.feeds()
            for prefix in (subject.removesuffix(">").removesuffix("1m.") for subject in feed.subjects)
        }
        self.folds[subjects.BOOK] = lambda _subject, book: self.core.wall.fold(cut(book))

    def fold(self, kind: str, batch: Sequence[tuple[str, Any]], bodies: Sequence[bytes]) -> Sequence[Fault]:
        fold = self.folds[codec.KIND_SUBJECTS[kind]]
        return fold_each(batch, lambda subject, event: check_signals(fold(subject, event)))

    def knows(self, kind: str, event: Any) -> bool:
        tail = make_instrument(event.venue, event.symbol, "").tail
        if kind == "funding":
            funding = self.core.funding._instruments.get(tail)
            return funding is not None and funding.hour * HOUR <= event.ts_event < (funding.hour + 1) * HOUR
        if kind == "interest":
            interest = self.core.interest._instruments.get(tail)
            return interest is not None and bool(interest.values)
        if kind == "candle":
            minutes = self.core.volume._instruments.get(tail)
            found = None if minutes is None else minutes.find(event.start_ts)
            return found is not None and found[0] == event.start_ts
        if kind == "ticker":
            held = self.core.spread._symbols.get(event.symbol)
            quote = None if held is None else held.bids.get(event.venue)
            return quote is not None and quote.event_id == event.id
        return True

    def check(self) -> None:
        again = Detectors(DetectorRules())
        for tail, document in self.core.funding.save().items():
            again.funding.restore(tail, document)
        assert self.core.forgotten >= 0


class Market:
    kinds = ("ticker",)

    def __init__(self) -> None:
        state = MarketState({}, 60 * 10**9, lambda: True)
        state.save_symbols(SymbolBook([make_instrument("binance", "BTC/USDT", "BTCUSDT")]))
        self.core = Consolidator(state)
        self.core.on_listing()

    def fold(self, kind: str, batch: Sequence[tuple[str, Any]], bodies: Sequence[bytes]) -> Sequence[Fault]:
        return fold_each(batch, self.core.on_ticker)

    def knows(self, kind: str, event: Any) -> bool:
        held = self.core._newer.get(make_instrument(event.venue, event.symbol, "").tail)
        return held is not None and held.last == event.last

    def check(self) -> None:
        for output in self.core.drain(NOW):
            if output is not None:
                subject, _, body = output
                codec.decode(subject, body, NOW)


class KeptElsewhere:
    """Deltas of a venue whose rule is not known yet: they wait, in order."""

    kinds = ("delta",)

    def __init__(self) -> None:
        self.core = KeptBooks(BookPace(), lambda: NOW)

    def fold(self, kind: str, batch: Sequence[tuple[str, Any]], bodies: Sequence[bytes]) -> Sequence[Fault]:
        return self.core.fold(batch, now=0.0)

    def knows(self, kind: str, event: Any) -> bool:
        return self.core._unknown[event.venue, event.symbol].deltas[-1].id == event.id

    def check(self) -> None:
        assert not self.core.outputs


class Strategies:
    """A strategy of each kind, whose own instrument every message is of."""

    kinds = ("ticker", "trade", "book", "candle", "feed")
    params: ClassVar[dict[str, dict[str, Any]]] = {
        "dca": {"amount": "1", "interval_seconds": 60, "take_profit_percent": "1", "stop_percent": "5"},
        "grid": {"lower": "0.01", "upper": "1000000", "levels": 5, "spacing": "geometric", "amount": "1"},
        "tpsl": {"amount": "1", "take_profit": [], "stop_percent": "5", "trailing_percent": "2"},
    }

    def __init__(self) -> None:
        kinds, name = Kinds(), "0" * 16
        self.definitions = [
            Definition(kind, Setup(name, "BTC/USDT", kind.params.model_validate(self.params[kind.name]), NOW))
            for kind in map(kinds.find, kinds.names)
        ]
        self.running = [begin(definition) for definition in self.definitions]

    def fold(self, kind: str, batch: Sequence[tuple[str, Any]], bodies: Sequence[bytes]) -> Sequence[Fault]:
        return fold_each(batch, lambda _subject, event: self.see(kind, as_model(event)))

    def see(self, kind: str, event: Any) -> None:
        for number, (definition, running) in enumerate(zip(self.definitions, self.running, strict=True)):
            if kind == "feed":
                self.running[number] = on_feed(definition, running, event, NOW)
            else:
                self.running[number] = step(definition, running, event, NOW).running

    def knows(self, kind: str, event: Any) -> bool:
        prices = self.running[0].state.prices
        found = {
            "ticker": lambda: prices.bid is None or f"{prices.bid:f}" == event.bid,
            "trade": lambda: f"{prices.last:f}" == event.price,
            "candle": lambda: f"{prices.last:f}" == event.close,
            "book": lambda: f"{prices.bid:f}" == event.bids[0][0],
            "feed": lambda: True,
        }
        return found[kind]()

    def check(self) -> None:
        for definition, running in zip(self.definitions, self.running, strict=True):
            assert "failed" not in str(running.control.reason)
            assert load(definition.kind, *dump(running)) == running


# What reads no events of the market: bodies of their commands and batches are held to their models before a handler.
SERVICES = frozenset(
    {
        "access",
        "alerts",
        "analytics",
        "backtests",
        "chats",
        "community",
        "deadletters",
        "execution",
        "portfolio",
        "telegram",
        "webhooks",
    }
)
CORES: dict[str, Callable[[], Core]] = {
    "books": KeptElsewhere,
    "cache": Cache,
    "candles": Candles,
    "coverage": Coverage,
    "market": Market,
    "whales": Whales,
    "clusters": Clusters,
    "storms": Storms,
    "detectors": AllDetectors,
    "strategies": Strategies,
}


def test_every_consumer_is_tested_here() -> None:
    assert set(CORES) == set(CONSUMERS) - SERVICES


@pytest.mark.timeout(300)
@pytest.mark.parametrize("name", CORES)
def test_ten_thousand_odd_messages_cost_only_themselves(name: str) -> None:
    core = CORES[name]()
    refused: Counter[str] = Counter()
    folded = 0
    for kind in core.kinds:
        for number, (subject, body) in enumerate(list_odd(kind, MESSAGES // len(core.kinds), NOW)):
            reason = fold_one(core, kind, subject, body)
            if reason is None:
                folded += 1
            else:
                refused[reason.partition(":")[0]] += 1
            follow_with_good(core, kind, number)
            if number % 500 == 0:
                core.check()
    core.check()
    print(f"{name}: {folded} folded, {refused.total()} refused {dict(refused)}")
    assert folded
    assert refused.total() > MESSAGES // 4


def fold_one(core: Core, kind: str, subject: str, body: bytes) -> str | None:
    """Read and fold one message as the lanes do; why it is refused, None where it is not."""
    try:
        event = codec.decode(subject, body, NOW)
        check(subject, body, NOW)
    except UNDECODABLE as error:
        return f"{type(error).__name__}: {error}"
    for _, error in core.fold(kind, [(subject, event)], [body]):
        return f"{type(error).__name__}: {error}"
    return None


def follow_with_good(core: Core, kind: str, number: int) -> None:
    """Fold a good message of the same instrument: it is folded as if nothing had been."""
    subject, body = golden(EVENTS[kind], NOW)
    body |= {"id": f"good.{kind}.{number}"}
    if kind == "trade":
        body |= {"trade_id": str(number), "price": str(90_000 + number), "amount": "1", "side": "buy"}
    raw = json.dumps(body).encode()
    event = codec.decode(subject, raw, NOW)
    assert core.fold(kind, [(subject, event)], [raw]) == []
    assert core.knows(kind, event), f"a good {kind} after odd message {number} was not folded"
