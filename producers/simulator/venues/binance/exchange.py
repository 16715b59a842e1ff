"""Binance Spot: streams `/ws` and `/stream`, REST `/api/v3`, public and signed.

https://developers.binance.com/docs/binance-spot-api-docs/web-socket-streams
https://developers.binance.com/docs/binance-spot-api-docs/rest-api
"""

from __future__ import annotations

from producers.simulator.families.binance.exchange import Exchange, Product
from producers.simulator.families.binance.options import Options
from producers.simulator.hub import Answer, Frame, Request, Tick
from producers.simulator.venue import Setup
from producers.simulator.venues.binance.channels import find_stream
from producers.simulator.venues.binance.private import BinancePrivate
from producers.simulator.venues.binance.rest import BinanceRest


class Spot(Exchange):
    """The spot exchange, with accounts."""

    def __init__(self, setup: Setup[Options]) -> None:
        listings = {item.instrument.symbol: item for item in setup.listings}
        self._public, self._signed = BinanceRest(listings, setup.snapshots), BinancePrivate(listings)
        self.private = self._signed.side
        product = Product(routes=("",), find_stream=find_stream, answer=self._answer_rest, per_second=5, weight=6000)
        super().__init__(setup, listings, product)

    def list_frames(self, tick: Tick) -> list[Frame]:
        self._signed.tick(tick.now_us)
        return super().list_frames(tick)

    def _answer_rest(self, request: Request, now_us: int) -> Answer:
        answer = self._signed.answer if self._signed.answers(request) else self._public.answer
        return answer(request, now_us)


def open_exchange(setup: Setup[Options]) -> Spot:
    """Return the spot exchange."""
    return Spot(setup)
