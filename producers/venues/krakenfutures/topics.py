"""What a connection remembers of one Kraken Futures product: blanks of its events, and what was no trade."""

from __future__ import annotations

from typing import Final

from contracts.instrument import INVERSE, PERP, Instrument
from producers.normalize.events import Makers
from producers.venue import TradeSpan

_MOST_PASSED: Final = 100


class Product:
    """One product on a connection."""

    __slots__ = (
        *("_passed", "delta", "delta_id", "funding", "instrument", "interest", "is_perpetual"),
        *("liquidation", "tail", "ticker", "trade"),
    )

    def __init__(self, instrument: Instrument, *, makers: Makers) -> None:
        self.instrument = instrument
        self.tail = instrument.tail
        self.delta_id = f"{instrument.tail}.delta."
        self.is_perpetual = instrument.contract in {PERP, INVERSE}
        self.trade = makers.maker("trade", instrument)
        self.liquidation = makers.maker("liquidation", instrument, price_kind="fill", sampled=False)
        self.delta = makers.maker("delta", instrument)
        self.ticker = makers.maker("ticker", instrument)
        self.funding = makers.maker("funding", instrument)
        self.interest = makers.maker("interest", instrument)
        self._passed: set[int] = set()

    def pass_over(self, seq: int | None) -> None:
        """Remember the number of a message of the feed `trade` that is no trade."""
        if seq is not None:
            self._passed.add(seq)
            if len(self._passed) > _MOST_PASSED:
                self._passed.discard(min(self._passed))

    @property
    def passed(self) -> bool:
        """Whether numbers were passed over, so that a trade's may stand for several."""
        return bool(self._passed)

    def span(self, seq: int | None) -> tuple[TradeSpan, ...]:
        """Return what the number of a trade stands for where those right before it were passed over."""
        first = seq
        while first is not None and first - 1 in self._passed:
            first -= 1
        return () if first is None or seq is None or first == seq else (TradeSpan(self.instrument, first, seq),)
