"""What a market shows and what a venue takes, as every account meets it. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal

from contracts.services.trading.refusals import RefusalCode, refusal
from runtime.trading.order import Side

Levels = Iterable[tuple[Decimal, Decimal]]
"""(price, amount) pairs of one side of a book, the best first."""


class OrderRefusedError(Exception):
    """The venue said no, and has no such order; the text is for its owner, `refusal` has its code, field and rule."""

    def __init__(
        self,
        message: str,
        code: RefusalCode = "VENUE_REFUSED",
        *,
        parameter: str | None = None,
        **figures: Decimal | str | int,
    ) -> None:
        super().__init__(message)
        self.refusal = refusal(code, message, parameter=parameter, **figures)


@dataclass(frozen=True, slots=True)
class Print:
    """A trade of others: `side` is the aggressor's, None where the venue does not say."""

    price: Decimal
    amount: Decimal
    side: Side | None


@dataclass(frozen=True, slots=True)
class Taken:
    """What was taken at one price of a book."""

    price: Decimal
    amount: Decimal


@dataclass(frozen=True, slots=True)
class Fees:
    """What an execution costs, as fractions of its value, in the quote."""

    maker: Decimal
    taker: Decimal

    @property
    def higher(self) -> Decimal:
        """The higher of both."""
        return max(self.maker, self.taker)
