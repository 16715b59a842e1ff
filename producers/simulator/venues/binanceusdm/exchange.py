"""Binance USD-M futures: routed sockets `/public` and `/market`, REST `/fapi/v1`.

https://developers.binance.com/docs/derivatives/usds-margined-futures/websocket-market-streams
"""

from __future__ import annotations

import re
from collections.abc import Callable

from producers.simulator.families.binance import rows as figs
from producers.simulator.families.binance import streams as wire
from producers.simulator.families.binance.options import Options
from producers.simulator.hub import Answer, Frame, HangupError, Request, Session, Tick
from producers.simulator.market.listing import Listing
from producers.simulator.venue import Setup, crossing_bid
from producers.simulator.venues.binanceusdm.channels import find_stream
from producers.simulator.venues.binanceusdm.rest import BinanceUsdmRest

ROUTES = ("/public", "/market")
PUBLIC = re.compile(r"@(bookTicker|trade|depth|rpiDepth)|^!bookTicker")


class BinanceUsdm:
    """The futures exchange."""

    def __init__(self, setup: Setup[Options]) -> None:
        self._listings = {item.instrument.symbol: item for item in setup.listings}
        self._rest = BinanceUsdmRest(self._listings, setup.snapshots)
        self._wire = wire.Wire(lambda name: find_stream(self._listings, name), 10, setup)

    def accepts(self, path: str) -> bool:
        return any(path in (f"{r}/ws", f"{r}/stream") or path.startswith(f"{r}/ws/") for r in ROUTES)

    def on_open(self, session: Session, now_us: int) -> list[str]:
        route = _route(session)
        session.combined = session.path.startswith(f"{route}/stream")
        session.has_subscribed = True
        names = wire.url_streams(session.path, session.query, route)
        refusal = self._wire.subscribe(session, names, is_served=_is_served(session))
        if refusal:
            raise HangupError(1008, refusal)
        return []

    def on_text(self, session: Session, text: str, now_us: int) -> list[str]:
        return self._wire.on_text(session, text, now_us, _is_served(session))

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
        return figs.refuse(strikes, 2400)

    def fail(self, now_us: int) -> Answer:
        return figs.rest_error(
            503, -1008, "Server is currently overloaded with other requests. Please try again later."
        )

    def answer(self, request: Request, now_us: int) -> Answer:
        return self._rest.answer(request, now_us)


def _route(session: Session) -> str:
    return next(route for route in ROUTES if session.path.startswith(route))


def _is_served(session: Session) -> Callable[[str], bool]:
    """A stream on the wrong path is acknowledged and never sends."""
    on_public = _route(session) == "/public"
    return lambda name: bool(PUBLIC.search(name)) == on_public
