"""Indodax's pairs: what they are called, their steps, minimums and fees. Pure.

https://github.com/btcid/indodax-official-api-docs/blob/master/Public-RestAPI.md

Beware: `base_currency` is the quote, `traded_currency` the base. The tick is in `/api/price_increments`: what
`/api/pairs` calls `price_round` is another thing. A step of amounts is not documented: TAPI writes them with eight
decimals.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any, Final, cast

from contracts.errors import InvalidParameterError
from runtime.trading.figures import Fees
from runtime.trading.rules import TradingRules

AMOUNT_STEP: Final = Decimal("0.00000001")
FEES: Final = Fees(maker=Decimal("0.003"), taker=Decimal("0.003"))  # until the pairs are read
# Codes that mean another coin elsewhere; CCXT names them so, and CCXT's names are ours.
_RENAMED: Final = {"str": "XLM", "bchabc": "BCH", "bchsv": "BSV", "drk": "DASH", "nem": "XEM"}
_PERCENT: Final = Decimal("0.01")


class PairsError(ValueError):
    """What the venue answered is no list of pairs."""


@dataclass(frozen=True, slots=True)
class Pair:
    """One pair; `base` and `quote` are the venue's own codes, which the names of fields are made of."""

    symbol: str
    id: str  # btcidr
    ticker_id: str  # btc_idr
    base: str
    quote: str
    rules: TradingRules
    fee: Decimal
    halted: bool


@dataclass(frozen=True, slots=True)
class Pairs:
    """Every pair, by symbol and by the name that TAPI uses."""

    by_symbol: Mapping[str, Pair]
    by_ticker_id: Mapping[str, Pair]
    fees: Fees

    def find(self, symbol: str) -> Pair:
        """Return the pair of a symbol; InvalidParameterError where it is not traded now."""
        pair = self.by_symbol.get(symbol)
        if pair is None:
            raise InvalidParameterError(f"Indodax does not trade {symbol}", parameter="symbol")
        if pair.halted:
            raise InvalidParameterError(
                f"Indodax does not trade {symbol} now: it is in maintenance", parameter="symbol"
            )
        return pair


def currency_of(code: str) -> str:
    """Return our name of a coin's code."""
    return _RENAMED.get(code, code.upper())


def read_pairs(rows: Any, answer: Any) -> Pairs:
    """Read `/api/pairs` and `/api/price_increments`; a pair without its tick is left out. Raises PairsError."""
    increments = cast("dict[str, Any]", answer).get("increments") if isinstance(answer, dict) else None
    if not isinstance(rows, list) or not isinstance(increments, dict):
        raise PairsError("it is no list of pairs with their increments")
    found = list(_read_each(cast("list[Any]", rows), cast("dict[str, Any]", increments)))
    fee = max((pair.fee for pair in found), default=FEES.taker)
    return Pairs({one.symbol: one for one in found}, {one.ticker_id: one for one in found}, Fees(fee, fee))


def _read_each(rows: list[Any], increments: Mapping[str, Any]) -> Iterator[Pair]:
    for row in rows:
        try:
            yield _read(row, Decimal(str(increments[row["ticker_id"]])))
        except (KeyError, TypeError, InvalidOperation):  # that row only
            continue


def _read(row: Mapping[str, Any], tick: Decimal) -> Pair:
    base, quote = str(row["traded_currency"]), str(row["base_currency"])
    rules = TradingRules(
        base=currency_of(base),
        quote=currency_of(quote),
        price_step=tick,
        amount_step=AMOUNT_STEP,
        least_amount=Decimal(str(row["trade_min_traded_currency"])),
        least_value=Decimal(str(row["trade_min_base_currency"])),
    )
    return Pair(
        symbol=f"{rules.base}/{rules.quote}",
        id=str(row["id"]),
        ticker_id=str(row["ticker_id"]),
        base=base,
        quote=quote,
        rules=rules,
        fee=Decimal(str(row.get("trade_fee_percent", "0.3"))) * _PERCENT,
        halted=bool(row.get("is_maintenance", 0)),
    )
