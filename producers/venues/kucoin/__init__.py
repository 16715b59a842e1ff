"""KuCoin spot, classic sockets (https://www.kucoin.com/docs-new/websocket-api/base-info/introduction).

A token is fetched before each connection. Books are seeded over REST with 100 levels a side (the whole book asks for an
account's key) and filled up when they thin out. The venue publishes no liquidations. Its trades are not numbered
without holes: their page (https://www.kucoin.com/docs-new/3470072w0) does not say it of `sequence`, which jumps.
"""

from __future__ import annotations

from typing import Final

from producers.families import kucoin
from producers.venue import BookRule, Decoder, FindInstrument, Venue
from producers.venues.kucoin import frames
from producers.venues.kucoin.handlers import ROUTES, SKIPPED
from producers.venues.kucoin.plan import MARKET, VENUE_ID, WS_URL, guess, plan
from producers.venues.kucoin.rest import DEPTH, REST


def _symbol_of(head: kucoin.Head, name: str) -> str:
    """Tell whose a push is: `/market/ticker:all` says it in the subject, a whole market's snapshot in its data."""
    if name == "all" and head.subject is not None:
        return head.subject
    if head.topic is not None and head.topic.startswith("/market/snapshot:") and "-" not in name:
        return frames.read_symbol(bytes(head.data or b"")).day.symbol
    return name


def make_decoder(market: str, find: FindInstrument, *, sim: bool) -> Decoder:  # noqa: ARG001 - there is one market
    """Make the decoder of a new connection."""
    return kucoin.TopicDecoder(find, ROUTES, SKIPPED, _symbol_of, sim=sim)


VENUE: Final = Venue(
    id=VENUE_ID,
    markets=(MARKET,),
    ws_url=WS_URL,
    policy=kucoin.POLICY,
    book=BookRule(seed="rest", chain="overlap", seed_depth=DEPTH),
    plan=plan,
    decoder=make_decoder,
    guess=guess,
    rest=REST,
    ticket=kucoin.ticket(WS_URL),
)
