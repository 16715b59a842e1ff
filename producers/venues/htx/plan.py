"""Which HTX sockets to hold and what to ask of them; and an instrument's unified name where no listing is at hand."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from typing import Final

from contracts.errors import SymbolSyntaxError
from contracts.instrument import SPOT, Instrument, make_instrument
from producers.venue import (
    BOOK,
    FUNDING,
    LIQUIDATION,
    TICKER,
    TRADE,
    ConnectionPlan,
    SubscribeRequest,
    Subscription,
)

VENUE_ID: Final = "htx"
SPOT_MARKET: Final = "spot"
LINEAR: Final = "linear"
SPOT_HOST: Final = "wss://api.huobi.pro"
SWAP_HOST: Final = "wss://api.hbdm.com"
SWAP_REST: Final = "https://api.hbdm.com"
ALL_FORCED: Final = "public.*.liquidation_orders"
MAX_TOPICS: Final = 100  # of one connection; ours, for the venue's limit is not confirmed

_MBP: Final = ".mbp."
_HIGH_FREQ: Final = ".high_freq"
_QUOTES: Final = (
    "usdt",
    "usdc",
    "usdd",
    "husd",
    "tusd",
    "fdusd",
    "euri",
    "eur",
    "try",
    "brl",
    "btc",
    "eth",
    "ht",
    "trx",
)
_SPOT_NAME: Final = re.compile(r"[0-9a-z]+")
_CONTRACT: Final = re.compile(r"(?P<base>[0-9A-Z]+)-(?P<quote>USDT?)(?:-(?P<expiry>\d{6}))?")
_COIN_FUTURE: Final = re.compile(r"(?P<base>[0-9A-Z]+?)(?P<expiry>\d{6})")
_ALIAS: Final = re.compile(r"(?P<base>[0-9A-Z]+)(?:_|-(?P<quote>USDT)-)(?P<series>CW|NW|CQ|NQ)")


@dataclass(frozen=True, slots=True)
class _Line:
    """One kind of socket: its market, host and path, and our channel -> the venue's names and normal silence in s."""

    name: str
    market: str
    host: str
    path: str
    channels: dict[str, tuple[tuple[str, ...], float | None]]


_LINES: Final = (
    _Line(
        "spot",
        SPOT_MARKET,
        SPOT_HOST,
        "/ws",
        {TRADE: (("market.{}.trade.detail",), 180.0), TICKER: (("market.{}.bbo", "market.{}.detail"), 30.0)},
    ),
    _Line("spot-book", SPOT_MARKET, SPOT_HOST, "/feed", {BOOK: (("market.{}.mbp.150",), 30.0)}),
    _Line(
        "linear",
        LINEAR,
        SWAP_HOST,
        "/linear-swap-ws",
        {
            TRADE: (("market.{}.trade.detail",), 180.0),
            TICKER: (("market.{}.bbo", "market.{}.detail"), 30.0),
            BOOK: (("market.{}.depth.size_150.high_freq",), 30.0),
        },
    ),
    _Line(
        "linear-notes", LINEAR, SWAP_HOST, "/linear-swap-notification", {FUNDING: (("public.{}.funding_rate",), None)}
    ),
)


def plan(ws_base: str, instruments: Iterable[Instrument], channels: Iterable[str]) -> tuple[ConnectionPlan, ...]:
    """Plan the sockets: market data, spot books and notifications apart, 100 topics each, one request a topic.

    Liquidations of all contracts come in one subscription. Open interest has no channel.
    """
    wanted = frozenset(channels)
    listed = sorted(instruments, key=lambda item: item.venue_symbol)
    found: list[ConnectionPlan] = []
    for line in _LINES:
        mine = [item for item in listed if (item.contract == SPOT) == (line.market == SPOT_MARKET)]
        topics = [topic for item in mine for topic in _subscriptions(line, item, wanted)]
        if FUNDING in line.channels and LIQUIDATION in wanted and mine:
            topics.insert(0, Subscription(ALL_FORCED, LIQUIDATION, None))
        host = line.host if ws_base == SPOT_HOST else ws_base
        for number, start in enumerate(range(0, len(topics), MAX_TOPICS)):
            batch = tuple(topics[start : start + MAX_TOPICS])
            requests = tuple(_request(f"{index + 1}", item.key) for index, item in enumerate(batch))
            found.append(ConnectionPlan(f"{line.name}.{number}", line.market, host + line.path, batch, requests))
    return tuple(found)


