"""Gate's rows and number texts that sockets and REST share; futures sizes are signed contracts.

https://www.gate.com/docs/developers/apiv4/en/
"""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

from producers.simulator.hub import encode
from producers.simulator.market.candles import Candle
from producers.simulator.market.instruments import number_text
from producers.simulator.market.listing import Listing, Trade

FUNDING_S = 8 * 3600
INTERVALS = {
    "10s": 10, "1m": 60, "5m": 300, "15m": 900, "30m": 1800, "1h": 3600, "4h": 14_400, "8h": 28_800, "1d": 86_400,
    "7d": 604_800,
}  # fmt: skip
FINEST = 4  # decimals of the smallest contract
Levels = list[tuple[int, int]]


def size_text(listing: Listing, units: int, *, exact: bool) -> str:
    """Contracts as JSON: a text with decimals, or (unless the client requests them) a cut whole number."""
    if exact:
        return f'"{listing.instrument.amount_text(units)}"'
    whole = abs(units) // 10**listing.instrument.amount_scale
    return str(-whole if units < 0 else whole)


def size(listing: Listing, units: int, *, exact: bool) -> Any:
    """`size_text` as a value."""
    return json.loads(size_text(listing, units, exact=exact))


def pairs_text(listing: Listing, levels: Levels) -> str:
    """JSON rows of [price, amount]."""
    t = listing.instrument
    return "[" + ",".join(f'["{t.price_text(price)}","{t.amount_text(units)}"]' for price, units in levels) + "]"


def objects_text(listing: Listing, levels: Levels, *, exact: bool) -> str:
    """JSON rows of price and size by name."""
    t = listing.instrument
    rows = (f'{{"p":"{t.price_text(price)}","s":{size_text(listing, units, exact=exact)}}}' for price, units in levels)
    return "[" + ",".join(rows) + "]"


def base_text(listing: Listing, units: int) -> str:
    """An amount in the base coin."""
    t = listing.instrument
    return number_text(units * int(Decimal(t.contract) * 10**FINEST), t.amount_scale + FINEST, -1)


def quote_text(listing: Listing, units: int) -> str:
    """A sum of price x amount in the quote coin."""
    t = listing.instrument
    return number_text(units * int(Decimal(t.contract) * 10**FINEST), t.price_scale + t.amount_scale + FINEST, -1)


def change_text(listing: Listing) -> str:
    """The change of 24 hours in percent."""
    return f"{(listing.last.price - listing.open_24h) / listing.open_24h * 100:.4f}"


def spot_ticker(listing: Listing) -> dict[str, str]:
    """One row of `spot.tickers`."""
    t, book = listing.instrument, listing.book
    return {
        "currency_pair": t.symbol,
        "last": t.price_text(listing.last.price),
        "lowest_ask": t.price_text(book.best_ask),
        "highest_bid": t.price_text(book.best_bid),
        "change_percentage": change_text(listing),
        "base_volume": listing.volume_text(),
        "quote_volume": quote_text(listing, listing.quote_units),
        "high_24h": t.price_text(listing.high_24h),
        "low_24h": t.price_text(listing.low_24h),
    }


def futures_ticker(listing: Listing, now_us: int, *, exact: bool) -> dict[str, Any]:
    """One row of `futures.tickers`."""
    t, book = listing.instrument, listing.book
    mark, now_s = t.price_text(round(listing.mark_price())), now_us // 1_000_000
    rate = f"{listing.funding_rate:.6f}"
    return {
        "contract": t.symbol,
        "last": t.price_text(listing.last.price),
        "low_24h": t.price_text(listing.low_24h),
        "high_24h": t.price_text(listing.high_24h),
        "change_percentage": change_text(listing),
        "total_size": size(listing, listing.open_interest, exact=exact),
        "volume_24h": size(listing, listing.volume_units, exact=exact),
        "volume_24h_base": base_text(listing, listing.volume_units),
        "volume_24h_quote": quote_text(listing, listing.quote_units),
        "volume_24h_settle": quote_text(listing, listing.quote_units),
        "mark_price": mark,
        "funding_rate": rate,
        "funding_rate_indicative": rate,
        "funding_next_apply": now_s - now_s % FUNDING_S + FUNDING_S,
        "index_price": mark,
        "quanto_base_rate": "",
        "price_type": "last",
        "change_price": t.price_text(listing.last.price - listing.open_24h),
        "highest_bid": t.price_text(book.best_bid),
        "highest_size": size(listing, book.bids[book.best_bid], exact=exact),
        "lowest_ask": t.price_text(book.best_ask),
        "lowest_size": size(listing, book.asks[book.best_ask], exact=exact),
        "basis_rate": "0",
        "basis_value": "0",
    }


def spot_trade(listing: Listing, x: Trade) -> dict[str, Any]:
    """One print of a pair."""
    t = listing.instrument
    return {
        "id": x.id,
        "id_market": x.id,
        "create_time": x.ts_us // 1_000_000,
        "create_time_ms": f"{x.ts_us // 1000}.{x.ts_us % 1000:03d}",
        "side": "buy" if x.taker_buys else "sell",
        "currency_pair": t.symbol,
        "amount": t.amount_text(x.amount),
        "price": t.price_text(x.price),
        "range": f"{x.id}-{x.id}",
    }


def futures_trade(listing: Listing, x: Trade, *, exact: bool) -> dict[str, Any]:
    """One print of a contract: a negative size sold."""
    return {
        "contract": listing.instrument.symbol,
        "create_time": x.ts_us // 1_000_000,
        "create_time_ms": x.ts_us // 1000,
        "id": x.id,
        "price": listing.instrument.price_text(x.price),
        "size": size(listing, x.amount if x.taker_buys else -x.amount, exact=exact),
    }


def book_ticker(listing: Listing, now_ms: int, *, exact: bool) -> str:
    """The best prices as JSON."""
    t, book = listing.instrument, listing.book
    bid, ask = book.best_bid, book.best_ask
    is_spot = t.market == "spot"
    amounts = [size_text(listing, units, exact=exact or is_spot) for units in (book.bids[bid], book.asks[ask])]
    return (
        f'{{"t":{now_ms},"u":{book.update_id},"s":"{t.symbol}","b":"{t.price_text(bid)}","B":{amounts[0]},'
        f'"a":"{t.price_text(ask)}","A":{amounts[1]}}}'
    )


def candle_row(listing: Listing, candle: Candle, name: str, *, closed: bool) -> dict[str, Any]:
    """One candle of a socket: pairs count the quote coin as `v`, contracts themselves."""
    t = listing.instrument
    prices = {"c": candle.close, "h": candle.high, "l": candle.low, "o": candle.open}
    row: dict[str, Any] = {key: t.price_text(price) for key, price in prices.items()}
    start = candle.start_us // 1_000_000
    if t.market == "spot":
        row |= {"t": str(start), "v": quote_text(listing, candle.quote), "a": t.amount_text(candle.volume)}
    else:
        row |= {"t": start, "v": size(listing, candle.volume, exact=True)}
    return {**row, "n": f"{name}_{t.symbol}", "w": closed}


def refusal(status: int, label: str, message: str, **headers: str) -> tuple[int, str, tuple[tuple[str, str], ...]]:
    """A REST error's status, body and headers."""
    named = tuple((f"X-Gate-Ratelimit-{name.title()}", value) for name, value in headers.items())
    return status, encode({"label": label, "message": message}), named
