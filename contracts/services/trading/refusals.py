"""Why an order was refused: a closed list of codes, each with the field of the order and the rule at fault. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from types import MappingProxyType
from typing import Final, Literal

from pydantic import BaseModel, ConfigDict, Field

from contracts.market import Text

RefusalCode = Literal[
    "INSUFFICIENT_BALANCE",
    "BELOW_MINIMUM",
    "ORDER_VALUE_LIMIT",
    "OPEN_ORDERS_LIMIT",
    "DAILY_LOSS_LIMIT",
    "SYMBOL_NOT_ALLOWED",
    "TRADING_STOPPED",
    "STOPPED_AFTER_ERRORS",
    "NOT_CHECKED",
    "NOT_SENT",
    "NOT_SENT_IN_TIME",
    "NO_LIVE_BOOK",
    "BOOK_TOO_THIN",
    "POST_ONLY",
    "NOT_SUPPORTED",
    "KEY_REFUSED",
    "RATE_LIMITED",
    "NOT_FOUND_AT_VENUE",
    "VENUE_REFUSED",
]
LONGEST: Final = 500
AT_FAULT: Final[Mapping[RefusalCode, tuple[str | None, str]]] = MappingProxyType({
    "INSUFFICIENT_BALANCE": ("amount", "balance"),
    "BELOW_MINIMUM": ("amount", "venue.minimum"),
    "ORDER_VALUE_LIMIT": ("amount", "limits.order_value"),
    "OPEN_ORDERS_LIMIT": (None, "limits.open_orders"),
    "DAILY_LOSS_LIMIT": ("side", "limits.daily_loss"),
    "SYMBOL_NOT_ALLOWED": ("symbol", "limits.symbols"),
    "TRADING_STOPPED": (None, "kill"),
    "STOPPED_AFTER_ERRORS": (None, "errors_in_a_row"),
    "NOT_CHECKED": (None, "checked_before_sent"),
    "NOT_SENT": (None, "venue.reachable"),
    "NOT_SENT_IN_TIME": (None, "sent_in_time"),
    "NO_LIVE_BOOK": ("symbol", "live_book"),
    "BOOK_TOO_THIN": ("amount", "live_book"),
    "POST_ONLY": ("post_only", "post_only"),
    "NOT_SUPPORTED": (None, "venue.supported"),
    "KEY_REFUSED": ("account", "venue.key"),
    "RATE_LIMITED": (None, "venue.rate_limit"),
    "NOT_FOUND_AT_VENUE": (None, "venue.found"),
    "VENUE_REFUSED": (None, "venue.other"),
})  # fmt: skip
"""The field and the rule of each code; the field may be another one where the refusal says so."""


class Refusal(BaseModel):
    """Why an order was refused."""

    model_config = ConfigDict(frozen=True, strict=True, extra="ignore", cache_strings="keys")

    code: RefusalCode
    message: Text = Field(description="in words, for the order's owner")
    parameter: str | None = Field(description="the field of the order at fault; null where no field is")
    rule: str = Field(description="the rule that it breaks", examples=["balance", "limits.order_value"])
    figures: dict[str, str] = Field(
        default_factory=dict, description="what the message compares, by name; decimals as text"
    )


def refusal(
    code: RefusalCode, message: str, *, parameter: str | None = None, **figures: Decimal | str | int
) -> Refusal:
    """Return a refusal with the field and the rule of its code; `parameter` in place of the code's own field."""
    field, rule = AT_FAULT[code]
    written = {name: f"{value:f}" if isinstance(value, Decimal) else str(value) for name, value in figures.items()}
    return Refusal(code=code, message=message[:LONGEST], parameter=parameter or field, rule=rule, figures=written)
