"""Binance's exchanges as spot and futures share them: sockets of streams, notice, refusals; a product fills in its own.

https://developers.binance.com/docs/binance-spot-api-docs/web-socket-streams
https://developers.binance.com/docs/binance-spot-api-docs/rest-api
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from producers.simulator.families.binance import rows as figs
from producers.simulator.families.binance import streams as wire
from producers.simulator.families.binance.options import Options
from producers.simulator.hub import Answer, Frame, HangupError, Request, Session, Tick
from producers.simulator.market.listing import Listing
from producers.simulator.venue import Setup, crossing_bid

Listings = dict[str, Listing]
_OVERLOADED = "Server is currently overloaded with other requests. Please try again later."


@dataclass(frozen=True, slots=True, kw_only=True)
class Product:
    """One product: `routes` stand before `/ws` and `/stream`; `weight` of requests and messages `per_second` at most.

    A stream for which `is_served(route, name)` is false is acknowledged and never sends.
    """

    routes: tuple[str, ...]
    find_stream: Callable[[Listings, str], wire.Stream | None]
    answer: Callable[[Request, int], Answer]
    per_second: int
    weight: int
    is_served: Callable[[str, str], bool] = lambda _route, _name: True


class Exchange:
    """One product's exchange. Update ids never start again."""

    def __init__(self, setup: Setup[Options], listings: Listings, product: Product) -> None:
        self._listings, self._product = listings, product
        self._wire = wire.Wire(lambda name: product.find_stream(listings, name), product.per_second, setup)

    def accepts(self, path: str) -> bool:
        return any(path.rstrip("/") in (f"{r}/ws", f"{r}/stream") or path.startswith(f"{r}/ws/") for r in self._routes)

    def on_open(self, session: Session, now_us: int) -> list[str]:
        route = self._route(session)
        session.combined = session.path.startswith(f"{route}/stream")
        session.has_subscribed = True
        names = wire.url_streams(session.path, session.query, route)
        refusal = self._wire.subscribe(session, names, is_served=self._is_served(session))
        if refusal:
            raise HangupError(1008, refusal)
        return []

    def on_text(self, session: Session, text: str, now_us: int) -> list[str]:
        return self._wire.on_text(session, text, now_us, self._is_served(session))

    def on_close(self, session: Session) -> None:
        self._wire.hub.drop(session)

    def list_frames(self, tick: Tick) -> list[Frame]:
        return self._wire.list_frames(tick)

    def mutate(self, frame: Frame, kind: str) -> str:
        listing = self._listings[frame.symbol]
        return wire.crossed(frame, listing.instrument.price_text(crossing_bid(listing)))

    def notice(self, session: Session, now_us: int) -> str | None:
        if session.combined:
            return f'{{"stream":"!serverShutdown","data":{{"e":"serverShutdown","E":{now_us // 1000}}}}}'
        return f'{{"e":"serverShutdown","E":{now_us // 1000}}}'

    def refuse(self, strikes: int) -> Answer:
        return figs.refuse(strikes, self._product.weight)

    def fail(self, now_us: int) -> Answer:
        return figs.rest_error(503, -1008, _OVERLOADED)

    def answer(self, request: Request, now_us: int) -> Answer:
        return self._product.answer(request, now_us)

    @property
    def _routes(self) -> tuple[str, ...]:
        return self._product.routes

    def _route(self, session: Session) -> str:
        return next(route for route in self._routes if session.path.startswith(route))

    def _is_served(self, session: Session) -> Callable[[str], bool]:
        route = self._route(session)
        return lambda name: self._product.is_served(route, name)