def _subscriptions(line: _Line, instrument: Instrument, wanted: frozenset[str]) -> Iterator[Subscription]:
    for channel, (names, silence) in line.channels.items():
        if channel in wanted:
            for name in names:
                yield Subscription(name.format(instrument.venue_symbol), channel, instrument, silence)


def _request(ref: str, key: str) -> SubscribeRequest:
    return SubscribeRequest(ref, _frame("sub", ref, key), frozenset({key}))


def _frame(verb: str, ref: str, key: str) -> str:
    """Write a request in the socket's own dialect: `op` and `cid` for notifications, `sub` and `id` for the others."""
    if key.startswith("public."):
        return _json({"op": verb, "cid": ref, "topic": key})
    more = {"data_type": "incremental"} if key.endswith(_HIGH_FREQ) and verb == "sub" else {}
    return _json({"id": ref, verb: key, **more})


def book_request(instrument: Instrument) -> str | None:
    """Ask for a spot book's snapshot on its socket; the answer comes as `rep`. Contracts have none: None."""
    if instrument.contract != SPOT:
        return None
    return _frame("req", "book", f"market.{instrument.venue_symbol}{_MBP}150")


def resubscribe(subscription: Subscription) -> tuple[str, ...]:
    """Leave a topic and ask for it again: the book of a contract then begins with a snapshot."""
    return tuple(_frame(verb, "again", subscription.key) for verb in ("unsub", "sub"))


def _json(request: dict[str, str]) -> str:
    return json.dumps(request, separators=(",", ":"), ensure_ascii=False)


def guess(market: str, venue_symbol: str) -> Instrument:  # noqa: ARG001 - the symbol says which market it is of
    """Name an instrument by its symbol alone.

    `btcusdt` is spot, `BTC-USDT` and `BTC-USDT-261225` linear, `BTC-USD` and `BTC261225` coin-margined. `BTC_CW`
    (linear: `BTC-USDT-CW`), `_NW`, `_CQ` and `_NQ` are series of dated futures (this and the next week's, this and the
    next quarter's): which contract that is depends on the day, so that their symbol names the series where CCXT's has
    the expiry. Raises SymbolSyntaxError for anything else.
    """
    if _SPOT_NAME.fullmatch(venue_symbol):
        quote = next((q for q in _QUOTES if venue_symbol.endswith(q) and venue_symbol != q), None)
        if quote is not None:
            return make_instrument(VENUE_ID, f"{venue_symbol.removesuffix(quote)}/{quote}".upper(), venue_symbol)
    found = _CONTRACT.fullmatch(venue_symbol) or _COIN_FUTURE.fullmatch(venue_symbol)
    if found is not None:
        parts = found.groupdict()
        base, quote, expiry = parts["base"], parts.get("quote", "USD"), parts["expiry"]
        symbol = f"{base}/{quote}:{base if quote == 'USD' else quote}" + _expiry(expiry, venue_symbol)
        return make_instrument(VENUE_ID, symbol, venue_symbol, sized_in_contracts=True)
    alias = _ALIAS.fullmatch(venue_symbol)
    if alias is None:
        raise SymbolSyntaxError(f"{venue_symbol!r} is no pair, swap or future of HTX", symbol=venue_symbol)
    base, series, quote = alias["base"], alias["series"], alias["quote"] or "USD"
    settle = base if quote == "USD" else quote
    return Instrument(
        venue=VENUE_ID,
        symbol=f"{base}/{quote}:{settle}-{series}",
        venue_symbol=venue_symbol,
        base=base,
        quote=quote,
        settle=settle,
        contract=series if settle == quote else f"i{series}",
        sized_in_contracts=True,
    )


def _expiry(day: str | None, venue_symbol: str) -> str:
    if day is None:
        return ""
    try:
        date(2000 + int(day[:2]), int(day[2:4]), int(day[4:]))
    except ValueError as error:
        raise SymbolSyntaxError(f"{venue_symbol!r} expires on no day: {error}", symbol=venue_symbol) from error
    return f"-{day}"
