"""Bitfinex: spot pairs and perpetuals over WebSocket v2 (https://docs.bitfinex.com/docs/ws-general).

Ids of trades count the trades of all pairs (https://docs.bitfinex.com/reference/ws-public-trades), but all frames of a
connection are numbered: a missing one is a gap of trades. Frames with many rows are prints, candles or liquidations,
which the decoder reads row by row itself, or a whole book, which must not be split: there is no `rows`.
"""

from __future__ import annotations

from typing import Final

from producers.venue import BookRule, ConnectionPolicy, Decoder, Subscription, Venue
from producers.venues.bitfinex.decoder import BitfinexDecoder, inherit, make_decoder
from producers.venues.bitfinex.naming import MARKET, VENUE_ID, guess
from producers.venues.bitfinex.plan import leave, plan, subscribe
from producers.venues.bitfinex.rest import REST
from runtime.book.checksums import BITFINEX


def resubscribe(subscription: Subscription, decoder: Decoder) -> tuple[str, ...]:
    """Leave a book's channel, by the number that the connection learned, and ask for it again: it begins as a whole."""
    if not isinstance(decoder, BitfinexDecoder) or subscription.instrument is None:
        return ()
    number = decoder.book_number(subscription.instrument.venue_symbol)
    return () if number is None else (leave(number), subscribe(subscription.key))


VENUE: Final = Venue(
    id=VENUE_ID,
    markets=(MARKET,),
    ws_url="wss://api-pub.bitfinex.com",
    # Each quiet channel sends a heartbeat every 15 s. An address may open 20 connections a minute.
    policy=ConnectionPolicy(quiet=45.0, pace=0.1, connect_pace=3.5),
    book=BookRule(seed="ws", chain="exact"),
    plan=plan,
    decoder=make_decoder,
    guess=guess,
    rest=REST,
    inherit=inherit,
    resubscribe_learned=resubscribe,
    checksum=BITFINEX,
)
