"""An order on its way: what has been chosen of it so far, as buttons carry it and as people write it. Pure."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import ROUND_FLOOR, Decimal
from typing import Any, Final, Literal

from bot.commands.alert_arguments import read_price
from contracts.arithmetic.exact import EXACT, FINE

BUY: Final = frozenset({"buy", "beli"})
SELL: Final = frozenset({"sell", "jual"})
AT: Final = frozenset({"at", "@", "di"})
MARKET_PRICE: Final = "-"
SHARES: Final = (25, 50, 75, 100)
KINDS: Final = ("bm", "sm", "bl", "sl")
_FOR_FEES: Final = Decimal("0.99")  # of what is spent
_STEP: Final = Decimal("0.00000001")
_MARK: Final = 6
_OFFSETS: Final = (Decimal(0), Decimal("0.5"), Decimal(1), Decimal(2))  # percent from the best price
_DIGITS: Final = 6


@dataclass(frozen=True, slots=True)
class Draft:
    """What has been chosen; `kind` is side and type (`bm`: buy at the market), `account` stands for its name."""

    account: str
    symbol: str = ""
    kind: str = ""
    price: str = ""
    amount: str = ""

    @property
    def side(self) -> Literal["buy", "sell"]:
        """Whether it buys or sells."""
        return "buy" if self.kind.startswith("b") else "sell"

    @property
    def type(self) -> Literal["market", "limit"]:
        """Whether it is at the market's price or at its own."""
        return "limit" if self.kind.endswith("l") else "market"

    def arguments(self) -> tuple[str, ...]:
        """Return what a button carries of it."""
        found = (self.account, self.symbol, self.kind, self.price, self.amount)
        length = next((at for at, part in enumerate(found) if not part), len(found))
        return found[:length]

    def terms(self) -> dict[str, Any]:
        """Return it as an order's terms; ValueError where a figure is none."""
        price = None if self.price == MARKET_PRICE else _figure(self.price)
        terms: dict[str, Any] = {"symbol": self.symbol, "side": self.side, "type": self.type}
        return {**terms, "amount": _figure(self.amount), "price": price}


def read_draft(arguments: Sequence[str]) -> Draft | None:
    """Return the draft that a button carries; None for what is none."""
    if not 1 <= len(arguments) <= 5:  # noqa: PLR2004  # its fields
        return None
    draft = Draft(*arguments)
    return draft if draft.kind in {"", *KINDS} else None


def mark_of(name: str) -> str:
    """Return what stands for an account's name in a button."""
    return hashlib.sha256(name.encode()).hexdigest()[:_MARK]


def read_order(words: Sequence[str]) -> tuple[Draft, str | None] | None:
    """Return the draft of `buy 0.1 BTC/USDT at 65000 main` and the account that it names; None where it is none.

    Without `at` it is at the market's price.
    """
    if len(words) < 3 or words[0].lower() not in BUY | SELL:  # noqa: PLR2004  # side, amount and symbol
        return None
    side = "b" if words[0].lower() in BUY else "s"
    amount, symbol, rest = read_price(words[1]), words[2].upper(), list(words[3:])
    price: str | None = MARKET_PRICE
    if rest and rest[0].lower() in AT:
        price, rest = read_price(rest[1]) if len(rest) > 1 else None, rest[2:]
    if amount is None or price is None or len(rest) > 1:
        return None
    kind = side + ("m" if price == MARKET_PRICE else "l")
    return Draft("", symbol, kind, price, amount), rest[0].lower() if rest else None


def share_of(free: Decimal, percent: int, price: Decimal | None) -> str | None:
    """Return the amount that a share of what is free buys at a price, or sells (without one); None for nothing."""
    part = FINE.divide(EXACT.multiply(free, Decimal(percent)), Decimal(100))
    if price is not None:
        part = FINE.divide(FINE.multiply(part, _FOR_FEES), price)
    amount = part.quantize(_STEP, rounding=ROUND_FLOOR)
    return plain(amount) if amount > 0 else None


def offered_prices(side: str, best: Decimal) -> list[str]:
    """Return the prices that are offered for a limit order: the best one, and some that are better for its owner."""
    signs = -1 if side == "buy" else 1
    found = [best * (1 + signs * offset / 100) for offset in _OFFSETS]
    return list(dict.fromkeys(plain(_rounded(price)) for price in found))


def plain(value: Decimal) -> str:
    """Return a figure as it is written, without zeros at its end."""
    text = f"{value:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def _rounded(price: Decimal) -> Decimal:
    places = max(0, _DIGITS - 1 - price.adjusted())
    return price.quantize(Decimal(1).scaleb(-places))


def _figure(text: str) -> Decimal:
    found = read_price(text)
    if found is None:
        raise ValueError(f"{text} is no figure")
    return Decimal(found)
