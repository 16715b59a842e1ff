"""The maps as the market core answers with them, of the history that they are made of."""

from __future__ import annotations

from consumers.market.answering import Composed
from consumers.market.liquidations.history import MINUTE, LiquidationHistory, Window
from consumers.market.liquidations.map import WINDOWS, compose_map
from consumers.market.liquidations.reading import LiquidationReader
from consumers.market.state import MarketState, Reader
from contracts.services.market import LiquidationMapQuery
from runtime import clock
from runtime.nats.bus import Bus


class LiquidationMaps:
    """Answers questions for maps over the liquidations of a stream; it is read while `run` is."""

    def __init__(self, bus: Bus, stream: str, state: MarketState) -> None:
        self.history = LiquidationHistory()
        self._state = state
        self._reader = LiquidationReader(bus, stream, self.history)

    async def run(self) -> None:
        """Read the stream for ever; raises what ends that."""
        await self._reader.run()

    async def compose(self, query: LiquidationMapQuery) -> Composed:
        """Compose the map of a symbol's base; refusals are raised."""
        await self._fill(self._state.find(query.symbol).base, WINDOWS[query.window])
        return compose_map(Reader(self._state, clock.now_ns()), query, self.history)

    async def _fill(self, base: str, window: Window) -> None:
        """Sum up a long window little by little, so that other questions are answered meanwhile."""
        held = self.history.find(base)
        while held is not None and not held.fill(window, clock.now_ns() // MINUTE):
            await clock.sleep(0)
