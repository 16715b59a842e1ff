"""Which Gate sockets to hold and what to ask of them; and a symbol's unified name where no listing is at hand."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Sequence
from datetime import date
from typing import Final

from contracts.errors import InvalidParameterError, SymbolSyntaxError
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

VENUE_ID: Final = "gate"
SPOT: Final = "spot"
LINEAR: Final = "linear"
MARKETS: Final = (SPOT, LINEAR)
WS_URL: Final = "wss://api.gateio.ws"
_FUTURES_WS_URL: Final = "wss://fx-ws.gateio.ws"
# Sizes of contracts are cut to whole numbers without it (https://www.gate.com/docs/developers/futures/ws/en/).
DECIMAL_SIZES: Final = {"X-Gate-Size-Decimal": "1"}

MAX_CONNECTIONS: Final = 300  # of one address
MAX_TOPICS: Final = 200  # of one connection; ours, to spread the load
_PREFIXES: Final = {SPOT: "spot", LINEAR: "futures"}
_ALL: Final = "!all"
_UNSTAMPED: Final = '{"time":0,'
_NS: Final = 1_000_000_000
_PAIR: Final = re.compile(r"(?P<base>[^\s_/:.-]+)_(?P<quote>[0-9A-Z]+)")
_CONTRACT: Final = re.compile(r"(?P<base>[^\s_/:.-]+)_(?P<quote>USDT|USDC|USD1|USD)(?:_20(?P<expiry>\d{6}))?")

# Our channel -> the venue's ones, with what follows the symbol in their payload, and the seconds of normal silence.
_CHANNELS: Final[dict[str, tuple[str, ...]]] = {
    TRADE: ("trades",),
    TICKER: ("tickers", "book_ticker"),
    BOOK: ("order_book_update",),
}
_SILENCES: Final = {TRADE: 180.0, TICKER: 30.0, BOOK: 30.0}
# 100 levels every 100 ms: more often means fewer levels.
_ARGUMENTS: Final = {"spot.order_book_update": ("100ms",), "futures.order_book_update": ("100ms", "100")}


def market_of(instrument: Instrument) -> str:
    """Return the market of an instrument that the venue lists."""
    return SPOT if instrument.contract == SPOT_CONTRACT else LINEAR


def plan(ws_base: str, instruments: Iterable[Instrument], channels: Iterable[str]) -> tuple[ConnectionPlan, ...]:
    """Plan the sockets: spot and futures have a host each.

    A request names one channel of one instrument, because one unknown symbol spoils its whole request. Liquidations
    come for all contracts in one subscription; `tickers` of contracts has funding and open interest too. Raises
    InvalidParameterError (`symbols`) where they need more connections than an address may hold.
    """
    wanted = frozenset(channels)
    listed = tuple(instruments)
    plans: list[ConnectionPlan] = []
    for market in MARKETS:
        items = [item for item in listed if market_of(item) == market]
        groups = [tuple(_subscriptions(market, item, wanted)) for item in items]
        if items and market == LINEAR and LIQUIDATION in wanted:
            groups.insert(0, (Subscription(f"futures.public_liquidates:{_ALL}", LIQUIDATION, None),))
        plans += [_connection(ws_base, market, number, batch) for number, batch in enumerate(_split(groups))]
    if len(plans) > MAX_CONNECTIONS:
        raise InvalidParameterError(
            f"{len(listed)} instruments of Gate need {len(plans)} connections, an address may hold {MAX_CONNECTIONS}",
            parameter="symbols",
        )
    return tuple(plans)


def _split(groups: Iterable[tuple[Subscription, ...]]) -> Iterator[list[Subscription]]:
    """Plan what belongs to one instrument on one socket."""
    batch: list[Subscription] = []
    for group in groups:
        if batch and len(batch) + len(group) > MAX_TOPICS:
            yield batch
            batch = []
        batch += group
    if batch:
        yield batch


def _subscriptions(market: str, instrument: Instrument, wanted: frozenset[str]) -> Iterator[Subscription]:
    prefix, symbol = _PREFIXES[market], instrument.venue_symbol
    for channel, names in _CHANNELS.items():
        for name in names if channel in wanted else ():
            yield Subscription(f"{prefix}.{name}:{symbol}", channel, instrument, _SILENCES[channel])
    for channel in (FUNDING, INTEREST) if market == LINEAR else ():
        if channel in wanted:
            yield Subscription(f"{prefix}.tickers:{symbol}", channel, instrument)


def _connection(ws_base: str, market: str, number: int, subscriptions: Sequence[Subscription]) -> ConnectionPlan:
    keys = dict.fromkeys(item.key for item in subscriptions)
    host = _FUTURES_WS_URL if market == LINEAR and ws_base == WS_URL else ws_base
    return ConnectionPlan(
        name=f"{market}.{number}",
        market=market,
        url=f"{host}/ws/v4/" if market == SPOT else f"{host}/v4/ws/usdt",
        subscriptions=tuple(subscriptions),
        requests=tuple(_request(ref, key) for ref, key in enumerate(keys, start=1)),
        headers=DECIMAL_SIZES if market == LINEAR else {},
        ping=f'{_UNSTAMPED}"channel":"{_PREFIXES[market]}.ping"}}',
    )


def _request(ref: int, key: str) -> SubscribeRequest:
    channel, symbol = key.split(":", 1)
    order = {"id": ref, "channel": channel, "event": "subscribe", "payload": [symbol, *_ARGUMENTS.get(channel, ())]}
    frame = _UNSTAMPED + json.dumps(order, separators=(",", ":"), ensure_ascii=False)[1:]
    return SubscribeRequest(str(ref), frame, frozenset({key}))


def stamp(frame: str, now_ns: int) -> str:
    """Write the time of sending, in seconds: the venue refuses a request that is more than 60 s off its clock."""
    if not frame.startswith(_UNSTAMPED):
        return frame
    return f'{{"time":{now_ns // _NS},{frame.removeprefix(_UNSTAMPED)}'


def guess(market: str, venue_symbol: str) -> Instrument:
    """Name an instrument by its symbol: `BTC_USDT` is a pair or a perpetual, `BTC_USD` inverse, `…_20260327` dated.

    Raises SymbolSyntaxError.
    """
    found = (_PAIR if market == SPOT else _CONTRACT).fullmatch(venue_symbol)
    if found is None:
        raise SymbolSyntaxError(f"{venue_symbol!r} is no symbol of Gate's {market} market", symbol=venue_symbol)
    base, quote = found["base"], found["quote"]
    if market == SPOT:
        return make_instrument(VENUE_ID, f"{base}/{quote}", venue_symbol)
    symbol = f"{base}/{quote}:{base if quote == 'USD' else quote}" + _expiry(found["expiry"], venue_symbol)
    return make_instrument(VENUE_ID, symbol, venue_symbol, sized_in_contracts=True)


def _expiry(day: str | None, venue_symbol: str) -> str:
    if day is None:
        return ""
    try:
        date(2000 + int(day[:2]), int(day[2:4]), int(day[4:]))
    except ValueError as error:
        raise SymbolSyntaxError(f"{venue_symbol!r} expires on no day: {error}", symbol=venue_symbol) from error
    return f"-{day}"
