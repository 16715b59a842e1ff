"""KuCoin futures' topics, and a contract's unified name where no listing is at hand."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import date, timedelta
from typing import Final

from contracts.errors import SymbolSyntaxError
from contracts.instrument import INVERSE, PERP, Instrument, make_instrument
from producers.families import kucoin_plan as kucoin
from producers.families.kucoin_wire import coin
from producers.venue import BOOK, FUNDING, TICKER, TRADE, ConnectionPlan

VENUE_ID: Final = "kucoinfutures"
MARKET: Final = "futures"
WS_URL: Final = "wss://ws-api-futures.kucoin.com/"  # what a token's answer named; the answer of the day is what counts

_TOPICS: Final[kucoin.Topics] = {
    TRADE: (("/contractMarket/execution", 180.0),),
    TICKER: (("/contractMarket/tickerV2", 30.0), ("/contractMarket/snapshot", 30.0)),
    BOOK: (("/contractMarket/level2", 30.0),),
    FUNDING: (("/contract/instrument", None),),
}
_PERPETUAL: Final = re.compile(r"(?P<base>[A-Z0-9]+?)(?P<quote>USDT|USDC|USD)M")
_DATED: Final = re.compile(r"(?P<base>[A-Z0-9]+)M(?P<month>[FGHJKMNQUVXZ])(?P<year>\d\d)")
_MONTHS: Final = "FGHJKMNQUVXZ"
_FRIDAY: Final = 4


def plan(ws_base: str, instruments: Iterable[Instrument], channels: Iterable[str]) -> tuple[ConnectionPlan, ...]:
    """Return the sockets with their topics; the address is completed by the token. Dated contracts have no funding."""
    wanted = kucoin.subscriptions(_TOPICS, instruments, channels)
    kept = [item for item in wanted if item.channel != FUNDING or (item.instrument and has_funding(item.instrument))]
    return kucoin.plan(MARKET, ws_base, kept, frozenset())


def has_funding(instrument: Instrument) -> bool:
    """Return whether a contract is perpetual."""
    return instrument.contract in {PERP, INVERSE}


def guess(market: str, venue_symbol: str) -> Instrument:
    """Name a contract by its spelling; contracts in USD are settled in the base coin.

    `XBTUSDTM` is perpetual; `XBTMZ26` is quoted in USD and expires, as the venue's quarterly ones do, on its month's
    last Friday. Raises SymbolSyntaxError for anything else.
    """
    dated = _DATED.fullmatch(venue_symbol)
    if dated is not None:
        base, expiry = coin(dated["base"]), _last_friday(2000 + int(dated["year"]), dated["month"])
        return _contract(f"{base}/USD:{base}-{expiry:%y%m%d}", venue_symbol)
    pair = _PERPETUAL.fullmatch(venue_symbol)
    if pair is None:
        raise SymbolSyntaxError(f"{market} symbol {venue_symbol!r} is no contract like XBTUSDTM", symbol=venue_symbol)
    base, quote = coin(pair["base"]), pair["quote"]
    return _contract(f"{base}/{quote}:{base if quote == 'USD' else quote}", venue_symbol)


def _contract(symbol: str, venue_symbol: str) -> Instrument:
    return make_instrument(VENUE_ID, symbol, venue_symbol, sized_in_contracts=True)


def _last_friday(year: int, letter: str) -> date:
    month = _MONTHS.index(letter) + 1
    last = date(year + month // 12, month % 12 + 1, 1) - timedelta(days=1)
    return last - timedelta(days=(last.weekday() - _FRIDAY) % 7)
