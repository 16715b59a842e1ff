"""Gate's public REST answers: errors are HTTP statuses with a label.

https://www.gate.com/docs/developers/apiv4/en/
"""

from __future__ import annotations

from typing import Any

from producers.simulator.hub import Answer, Request, encode
from producers.simulator.market.listing import Listing, Trade
from producers.simulator.venue import Snapshots
from producers.simulator.venues.gate import rows

MARGIN = "/api/v4/margin/currency_pairs"
SPOT, FUTURES = "/api/v4/spot/", "/api/v4/futures/usdt/"
SIZE_HEADER = "x-gate-size-decimal"
MOST_CANDLES = 1000
DEEPEST = {"spot": 1000, "linear": 300}


class GateRest:
    """Answers of `/api/v4/spot/...` and `/api/v4/futures/usdt/...`."""

    def __init__(self, listings: dict[str, dict[str, Listing]], snapshots: Snapshots) -> None:
        self._listings = listings
        self._snapshots = snapshots

    def answer(self, request: Request, now_us: int) -> Answer:
        """One answer, with what is left of the calls."""
        found = self._find(request, now_us)
        left = (("X-Gate-Ratelimit-Limit", "200"), ("X-Gate-Ratelimit-Requests-Remain", "199"))
        return found if found.headers else Answer(found.status, found.body, left)

    def _find(self, request: Request, now_us: int) -> Answer:
        if request.path == f"{SPOT}time":
            return Answer(200, encode({"server_time": now_us // 1000}))
        if request.path == MARGIN:
            return Answer(200, encode([_margin_pair(item) for item in self._listings["spot"].values()]))
        market, prefix = ("spot", SPOT) if request.path.startswith(SPOT) else ("linear", FUTURES)
        name, listings = request.path.removeprefix(prefix), self._listings[market]
        group, _, one = name.partition("/")
        if group == ("currency_pairs" if market == "spot" else "contracts"):
            return _listed(listings, one, request, market)
        symbol = request.query.get("currency_pair" if market == "spot" else "contract")
        if name == "tickers":
            return self._tickers(request, market, now_us)
        answers = {"order_book": self._book, "trades": _trades, "candlesticks": _candles}
        if name not in answers or not request.path.startswith(prefix):
            return Answer(*rows.refusal(404, "NOT_FOUND", "Requested resource not found"))
        if symbol is None:
            label = "MISSING_REQUIRED_PARAM"
            return Answer(*rows.refusal(400, label, "Missing required parameter: currency_pair"))
        if symbol not in listings:
            return _unknown(market, symbol)
        return answers[name](listings[symbol], request, now_us)

    def _tickers(self, request: Request, market: str, now_us: int) -> Answer:
        listings = self._listings[market]
        symbol = request.query.get("currency_pair" if market == "spot" else "contract")
        if symbol is not None and symbol not in listings:
            return _unknown(market, symbol)
        found = [listings[symbol]] if symbol else list(listings.values())
        if market == "spot":
            return Answer(200, encode([rows.spot_ticker(item) for item in found]))
        return Answer(200, encode([rows.futures_ticker(item, now_us, exact=is_exact(request)) for item in found]))

    def _book(self, listing: Listing, request: Request, now_us: int) -> Answer:
        market = listing.instrument.market
        limit = min(int(request.query.get("limit", "10")), DEEPEST[market])
        depth = self._snapshots.find(listing, now_us, stale=request.stale).top(limit)
        head = f'"id":{depth.update_id},' if request.query.get("with_id") == "true" else ""
        if market == "spot":
            times = f'"current":{now_us // 1000},"update":{depth.ts_us // 1000}'
            asks, bids = (rows.pairs_text(listing, levels) for levels in (depth.asks, depth.bids))
        else:
            times = f'"current":{now_us // 1000 / 1000:.3f},"update":{depth.ts_us // 1000 / 1000:.3f}'
            exact = is_exact(request)
            asks, bids = (rows.objects_text(listing, levels, exact=exact) for levels in (depth.asks, depth.bids))
        return Answer(200, f'{{{head}{times},"asks":{asks},"bids":{bids}}}')


def is_exact(request: Request) -> bool:
    """Return whether a client requests sizes with decimals."""
    return request.headers.get(SIZE_HEADER) == "1"


def _unknown(market: str, symbol: str) -> Answer:
    if market == "spot":
        return Answer(*rows.refusal(400, "INVALID_CURRENCY_PAIR", f"Invalid currency pair {symbol}"))
    return Answer(*rows.refusal(400, "CONTRACT_NOT_FOUND", f"contract {symbol} not found"))


def _trades(listing: Listing, request: Request, now_us: int) -> Answer:  # noqa: ARG001 - as the other answers
    """Newest first: ids and times of pairs are texts here, and `create_time_ms` of contracts counts seconds."""
    newest = _select(listing, request.query)
    if listing.instrument.market == "spot":
        return Answer(200, encode([_as_texts(rows.spot_trade(listing, x)) for x in newest]))
    found = [rows.futures_trade(listing, x, exact=is_exact(request)) for x in newest]
    return Answer(200, encode([{**row, "create_time_ms": row["create_time_ms"] / 1000} for row in found]))


def _select(listing: Listing, query: dict[str, str]) -> list[Trade]:
    """`limit` trades, newest first: `from` and `to` are seconds, `last_id` the newest already known.

    With `reverse` (pairs) `last_id` is the oldest that is wanted newer ones of; `page` and `offset` skip.
    """
    limit, last_id = min(int(query.get("limit", "100")), 1000), int(query.get("last_id", "0"))
    start, end = int(query.get("from", "0")), int(query.get("to", str(2**63)))
    fits = [x for x in reversed(listing.recent) if start <= x.ts_us // 1_000_000 <= end]
    if last_id:
        is_reverse = query.get("reverse") == "true"
        fits = [x for x in fits if (x.id > last_id if is_reverse else x.id < last_id)]
    skip = int(query.get("offset", "0")) + (int(query.get("page", "1")) - 1) * limit
    return fits[skip : skip + limit]


def _listed(listings: dict[str, Listing], one: str, request: Request, market: str) -> Answer:
    """All instruments (contracts by `limit` and `offset`), or the one that the path names."""
    row = _pair if market == "spot" else _contract
    if one:
        return Answer(200, encode(row(listings[one]))) if one in listings else _unknown(market, one)
    rows = [row(item) for item in listings.values()]
    if market == "spot":
        return Answer(200, encode(rows))
    offset = int(request.query.get("offset", "0"))
    return Answer(200, encode(rows[offset : offset + int(request.query.get("limit", "1000"))]))


def _as_texts(row: dict[str, Any]) -> dict[str, Any]:
    return {**row, "id": str(row["id"]), "create_time": str(row["create_time"])}


def _candles(listing: Listing, request: Request, now_us: int) -> Answer:
    t, query = listing.instrument, request.query
    interval = query.get("interval", "30m")
    if interval not in rows.INTERVALS:
        return Answer(*rows.refusal(400, "INVALID_PARAM_VALUE", f"Invalid interval {interval}"))
    length = rows.INTERVALS[interval] * 1_000_000
    if "limit" in query and ("from" in query or "to" in query):
        return Answer(*rows.refusal(400, "INVALID_PARAM_VALUE", "limit is conflicted with from and to"))
    until = min(int(query.get("to", now_us // 1_000_000)) * 1_000_000, now_us)
    count = min(int(query.get("limit", "100")), MOST_CANDLES)
    if "from" in query:
        count = max(0, (until - int(query["from"]) * 1_000_000) // length + 1)
        if count > MOST_CANDLES:
            return Answer(*rows.refusal(400, "INVALID_PARAM_VALUE", f"Too many data points: {count}"))
    found: list[Any] = []
    for c in listing.candles.list_candles(length, until, count):
        prices = [t.price_text(price) for price in (c.close, c.high, c.low, c.open)]
        if t.market == "spot":  # columns: quote volume, then close before high, low and open
            closed = str(c.start_us + length <= now_us).lower()
            volumes = rows.quote_text(listing, c.quote), t.amount_text(c.volume)
            found.append([str(c.start_us // 1_000_000), volumes[0], *prices, volumes[1], closed])
        else:
            row = dict(zip("chlo", prices, strict=True))
            volume = rows.size(listing, c.volume, exact=is_exact(request))
            found.append({"t": c.start_us // 1_000_000, "v": volume, **row, "sum": rows.quote_text(listing, c.quote)})
    return Answer(200, encode(found))


def _pair(listing: Listing) -> dict[str, Any]:
    t = listing.instrument
    return {
        "id": t.symbol,
        "base": t.base,
        "base_name": t.base,
        "quote": t.quote,
        "quote_name": t.quote,
        "fee": "0.2",
        "min_quote_amount": "3",
        "amount_precision": t.amount_decimals,
        "precision": t.price_decimals,
        "trade_status": "tradable",
        "sell_start": 0,
        "buy_start": 0,
        "type": "normal",
    }


def _margin_pair(listing: Listing) -> dict[str, Any]:
    t = listing.instrument
    row = {"id": t.symbol, "base": t.base, "quote": t.quote, "leverage": 5, "min_base_amount": t.lot}
    return row | {"min_quote_amount": "1", "max_quote_amount": "1000000", "status": 1}


def _contract(listing: Listing) -> dict[str, Any]:
    t = listing.instrument
    return {
        "name": t.symbol,
        "type": "direct",
        "quanto_multiplier": t.contract,
        "mark_type": "index",
        "last_price": t.price_text(listing.last.price),
        "mark_price": t.price_text(round(listing.mark_price())),
        "funding_rate": f"{listing.funding_rate:.6f}",
        "funding_interval": rows.FUNDING_S,
        "order_price_round": t.tick,
        "order_size_min": 1 if t.amount_scale == 0 else 0,
        "enable_decimal": t.amount_scale > 0,
        "in_delisting": False,
        "status": "trading",
        "contract_type": "",
        "orderbook_id": listing.book.update_id,
        "position_size": rows.size(listing, listing.open_interest, exact=False),
    }
