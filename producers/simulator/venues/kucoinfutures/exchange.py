"""KuCoin futures: token, classic sockets, public REST; it shows no liquidations.

https://www.kucoin.com/docs-new/websocket-api/base-info/introduction
"""

from __future__ import annotations

import json

from producers.simulator.families.kucoin import classic
from producers.simulator.families.kucoin.options import Options
from producers.simulator.hub import Answer, Frame, Request, Session, Tick, encode
from producers.simulator.market.listing import Listing
from producers.simulator.venue import Setup, crossing_bid
from producers.simulator.venues.kucoinfutures.channels import open_topic
from producers.simulator.venues.kucoinfutures.rest import KucoinFuturesRest


class KucoinFutures:
    """The futures exchange. Its notice is the end of a token."""

    def __init__(self, setup: Setup[Options]) -> None:
        self._listings = {item.instrument.symbol: item for item in setup.listings}
        self._rest = KucoinFuturesRest(self._listings, setup.snapshots)
        self._classic = classic.Classic(setup, lambda name, symbol: open_topic(name, symbol, self._listings))

    def accepts(self, path: str) -> bool:
        return self._classic.accepts(path)

    def on_open(self, session: Session, now_us: int) -> list[str]:
        return self._classic.on_open(session, now_us)

    def on_text(self, session: Session, text: str, now_us: int) -> list[str]:
        return self._classic.on_text(session, text, now_us)

    def on_close(self, session: Session) -> None:
        self._classic.on_close(session)

    def list_frames(self, tick: Tick) -> list[Frame]:
        return self._classic.list_frames(tick)

    def find_seq(self, listing: Listing) -> int:
        return listing.book.update_id

    def mutate(self, frame: Frame, kind: str) -> str:
        if kind != "crossed":
            return frame.text
        message = json.loads(frame.text)
        listing = self._listings[frame.symbol]
        price = listing.instrument.price_text(crossing_bid(listing))
        message["data"]["change"] = f"{price},buy,1"
        return encode(message)

    def on_reset(self, symbol: str | None) -> None:
        """This venue's sequences never start again."""

    def notice(self, session: Session, now_us: int) -> str | None:
        return self._classic.notice(session)

    def refuse(self, strikes: int) -> Answer:
        return classic.too_many(strikes)

    def fail(self, now_us: int) -> Answer:
        return classic.unavailable()

    def answer(self, request: Request, now_us: int) -> Answer:
        if request.path == "/api/v1/bullet-public":
            return self._classic.bullet(request, now_us)
        return self._rest.answer(request, now_us)
