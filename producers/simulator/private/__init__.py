"""An exchange's private side, without its protocol: accounts, orders, money, and what goes wrong with requests. Pure.

A venue's front end checks a request's signature in its own way, and then calls:

    side = PrivateSide(Exchange([Spot("BTC/IDR", "BTC", "IDR", price_step=…, amount_step=…)]))
    account = side.exchange.add_account(key, secret, {"view", "trade"}, {"IDR": Decimal(10**9)})
    side.exchange.find_account(key)                     the account of a key, None where there is none
    side.exchange.on_book(symbol, bids, asks, now_us)   the book that the venue shows: (price, amount), best first
    side.exchange.place(account, Wanted(…), now_us)     returns the Order; RefusedError says why not (`code`, `text`)
    side.exchange.cancel(account, order_id, now_us)     returns the Order; RefusedError
    side.exchange.find(account, order_id=… | client_id=…)   an order, open or ended; None where there is none
    side.exchange.list_orders(account, symbol=…, is_open=…) the oldest first
    side.exchange.list_fills(account, now_us, …)        executions that are listed by now
    side.exchange.tick(now_us)                          countdowns that are due
    side.exchange.imbalance()                           {} while no unit of money was made or lost

What goes wrong is ordered of `side.faults` (`faults.py`), by a queue or by a seeded rate. A front end wraps each
private request: `side.answer(method, act, refusals, now_us)`, where `act(now_us)` returns the Answer of the request as
it is carried out. An Answer with `lost=True` never reaches the client: the server cuts its connection. `Request.body`
and `Request.query_text` are byte for byte what was signed.

A venue that has such a side has an attribute `private` (`producers.simulator.venue.Trading`), and calls
`private.tick(now_us)` when the market moves, with `on_book` of the `open_symbols` before. `Simulator.private(venue)`
reaches it in tests; other processes open accounts and order faults by `/_control/account?venue=…&key=…&secret=…
&permissions=view,trade&balance=IDR:1000000,BTC:1` and `/_control/private?venue=…&kind=lost_after&method=trade`.

Prices and amounts are Decimal, times whole microseconds UTC, fees fractions of the value. An amount that the book shows
at a price fills orders once, until the book shows another amount there.
"""

from __future__ import annotations

from producers.simulator.private.exchange import Exchange
from producers.simulator.private.faults import PrivateFault, PrivateFaults, Refusals
from producers.simulator.private.money import Account, Permission
from producers.simulator.private.orders import Fill, Order, RefusedError, Spot, Wanted
from producers.simulator.private.side import PrivateSide

__all__ = [
    "Account",
    "Exchange",
    "Fill",
    "Order",
    "Permission",
    "PrivateFault",
    "PrivateFaults",
    "PrivateSide",
    "Refusals",
    "RefusedError",
    "Spot",
    "Wanted",
]
