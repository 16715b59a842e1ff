"""Kraken Futures: one public socket and the REST side (https://docs.kraken.com/exchange/api-reference/futures-websocket).

`seq` is "the subscription message sequence number" of a product's feed (https://docs.kraken.com/api/docs/futures-api/
websocket/trade): a hole in that of `trade` is a gap; transfers of positions, which are no trades, are counted as well.
"""

from __future__ import annotations

from typing import Final

from producers.connection.frames import rows_at
from producers.venue import PING_FRAME, BookRule, ConnectionPolicy, Sandbox, Venue
from producers.venues.krakenfutures.decoder import make_decoder
from producers.venues.krakenfutures.plan import MARKET, VENUE_ID, guess, plan, resubscribe
from producers.venues.krakenfutures.rest import REST

VENUE: Final = Venue(
    id=VENUE_ID,
    markets=(MARKET,),
    ws_url="wss://futures.kraken.com",
    # A ping at least every 60 s keeps a connection; how often heartbeats come is not documented.
    policy=ConnectionPolicy(ping=PING_FRAME, ping_every=20.0, quiet=60.0, pace=0.1, connect_pace=1.0),
    book=BookRule(seed="ws", chain="exact", audit="untouched"),
    plan=plan,
    decoder=make_decoder,
    guess=guess,
    rest=REST,
    resubscribe=resubscribe,
    rows=rows_at(("trades",)),
    trades_counted="seq",
    sandbox=Sandbox("wss://demo-futures.kraken.com", "https://demo-futures.kraken.com"),
)
