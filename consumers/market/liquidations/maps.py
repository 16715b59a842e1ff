"""The maps as the market core answers with them: the history that they are made of, and their coverage."""

from __future__ import annotations

from consumers.market.answering import Composed
from consumers.market.liquidations.coverage import CoverageSource
from consumers.market.liquidations.history import MINUTE, LiquidationHistory, Window
from consumers.market.liquidations.map import WINDOWS, compose_map
from consumers.market.liquidations.reading import LiquidationReader
from consumers.market.state import MarketState, Reader
from contracts.instrument import INVERSE, PERP
from contracts.services.market import LiquidationMapQuery
from runtime import clock
from runtime.nats.bus import Bus


class LiquidationMaps:
    """Answers questions for maps over the liquidations of a stream; it is read while `run` is."""

    def __init__(self, bus: Bus, stream: str, state: MarketState) -> None:
        self.history = LiquidationHistory()
        self._state = state
        self._coverage = CoverageSource(bus)
        self._reader = LiquidationReader(bus, stream, self.history)

    async def run(self) -> None:
        """Read the stream for ever; raises what ends that."""
        await self._reader.run()

    async def close(self) -> None:
        """End what is under way."""
        await self._coverage.close()

    async def compose(self, query: LiquidationMapQuery) -> Composed:
        """Compose the map of a symbol's base; refusals are raised."""
        base = self._state.find(query.symbol).base
        window = WINDOWS[query.window]
        start = (clock.now_ns() // MINUTE - window.minutes + 1) * MINUTE
        coverage = await self._coverage.find(self._contracts(base), start, f"{base}.{query.window}")
        await self._fill(base, window)
        return compose_map(Reader(self._state, clock.now_ns()), query, self.history, coverage)

    async def _fill(self, base: str, window: Window) -> None:
        """Sum up a long window little by little, so that other questions are answered meanwhile."""
        held = self.history.find(base)
        while held is not None and not held.fill(window, clock.now_ns() // MINUTE):
            await clock.sleep(0)

    def _contracts(self, base: str) -> set[str]:
        """Return the symbols of a base's contracts that liquidations come of."""
        return {item.symbol for item in self._state.list_of_base(base) if item.contract in {PERP, INVERSE}}
