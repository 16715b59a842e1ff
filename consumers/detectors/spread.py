"""Spreads between venues: the bid of one above the ask of another by some percent. Pure.

Base, quote and contract are the same: the unified symbol is. A side counts while it is not older than `stale` by the
time of the ticker that is folded.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final

from consumers.detectors.rules import FastEvent, Outputs, SpreadRules, event_time, fire, is_old, mark_of, percent
from contracts import subjects
from contracts.arithmetic.exact import EXACT, MOST
from contracts.codec import fast
from contracts.instrument import make_instrument
from contracts.recent import Recent
from contracts.signals import Tier, VenueSpread
from runtime.app.explaining.trace import Trace
from runtime.cooldowns import Cooldowns

FastSignal: Final = fast(VenueSpread)
RULE: Final = "spread/1"
SYMBOLS: Final = 5_000  # kept at least, those used last; at most twice as many
VENUES: Final = 64  # of one symbol
_NEARLY: Final = 0.999999  # so that what is left out by floats alone is far from the limit


@dataclass(slots=True)
class _Quote:
    """One side of one venue."""

    venue: str
    price: str
    number: float
    ts: int
    event_id: str
    sim: bool


class _Symbol:
    """The bids and asks of every venue."""

    __slots__ = ("asks", "bids", "factor", "tail", "tier")

    def __init__(self, symbol: str, rules: SpreadRules) -> None:
        self.tail = make_instrument(subjects.ALL_VENUES, symbol, "").tail
        self.tier: Tier = rules.tiers.find(symbol.partition("/")[0])
        self.factor = (1 + float(rules.percent[self.tier]) / 100) * _NEARLY
        self.bids: Recent[str, _Quote] = Recent(VENUES)
        self.asks: Recent[str, _Quote] = Recent(VENUES)


class SpreadDetector:
    """The best prices of every symbol on every venue."""

    def __init__(self, rules: SpreadRules, trace: Trace | None = None) -> None:
        self.rules = rules
        self.cooldowns: Cooldowns[str] = Cooldowns(SYMBOLS)
        self._trace = trace
        self._symbols: Recent[str, _Symbol] = Recent(SYMBOLS)

    @property
    def forgotten(self) -> int:
        """How many symbols were dropped because others came."""
        return self._symbols.dropped

    def recall(self, signal: FastEvent) -> None:
        """Take note of a signal that was published before."""
        self.cooldowns.begin(signal.symbol, event_time(signal), signal.id)

    def fold(self, event: FastEvent) -> Outputs:
        """Fold one Ticker; a null side is as it was."""
        bid, ask = event.bid, event.ask
        if (bid is None and ask is None) or is_old(event):
            return []
        symbol = event.symbol
        held = self._symbols.get(symbol) or self._symbols.put(symbol, _Symbol(symbol, self.rules))
        at, outputs = event_time(event), Outputs()
        if bid is not None:
            mine = held.bids.put(event.venue, _Quote(event.venue, bid, float(bid), at, event.id, event.sim))
            if (other := self._lowest(held.asks, mine)) is not None:
                outputs += self._decide(held, (mine, other), event, at)
        if ask is not None:
            mine = held.asks.put(event.venue, _Quote(event.venue, ask, float(ask), at, event.id, event.sim))
            if not outputs and (other := self._highest(held.bids, mine)) is not None:
                outputs += self._decide(held, (other, mine), event, at)
        return outputs

    def _lowest(self, asks: Recent[str, _Quote], bid: _Quote) -> _Quote | None:
        best: _Quote | None = None
        stale = self.rules.stale
        for ask in asks.values():
            fresh = ask.venue != bid.venue and abs(bid.ts - ask.ts) <= stale
            if fresh and (best is None or ask.number < best.number):
                best = ask
        return best

    def _highest(self, bids: Recent[str, _Quote], ask: _Quote) -> _Quote | None:
        best: _Quote | None = None
        stale = self.rules.stale
        for bid in bids.values():
            fresh = bid.venue != ask.venue and abs(bid.ts - ask.ts) <= stale
            if fresh and (best is None or bid.number > best.number):
                best = bid
        return best

    def _decide(self, held: _Symbol, pair: tuple[_Quote, _Quote], event: FastEvent, at: int) -> Outputs:
        bid, ask = pair
        rules, trace = self.rules, self._trace
        if trace is None and bid.number < ask.number * held.factor:
            return []
        share = percent(EXACT.subtract(Decimal(bid.price), Decimal(ask.price)), Decimal(ask.price))
        wide = MOST > share >= rules.percent[held.tier]
        if trace is not None:
            what = f"percent that {bid.venue}'s bid {bid.price} is above {ask.venue}'s ask {ask.price}"
            trace.compare(what, (share, ">=", rules.percent[held.tier]), at, holds=wide)
        if not wide:
            return []
        return fire(
            self.cooldowns,
            event.symbol,
            (at, rules.cooldown),
            trace,
            make=lambda: (subjects.SPREAD + held.tail, self._signal(held, pair, event, share)),
        )

    def _signal(self, held: _Symbol, pair: tuple[_Quote, _Quote], event: FastEvent, share: Decimal) -> FastEvent:
        bid, ask = pair
        older, newer = (ask, bid) if bid.event_id == event.id else (bid, ask)
        ids = [older.event_id, newer.event_id]
        return FastSignal(
            id=f"{held.tail}.spread.{mark_of(ids)}",
            venue=subjects.ALL_VENUES,
            symbol=event.symbol,
            venue_symbol=None,
            ts_event=event.ts_event,
            ts_recv=event.ts_recv,
            sim=bid.sim or ask.sim,
            tier=held.tier,
            event_ids=ids,
            rule=RULE,
            buy_venue=ask.venue,
            sell_venue=bid.venue,
            ask=ask.price,
            bid=bid.price,
            ask_ts=ask.ts,
            bid_ts=bid.ts,
            share=format(share, "f"),
            threshold=format(self.rules.percent[held.tier], "f"),
        )


def is_of_one_venue(ticker: Any) -> bool:
    """Return whether a ticker is a venue's own, and not made of several."""
    return ticker.venue != subjects.ALL_VENUES
