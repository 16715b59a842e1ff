"""What the simulated venues list: each base's start price and pace, and every instrument's own precision."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from decimal import Decimal

DEAR_USD, FINE_USD, CENT_USD = 10_000, 1000, 1
VENUES = (
    "binance",
    "binanceusdm",
    "bybit",
    "okx",
    "coinbase",
    "htx",
    "gate",
    "kraken",
    "krakenfutures",
    "kucoin",
    "kucoinfutures",
    "indodax",
    "hyperliquid",
    "deribit",
    "bitfinex",
)
MAJORS = ("BTC", "ETH")
RUPIAH = 16_600.0  # for a dollar
BITFINEX_JOINED = 3  # letters of a base that Bitfinex writes without a colon
# What a contract of Gate is worth in the base coin (1 where not named), and the ones that trade in tenths of it.
GATE_CONTRACTS = {"BTC": "0.0001", "ETH": "0.01", "BNB": "0.001", "LTC": "0.1", "XRP": "10", "DOGE": "10", "ADA": "10"}
GATE_DECIMALS = ("ETH", "SOL", "XRP")


# What a contract of KuCoin is worth in the base coin (1 where not named).
KUCOIN_CONTRACTS = {
    **dict.fromkeys(("SOL", "LINK", "AVAX", "LTC"), "0.1"),
    **dict.fromkeys(("XRP", "ADA"), "10"),
    "BTC": "0.001",
    "ETH": "0.01",
    "BNB": "0.01",
    "DOGE": "100",
}


@dataclass(frozen=True, slots=True)
class Base:
    """One coin of the simulated market: prices in USD, rates per second at rate 1."""

    name: str
    price: float
    trades_per_s: float
    orders_per_s: float
    level_usd: float
    whale_usd: float
    contract: str


@dataclass(frozen=True, slots=True)
class Instrument:
    """One listed instrument.

    Prices and amounts are whole numbers of 10**-price_scale (negative: steps of tens) and 10**-amount_scale;
    `contract` is the base amount of one unit (1 where the venue counts in coins), `quote_rate` how much of the quote a
    dollar buys, `pace` how busy it is beside others of the same base. Amounts of `inverse` ones count the quote, and
    `contract` is what a unit is worth in it.
    """

    venue: str
    market: str
    symbol: str
    base: str
    quote: str
    price_scale: int
    amount_scale: int
    price_decimals: int
    amount_decimals: int
    stripped: bool
    contract: str = "1"
    bare_zero: bool = False
    quote_rate: float = 1.0
    pace: float = 1.0
    inverse: bool = False

    def price_text(self, price: int) -> str:
        """A price as the venue writes it."""
        return number_text(price, self.price_scale, -1 if self.stripped else self.price_decimals)

    def amount_text(self, amount: int) -> str:
        """An amount as the venue writes it."""
        if amount == 0 and self.bare_zero:
            return "0"
        return number_text(amount, self.amount_scale, -1 if self.stripped else self.amount_decimals)

    @property
    def tick(self) -> str:
        """The smallest price step."""
        return number_text(1, self.price_scale, self.price_scale)

    @property
    def lot(self) -> str:
        """The smallest amount step."""
        return number_text(1, self.amount_scale, self.amount_scale)


def number_text(units: int, scale: int, decimals: int) -> str:
    """`units` of 10**-scale as text with `decimals` places, or without trailing zeros when decimals is -1."""
    sign = ""
    if units < 0:
        sign, units = "-", -units
    if scale <= 0:
        units, scale = units * 10**-scale, 0
        whole, fraction = str(units), ""
    else:
        digits = str(units).rjust(scale + 1, "0")
        whole, fraction = digits[:-scale], digits[-scale:]
    fraction = fraction.rstrip("0") if decimals < 0 else fraction.ljust(decimals, "0")[:decimals]
    return f"{sign}{whole}.{fraction}" if fraction else f"{sign}{whole}"


BASES: dict[str, Base] = {
    base.name: base
    for base in (
        Base("BTC", 84_650.0, 3.0, 40.0, 90_000.0, 1_000_000.0, "0.01"),
        Base("ETH", 2_671.5, 2.2, 34.0, 70_000.0, 1_000_000.0, "0.1"),
        Base("SOL", 148.2, 1.2, 22.0, 40_000.0, 500_000.0, "1"),
        Base("XRP", 1.4912, 0.8, 14.0, 22_000.0, 200_000.0, "100"),
        Base("DOGE", 0.18745, 0.6, 12.0, 20_000.0, 200_000.0, "1000"),
        Base("BNB", 862.4, 0.6, 12.0, 20_000.0, 200_000.0, "0.01"),
        Base("ADA", 0.6231, 0.5, 10.0, 18_000.0, 200_000.0, "100"),
        Base("LINK", 14.27, 0.5, 10.0, 18_000.0, 200_000.0, "1"),
        Base("AVAX", 17.34, 0.5, 10.0, 18_000.0, 200_000.0, "1"),
        Base("LTC", 88.12, 0.5, 10.0, 18_000.0, 200_000.0, "1"),
    )
}


def list_instruments(venue: str, bases: tuple[str, ...]) -> list[Instrument]:
    """Every instrument that `venue` lists for these bases; ValueError names an unknown venue or base."""
    if venue not in VENUES:
        raise ValueError(f"venue: {venue!r} is not simulated, one of {', '.join(VENUES)} is")
    listed: list[Instrument] = []
    for name in bases:
        if name not in BASES:
            raise ValueError(f"bases: {name!r} is unknown, one of {', '.join(BASES)} is")
        base = BASES[name]
        magnitude = math.floor(math.log10(base.price))
        fine = max(4 - magnitude, 2)
        coarse = 1 if base.price > DEAR_USD else fine
        lots = max(0, magnitude + 1)
        listed.extend(_listed(venue, base, (fine, coarse, lots)))
    return listed


def _listed(venue: str, base: Base, scales: tuple[int, int, int]) -> list[Instrument]:
    fine, coarse, lots = scales
    name = base.name
    if venue == "binance":
        return [Instrument(venue, "spot", f"{name}USDT", name, "USDT", fine, lots, 8, 8, stripped=False)]
    if venue == "binanceusdm":
        lot = min(lots, 3)
        return [
            Instrument(venue, "linear", f"{name}USDT", name, "USDT", coarse, lot, max(coarse, 2), lot, stripped=False)
        ]
    if venue == "bybit":
        perp = max(0, lots - 2)
        shown = max(coarse, 2)
        return [
            Instrument(venue, "spot", f"{name}USDT", name, "USDT", coarse, lots + 1, coarse, lots + 1, stripped=True),
            Instrument(
                venue, "linear", f"{name}USDT", name, "USDT", coarse, perp, shown, perp, stripped=False, bare_zero=True
            ),
        ]
    if venue in SEVERAL_MARKETS:
        return SEVERAL_MARKETS[venue](base, coarse, lots)
    if venue == "htx":
        worth = str(Decimal(base.contract) / 10)
        swap = Instrument(venue, "linear", f"{name}-USDT", name, "USDT", coarse, 0, coarse, 0, stripped=True)
        symbol = f"{name}USDT".lower()
        return [
            Instrument(venue, "spot", symbol, name, "USDT", fine, lots, fine, lots, stripped=True),
            replace(swap, contract=worth),
        ]
    if venue == "okx":
        lot = 8 if base.price > FINE_USD else 6
        return [
            Instrument(venue, "spot", f"{name}-USDT", name, "USDT", coarse, lot, coarse, lot, stripped=True),
            Instrument(
                venue,
                "linear",
                f"{name}-USDT-SWAP",
                name,
                "USDT",
                coarse,
                2,
                coarse,
                2,
                stripped=True,
                contract=base.contract,
            ),
        ]
    if venue in ONE_MARKET:
        return [ONE_MARKET[venue](venue, base, coarse, lots)]
    lot = 8 if base.price > CENT_USD else 1
    return [Instrument(venue, "spot", f"{name}-USD", name, "USD", fine, lot, fine, lot, stripped=False)]


def _list_kucoin(venue: str, base: Base, price_scale: int, _lots: int) -> Instrument:
    """Futures say one change a push: coarser prices and fewer orders keep their load like that of others."""
    name, lot = base.name, 8 if base.price > FINE_USD else 4
    if venue == "kucoin":
        terms = (venue, "spot", f"{name}-USDT", name, "USDT", price_scale, lot, price_scale, lot)
        return Instrument(*terms, stripped=True)
    coarse = price_scale - 1
    symbol = f"{'XBT' if name == 'BTC' else name}USDTM"
    contract = KUCOIN_CONTRACTS.get(name, "1")
    return Instrument(
        venue, "linear", symbol, name, "USDT", coarse, 0, coarse, 0, stripped=True, contract=contract, pace=0.2
    )


def _list_kraken(venue: str, base: Base, price_scale: int, lots: int) -> Instrument:
    name, lot = base.name, max(0, lots - 1)
    if venue == "kraken":
        return Instrument(venue, "spot", f"{name}/USD", name, "USD", price_scale, 8, price_scale, 8, stripped=False)
    symbol = f"PF_{'XBT' if name == 'BTC' else name}USD"
    scale = 0 if base.price > DEAR_USD else price_scale
    return Instrument(venue, "linear", symbol, name, "USD", scale, lot, scale, lot, stripped=True, pace=0.2)


def _list_gate(base: Base, price_scale: int, lots: int) -> list[Instrument]:
    name, symbol, tenths = base.name, f"{base.name}_USDT", int(base.name in GATE_DECIMALS)
    amounts, contract = min(lots + 1, 6), GATE_CONTRACTS.get(base.name, "1")
    terms = ("gate", "spot", symbol, name, "USDT", price_scale, amounts, price_scale, amounts)
    sized = ("gate", "linear", symbol, name, "USDT", price_scale, tenths, price_scale, tenths)
    return [Instrument(*terms, stripped=True), Instrument(*sized, stripped=True, contract=contract)]


def _list_indodax(venue: str, base: Base, _price_scale: int, _lots: int) -> Instrument:
    """Prices in rupiah: up to seven digits, then zeros."""
    scale = min(0, 6 - math.floor(math.log10(base.price * RUPIAH)))
    terms = (venue, "spot", f"{base.name}IDR".lower(), base.name, "IDR", scale, 8, 0, 8)
    return Instrument(*terms, stripped=False, quote_rate=RUPIAH, pace=0.5)


def _list_hyperliquid(base: Base, _price_scale: int, lots: int) -> list[Instrument]:
    """A perpetual of five significant digits; of BTC a spot pair too, which has a number for a name."""
    scale = max(0, 4 - math.floor(math.log10(base.price)))
    terms = ("hyperliquid", "linear", base.name, base.name, "USDC", scale, lots, scale, lots)
    perpetual = Instrument(*terms, stripped=True)
    return (
        [perpetual, replace(perpetual, market="spot", symbol="@142", pace=0.2)] if base.name == "BTC" else [perpetual]
    )


def _list_deribit(base: Base, price_scale: int, lots: int) -> list[Instrument]:
    """Linear perpetuals; of the majors pairs too, and inverse perpetuals, counted in (tens of) dollars."""
    name, lot = base.name, min(lots, 4)
    scales = (price_scale, lot, price_scale, max(lot, 1))
    symbol = f"{name}_USDC"
    linear = Instrument("deribit", "linear", f"{symbol}-PERPETUAL", name, "USDC", *scales, stripped=False, pace=0.15)
    if name not in MAJORS:
        return [linear]
    dollars = (price_scale, -int(name == "BTC"), price_scale, 1)
    inverse = Instrument("deribit", "linear", f"{name}-PERPETUAL", name, "USD", *dollars, stripped=False, pace=0.3)
    return [linear, replace(linear, market="spot", symbol=symbol), replace(inverse, inverse=True)]


def _list_bitfinex(base: Base, price_scale: int, lots: int) -> list[Instrument]:
    """A pair, and of the majors a perpetual; books say one level a frame, so that they are made calm."""
    name, lot, scale = base.name, min(lots + 1, 6), min(price_scale, 4) - 2 * (base.price > FINE_USD)
    symbol = f"t{name}UST" if len(name) == BITFINEX_JOINED else f"t{name}:UST"
    scales = (scale, lot, scale, lot)
    pair = Instrument("bitfinex", "spot", symbol, name, "USDT", *scales, stripped=True, pace=0.1)
    return [pair, replace(pair, market="linear", symbol=f"t{name}F0:USTF0")] if name in MAJORS else [pair]


SEVERAL_MARKETS: dict[str, Callable[[Base, int, int], list[Instrument]]] = {
    "gate": _list_gate,
    "hyperliquid": _list_hyperliquid,
    "deribit": _list_deribit,
    "bitfinex": _list_bitfinex,
}
ONE_MARKET: dict[str, Callable[[str, Base, int, int], Instrument]] = {
    "kraken": _list_kraken,
    "krakenfutures": _list_kraken,
    "kucoin": _list_kucoin,
    "kucoinfutures": _list_kucoin,
    "indodax": _list_indodax,
}
