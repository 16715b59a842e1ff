"""Which Bybit sockets to hold and what to ask of them; and a symbol's unified name where no listing is at hand."""

from __future__ import annotations

import calendar
import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import date
from typing import Final

from contracts.errors import SymbolSyntaxError
from contracts.instrument import SPOT as SPOT_CONTRACT
from contracts.instrument import Instrument, make_instrument
from producers.venue import (
    BOOK,
    FUNDING,
    INTEREST,
    LIQUIDATION,
    TICKER,
    TRADE,
    ConnectionPlan,
    SubscribeRequest,
    Subscription,
)

VENUE_ID: Final = "bybit"
SPOT: Final = "spot"
LINEAR: Final = "linear"
INVERSE: Final = "inverse"
MARKETS: Final = (SPOT, LINEAR, INVERSE)

# 50 levels come every 20 ms, 200 every 100 ms: a published book is 100 levels deep, so that 50 are too few.
BOOK_DEPTH: Final = 200
MAX_ARGS_CHARACTERS: Final = 21_000  # of all args of one connection
MAX_TOPICS: Final = 400  # of one connection; ours, to spread the load
_ARG_OVERHEAD: Final = 3  # two quotes and a comma

# Longest first: a symbol is split at the longest quote that it ends in.
_QUOTES: Final = (
    *("PYUSD", "RLUSD", "FDUSD", "USDT", "USDC", "USDE", "USD1", "USDR", "USDQ", "TUSD", "BUSD"),
    *("USD", "EUR", "GBP", "BRL", "TRY", "BRZ", "PLN", "ARS", "KZT", "DAI", "MNT", "BTC", "ETH", "SOL", "BIT"),
)
_CONTRACT_QUOTES: Final = ("USDT", "USDC", "USD")
_MONTHS: Final = {name.upper(): number for number, name in enumerate(calendar.month_abbr) if name}
_QUARTERS: Final = {"H": 3, "M": 6, "U": 9, "Z": 12}
_CODE: Final = r"[^\W_a-z]+"  # letters (not small ones) and digits: what joins parts by a hyphen is no coin
_DATED: Final = re.compile(rf"(?P<pair>{_CODE})-(?P<day>[0-9]{{1,2}})(?P<month>[A-Z]{{3}})(?P<year>[0-9]{{2}})")
_QUARTERLY: Final = re.compile(rf"(?P<base>{_CODE})USD(?P<code>[HMUZ])(?P<year>[0-9]{{2}})")
_is_code: Final = re.compile(_CODE).fullmatch


def market_of(instrument: Instrument) -> str:
    """Return the market (the socket's path and REST's `category`) of an instrument."""
    if instrument.contract == SPOT_CONTRACT:
        return SPOT
    return INVERSE if instrument.is_inverse else LINEAR


def plan(ws_base: str, instruments: Iterable[Instrument], channels: Iterable[str]) -> tuple[ConnectionPlan, ...]:
    """Plan the sockets: one path a market, at most 21 000 characters of topics each.

    A request carries the topics of one instrument: a spot request may carry ten, and whether one bad topic spoils its
    whole request is not documented, so that a delisted symbol takes only its own topics with it.
    """
    wanted = frozenset(channels)
    listed = tuple(instruments)
    plans: list[ConnectionPlan] = []
    for market in MARKETS:
        groups = [_subscriptions(market, item, wanted) for item in listed if market_of(item) == market]
        for number, batch in enumerate(_split([group for group in groups if group])):
            plans.append(_connection(f"{market}.{number}", market, f"{ws_base}/v5/public/{market}", batch))
    return tuple(plans)


def _subscriptions(market: str, instrument: Instrument, wanted: frozenset[str]) -> tuple[Subscription, ...]:
    """List an instrument's topics. `tickers` also says funding and open interest, and no bid and ask on spot."""
    symbol = instrument.venue_symbol
    found: list[Subscription] = []
    if TRADE in wanted:
        found.append(Subscription(f"publicTrade.{symbol}", TRADE, instrument, 180.0))
    carried = [channel for channel in (TICKER, FUNDING, INTEREST) if channel in wanted]
    if TICKER in carried:
        found.append(Subscription(f"tickers.{symbol}", TICKER, instrument, 30.0))
    elif carried and market != SPOT:
        found.append(Subscription(f"tickers.{symbol}", carried[0], instrument))
    if TICKER in wanted and market == SPOT:
        found.append(Subscription(f"orderbook.1.{symbol}", TICKER, instrument, 30.0))
    if BOOK in wanted:
        found.append(Subscription(f"orderbook.{BOOK_DEPTH}.{symbol}", BOOK, instrument, 30.0))
    if LIQUIDATION in wanted and market != SPOT:
        found.append(Subscription(f"allLiquidation.{symbol}", LIQUIDATION, instrument))
    return tuple(found)


