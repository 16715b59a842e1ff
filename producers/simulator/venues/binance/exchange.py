"""Binance Spot: streams `/ws` and `/stream`, REST `/api/v3`.

https://developers.binance.com/docs/binance-spot-api-docs/web-socket-streams
https://developers.binance.com/docs/binance-spot-api-docs/rest-api
"""

from __future__ import annotations

from producers.simulator.families.binance import rows as figs
from producers.simulator.families.binance import streams as wire
from producers.simulator.families.binance.options import Options
from producers.simulator.hub import Answer, Frame, Request, Session, Tick
from producers.simulator.market.listing import Listing
from producers.simulator.venue import Setup, crossing_bid
from producers.simulator.venues.binance.channels import find_stream
from producers.simulator.venues.binance.rest import BinanceRest


class Binance:
    """The spot exchange."""

    def __init__(self, setup: Setup[Options]) -> None:
        self._listings = {item.instrument.symbol: item for item in setup.listings}
        self._rest = BinanceRest(self._listings, setup.snapshots)
        self._wire = wire.Wire(lambda name: find_stream(self._listings, name), 5, setup)

    def accepts(self, path: str) -> bool:
        return path in ("/ws", "/stream", "/stream/") or path.startswith("/ws/")

    def on_open(self, session: Session, now_us: int) -> list[str]:
        session.combined = session.path.startswith("/stream")
        session.has_subscribed = True
        self._wire.subscribe(session, wire.url_streams(session.path, session.query))
        return []

    def on_text(self, session: Session, text: str, now_us: int) -> list[str]:
        return self._wire.on_text(session, text, now_us)

    def on_close(self, session: Session) -> None:
        self._wire.hub.drop(session)

    def list_frames(self, tick: Tick) -> list[Frame]:
        return self._wire.list_frames(tick)

    def find_seq(self, listing: Listing) -> int:
        return listing.book.update_id

    def mutate(self, frame: Frame, kind: str) -> str:
        if kind != "crossed":
            return frame.text
        listing = self._listings[frame.symbol]
        return wire.crossed(frame, listing.instrument.price_text(crossing_bid(listing)))

    def on_reset(self, symbol: str | None) -> None:
        """This venue's update ids never start again."""

    def notice(self, session: Session, now_us: int) -> str | None:
        if session.combined:
            return f'{{"stream":"!serverShutdown","data":{{"e":"serverShutdown","E":{now_us // 1000}}}}}'
        return f'{{"e":"serverShutdown","E":{now_us // 1000}}}'

    def refuse(self, strikes: int) -> Answer:
        return figs.refuse(strikes)

    def fail(self, now_us: int) -> Answer:
        return figs.rest_error(
            503, -1008, "Server is currently overloaded with other requests. Please try again later."
        )

    def answer(self, request: Request, now_us: int) -> Answer:
        return self._rest.answer(request, now_us)
