"""Which detector reads what of which stream."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from consumers.detectors.funding import FundingDetector
from consumers.detectors.interest import InterestDetector
from consumers.detectors.listings import ListingDetector
from consumers.detectors.reading import MARGIN, Feed
from consumers.detectors.rules import MINUTE, DetectorRules, Outputs
from consumers.detectors.samples import read_sample
from consumers.detectors.spread import SpreadDetector
from consumers.detectors.unpacking import PREFIX, STREAM, read_listing
from consumers.detectors.volume import TIMEFRAME, VolumeDetector
from consumers.detectors.wall import WallDetector
from contracts import streams, subjects
from contracts.arithmetic.usd import CELL, DatedRates
from runtime.app.explaining.pricing import PriceTaker
from runtime.nats.lanes.reader import read_event

FastEvent = Any  # a struct of `contracts.codec.fast`: decimals are text
SIGNALS: Final = tuple(
    prefix + ">"
    for prefix in (
        *(subjects.FUNDING_EXTREME, subjects.INTEREST_JUMP, subjects.WALL),
        *(subjects.SPREAD, subjects.VOLUME_SPIKE, subjects.LISTING),
    )
)
_DOLLARS: Final = ".USD.spot"


class Detectors:
    """All detectors of one process, and the prices that they value by."""

    def __init__(self, rules: DetectorRules) -> None:
        self.prices = PriceTaker(DatedRates())
        self.funding = FundingDetector(rules.funding)
        self.interest = InterestDetector(rules.interest)
        self.wall = WallDetector(rules.wall, self.prices.rates)
        self.spread = SpreadDetector(rules.spread)
        self.volume = VolumeDetector(rules.volume, self.prices.rates)
        self.listings = ListingDetector()
        self._rules = rules

    @property
    def forgotten(self) -> int:
        """How many instruments were dropped because memory is bounded."""
        named = (self.funding, self.interest, self.spread, self.volume, self.listings)
        return sum(detector.forgotten for detector in named)

    def sizes(self) -> dict[str, int]:
        """Return the bytes of what is kept, by kind."""
        return {
            "rates": self.prices.rates.size(),
            "volumes": self.volume.size(),
            "open_interest": self.interest.size(),
        }

    @property
    def longest_cooldown(self) -> int:
        """The longest silence of all, ns."""
        rules = self._rules
        return max(one.cooldown for one in (rules.funding, rules.interest, rules.wall, rules.spread, rules.volume))

    def feeds(self) -> Sequence[Feed]:
        """Return the streams to read, that of the prices first."""
        rules = self._rules
        return (
            Feed(
                stream=streams.MARKET,
                subjects=(subjects.ALL_TICKERS,),
                window=max(12 * CELL, rules.spread.stale + MARGIN),
                decode=read_event,
                fold=self._fold_ticker,
                detectors={"spread": self.spread},
            ),
            Feed(
                stream=streams.DERIVATIVES,
                subjects=(subjects.ALL_FUNDING, subjects.ALL_INTEREST),
                window=rules.interest.window + MARGIN,
                decode=read_event,
                fold=self._fold_derivative,
                detectors={"funding_extreme": self.funding, "interest_jump": self.interest},
            ),
            Feed(
                stream=streams.CANDLES_1M,
                subjects=(f"{subjects.CANDLE}{TIMEFRAME}.>",),
                window=(rules.volume.minutes + 3) * MINUTE,
                decode=read_event,
                fold=lambda _subject, candle: self.volume.fold(candle),
                detectors={"volume_spike": self.volume},
            ),
            Feed(
                stream=streams.SAMPLES,
                subjects=(subjects.ALL_SAMPLED_BOOKS,),
                window=0,
                decode=read_sample,
                fold=lambda _subject, book: self.wall.fold(book),
                detectors={"wall": self.wall},
            ),
            Feed(
                stream=STREAM,
                subjects=(PREFIX + ">",),
                window=0,
                decode=read_event,
                fold=lambda _subject, listing: self.listings.fold(listing),
                detectors={"listing": self.listings},
                read=read_listing,
                whole=True,
            ),
        )

    def _fold_ticker(self, subject: str, ticker: FastEvent) -> Outputs:
        if subject.startswith(subjects.CONSOLIDATED_TICKER):
            return []
        if subject.endswith(_DOLLARS):
            self.prices.take(subject, ticker)
        return self.spread.fold(ticker)

    def _fold_derivative(self, subject: str, event: FastEvent) -> Outputs:
        return self.funding.fold(event) if subject.startswith(subjects.FUNDING) else self.interest.fold(event)