def _split(groups: Iterable[tuple[Subscription, ...]]) -> Iterator[list[tuple[Subscription, ...]]]:
    batch: list[tuple[Subscription, ...]] = []
    characters = topics = 0
    for group in groups:
        length = sum(len(item.key) + _ARG_OVERHEAD for item in group)
        if batch and (characters + length > MAX_ARGS_CHARACTERS or topics + len(group) > MAX_TOPICS):
            yield batch
            batch, characters, topics = [], 0, 0
        batch.append(group)
        characters += length
        topics += len(group)
    if batch:
        yield batch


def _connection(name: str, market: str, url: str, groups: list[tuple[Subscription, ...]]) -> ConnectionPlan:
    return ConnectionPlan(
        name=name,
        market=market,
        url=url,
        subscriptions=tuple(item for group in groups for item in group),
        requests=tuple(_request(f"{name}.{number}", group) for number, group in enumerate(groups)),
    )


def _request(ref: str, group: tuple[Subscription, ...]) -> SubscribeRequest:
    keys = [item.key for item in group]
    frame = json.dumps({"req_id": ref, "op": "subscribe", "args": keys}, separators=(",", ":"))
    return SubscribeRequest(ref, frame, frozenset(keys))


def resubscribe(subscription: Subscription) -> tuple[str, ...]:
    """Leave one topic and ask for it again: a book then begins with a snapshot."""
    return tuple(
        json.dumps({"req_id": f"again.{op}", "op": op, "args": [subscription.key]}, separators=(",", ":"))
        for op in ("unsubscribe", "subscribe")
    )


def guess(market: str, venue_symbol: str) -> Instrument:
    """Name an instrument by its spelling: `BTCUSDT`, `BTCPERP`, `BTC-26DEC25`, `BTCUSD`, `BTCUSDZ25`.

    The same `BTCUSDT` is a pair on spot and a perpetual elsewhere. Contracts quoted in USD are inverse on either
    contract market (https://bybit-exchange.github.io/docs/v5/enum#symbol). Raises SymbolSyntaxError, for options
    (`BTC-26DEC25-90000-C`, `BTC-26DEC25-90000-C-USDT`) too.
    """
    if market == SPOT:
        return make_instrument(VENUE_ID, "/".join(_split_pair(venue_symbol, _QUOTES)), venue_symbol)
    found = make_instrument(VENUE_ID, _contract_symbol(venue_symbol), venue_symbol)
    return replace(found, sized_in_contracts=found.is_inverse)


def _contract_symbol(text: str) -> str:
    if text.endswith("PERP") and _is_code(text) and text != "PERP":
        return f"{text.removesuffix('PERP')}/USDC:USDC"
    if dated := _DATED.fullmatch(text):
        month = _MONTHS.get(dated["month"])
        return f"{_perpetual(dated['pair'], bare='USDC')}-{_expiry(text, dated['year'], month, int(dated['day']))}"
    if quarterly := _QUARTERLY.fullmatch(text):
        base, year, month = quarterly["base"], quarterly["year"], _QUARTERS[quarterly["code"]]
        return f"{base}/USD:{base}-{_expiry(text, year, month, _last_friday(2000 + int(year), month))}"
    return _perpetual(text)


def _expiry(text: str, year: str, month: int | None, day: int) -> str:
    """Return a day as yymmdd; raises SymbolSyntaxError where there is none."""
    try:
        return f"{date(2000 + int(year), month or 0, day):%y%m%d}"
    except ValueError as error:
        raise SymbolSyntaxError(f"{text!r} names no day: {error}", symbol=text) from error


def _perpetual(pair: str, bare: str | None = None) -> str:
    """Name the perpetual of a pair; a coin alone, as in `BTC-26DEC25`, is settled in `bare`."""
    try:
        base, quote = _split_pair(pair, _CONTRACT_QUOTES)
    except SymbolSyntaxError:
        if bare is None:
            raise
        base, quote = pair, bare
    return f"{base}/USD:{base}" if quote == "USD" else f"{base}/{quote}:{quote}"


def _split_pair(text: str, quotes: tuple[str, ...]) -> tuple[str, str]:
    for quote in quotes:
        if text.endswith(quote) and _is_code(text) and len(text) > len(quote):
            return text.removesuffix(quote), quote
    raise SymbolSyntaxError(f"{text!r} ends in no known quote, or is more than letters and digits", symbol=text)


def _last_friday(year: int, month: int) -> int:
    return max(week[calendar.FRIDAY] for week in calendar.monthcalendar(year, month))
