"""Deribit: spot pairs, perpetuals and dated futures over JSON-RPC sockets (https://docs.deribit.com).

Trades are numbered by one, an instrument each: `trade_seq` is "the sequence number of the trade within instrument"
(https://docs.deribit.com/subscriptions/trades/tradesinstrument_nameinterval).
"""

from __future__ import annotations

from typing import Final

from producers.connection.frames import rows_at
from producers.venue import BookRule, ConnectionPolicy, Sandbox, Venue
from producers.venues.deribit.decoder import make_decoder
from producers.venues.deribit.naming import MARKET, VENUE_ID, guess
from producers.venues.deribit.plan import LIMIT, plan, resubscribe
from producers.venues.deribit.rest import REST

VENUE: Final = Venue(
    id=VENUE_ID,
    markets=(MARKET,),
    ws_url="wss://www.deribit.com",
    # The venue sends a heartbeat or a test request every 10 s once it was asked to. Requests cost credits: those that
    # subscribe ten can be made at once, and then 3.3 a second (https://docs.deribit.com/articles/rate-limits).
    policy=ConnectionPolicy(quiet=30.0, pace=0.35, connect_pace=0.5),
    book=BookRule(seed="ws", chain="exact"),
    plan=plan,
    decoder=make_decoder,
    guess=guess,
    rest=REST,
    resubscribe=resubscribe,
    rows=rows_at(("params", "data")),
    trades_counted="seq",
    limit=LIMIT,
    sandbox=Sandbox("wss://test.deribit.com", "https://test.deribit.com"),
)
