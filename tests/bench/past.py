"""What is measured of answers as they were: their time beside a live answer's, and what it costs to record them."""

from __future__ import annotations

from tests.bench import children
from tests.bench.harness import Ask, Plan, Setting
from tests.bench.table import Row

ROUTES = ("/gpt/raw?symbol=BTC", "/multi/orderbook/BTC?depth=50", "/multi/trades/BTC?limit=100")
DOCUMENTS = {"ticker": "a ticker", "book": "a book of 25 levels", "trade": "the newest trades, their pages too"}
MOMENTS = 100
WRITES = 6000


def past(setting: Setting) -> Plan:
    """The time of an answer of a moment over HTTP, and that of a live one of the same route."""
    plan = Plan("An answer with as_of, beside the live one of its route", "milliseconds over HTTP", counts=False)
    driver = children.driver(setting.nats)
    for route in ROUTES:
        about = {"nats": setting.nats, "route": route, "count": MOMENTS}
        rows = {name: Row(f"{route.partition('?')[0]} {name}", at_most=True) for name in ("p50", "p95")}
        asks = [
            Ask("http-ours", "find_past", {**about, "past": True}, "ours", driver),
            Ask("http-ours", "find_past", {**about, "past": False}, "live", driver),
        ]
        plan.entries.append((rows, asks))
    plan.notes += [
        "Each of another moment, one after the other; every document was written since. The limit of p95 is 500 ms.",
        "live: nothing is kept by the API, and a document of the answer was written before each request.",
    ]
    return plan


def recording(_setting: Setting) -> Plan:
    """What the bus needs for a document that it publishes again and keeps, and for one that it only writes."""
    plan = Plan("A document written to a recorded bucket", "microseconds of the bus's CPU a document", counts=False)
    for kind, name in DOCUMENTS.items():
        about = {"kind": kind, "count": WRITES}
        asks = [
            Ask("http-ours", "record", {**about, "recorded": True}, "ours"),
            Ask("http-ours", "record", {**about, "recorded": False}, "not recorded"),
        ]
        plan.add(Row(name, at_most=True), asks)
    plan.notes.append("Published at once, 200 acknowledged at a time; the document is folded and made beforehand.")
    return plan
