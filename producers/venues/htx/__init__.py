"""HTX (Huobi): spot and USDT-margined swaps, frames in gzip (https://www.htx.com/en-us/opend/newApiPages/).

Each kind of data has its socket, on two hosts: spot market, spot book, swap market and swap notifications. The decoder
also reads frames of coin-margined swaps and futures, which are not followed.

Trades are not numbered without holes: the pages of `trade.detail` call `tradeId` and `id` unique, and no more.
"""

from __future__ import annotations

from typing import Final

from producers.venue import BookRule, ConnectionPolicy, Venue
from producers.venues.htx.decoder import make_decoder, split_rows
from producers.venues.htx.plan import LINEAR, SPOT_HOST, SPOT_MARKET, VENUE_ID, book_request, guess, plan, resubscribe
from producers.venues.htx.rest import REST

VENUE: Final = Venue(
    id=VENUE_ID,
    markets=(SPOT_MARKET, LINEAR),
    ws_url=SPOT_HOST,
    # The server pings every 5 s by a JSON message, which the decoder answers; a socket without any frame for 20 s is
    # dead. Limits on connections and on messages are not confirmed: the pace is ours.
    policy=ConnectionPolicy(quiet=20.0, pace=0.05, connect_pace=0.5),
    # Swaps push a snapshot when subscribed, and again only after a new subscription; spot's is asked for on the socket
    # itself, once some changes have come. Both are chained exactly.
    book=BookRule(seed="either", chain="exact", wait=3.0, audit="untouched"),
    plan=plan,
    decoder=make_decoder,
    guess=guess,
    rest=REST,
    book_request=book_request,
    resubscribe=resubscribe,
    rows=split_rows,
)
