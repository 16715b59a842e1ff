"""Rounding to a venue's steps, minimums, and the limits of risk."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consumers.execution.ports import NotAllowedError
from consumers.execution.risk import DAY_NS, Standing, check_limits, day_of, lost_since
from contracts.errors import InvalidParameterError
from contracts.services.trading.accounts import Limits
from runtime.trading.order import Fill
from runtime.trading.rules import Figures, TradingRules, fit
from tests.consumers.execution.stage import START, intent

INDODAX = TradingRules(
    base="BTC",
    quote="IDR",
    price_step=Decimal(1000),
    amount_step=Decimal("0.00000001"),
    least_amount=Decimal("0.0001"),
    least_value=Decimal(10000),
)
POSITIVE = st.decimals(min_value="0.00000001", max_value="1000000000", places=12, allow_nan=False).filter(bool)


@given(amount=POSITIVE, price=POSITIVE, step=st.sampled_from(["1000", "0.5", "0.01", "0.00000001", "7", "0.3"]))
def test_rounding_is_never_to_the_owners_harm(amount: Decimal, price: Decimal, step: str) -> None:
    rules = TradingRules("BTC", "USDT", Decimal(step), Decimal(step))
    for side in ("buy", "sell"):
        try:
            fitted = fit(Figures(side, amount, price), rules, None)
        except InvalidParameterError:
            assert amount < Decimal(step) or price < Decimal(step)
            continue
        assert fitted.price is not None
        assert amount - Decimal(step) < fitted.amount <= amount
        assert fitted.amount % Decimal(step) == fitted.price % Decimal(step) == 0
        if side == "buy":
            assert price - Decimal(step) < fitted.price <= price
        else:
            assert price <= fitted.price < price + Decimal(step)


@pytest.mark.parametrize(
    ("amount", "price", "market", "sentence"),
    [
        ("0.00009", "1632000000", None, "The smallest amount is 0.0001 BTC"),
        ("0.0001", "999", None, "The smallest price is 1000 IDR"),
        ("0.0001", "99999999", None, "The smallest order is worth 10000 IDR; this one is worth 9999.9000"),
        ("0.0001", None, "50000000", "The smallest order is worth 10000 IDR; this one is worth 5000.0000"),
    ],
)
def test_what_is_too_small_is_refused_in_words(
    amount: str, price: str | None, market: str | None, sentence: str
) -> None:
    figures = Figures("buy", Decimal(amount), None if price is None else Decimal(price))
    with pytest.raises(InvalidParameterError, match=sentence):
        fit(figures, INDODAX, None if market is None else Decimal(market))


def test_a_market_order_is_not_held_to_a_value_that_nobody_knows() -> None:
    assert fit(Figures("buy", Decimal("0.0001"), None), INDODAX, None).price is None


LIMITS = Limits(
    order_value={"USDT": Decimal(1000)}, daily_loss={"USDT": Decimal(50)}, open_orders=3, symbols=["BTC/USDT"]
)
FINE = Standing(open_orders=0, lost=Decimal(0), price=Decimal(100))


def test_an_order_within_every_limit_passes() -> None:
    check_limits(intent(), LIMITS, FINE)
    check_limits(intent(symbol="ETH/IDR"), Limits(), Standing(999, Decimal(10**9), None))


@pytest.mark.parametrize(
    ("change", "standing", "words", "at_fault"),
    [
        ({"symbol": "ETH/USDT"}, FINE, "ETH/USDT is not among", ("symbol", "limits.symbols")),
        ({}, Standing(3, Decimal(0), None), "3 open orders", (None, "limits.open_orders")),
        ({}, Standing(0, Decimal(50), None), "50 USDT were lost today", ("side", "limits.daily_loss")),
        (
            {"amount": Decimal("10.1")},
            FINE,
            "worth 1010.0 USDT; this account's limit is 1000",
            ("amount", "limits.order_value"),
        ),
        ({"price": None, "amount": Decimal("10.1")}, FINE, "worth 1010.0 USDT", ("amount", "limits.order_value")),
        ({"price": None}, Standing(0, Decimal(0), None), "price is not known", ("symbol", "checked_before_sent")),
    ],
)
def test_an_order_beyond_a_limit_is_refused_with_the_limit(
    change: dict[str, Any], standing: Standing, words: str, at_fault: tuple[str | None, str]
) -> None:
    with pytest.raises(NotAllowedError, match=words) as refused:
        check_limits(intent(**change), LIMITS, standing)
    error = refused.value.refusal
    assert (error.parameter, error.rule) == at_fault


def test_what_is_held_may_be_sold_after_the_daily_loss() -> None:
    check_limits(intent(side="sell"), LIMITS, Standing(0, Decimal(50), None))


def executed(number: int, side: Any, amount: str, price: str, ts: int, symbol: str = "BTC/USDT") -> Any:
    return symbol, side, Fill(str(number), Decimal(amount), Decimal(price), Decimal(1), "USDT", ts)


def test_the_loss_of_a_day_is_at_average_cost_with_fees() -> None:
    today = day_of(START + 5)
    fills = [
        executed(1, "buy", "1", "100", today - DAY_NS),  # 101 with its fee
        executed(2, "buy", "1", "200", today - DAY_NS),  # 302 for two
        executed(3, "sell", "1", "50", today - 1),  # lost yesterday
        executed(4, "sell", "0.5", "100", today + 1),  # 50 - 75.5 - 1
        executed(5, "sell", "1", "1", today + 2, symbol="ETH/IDR"),
    ]
    assert lost_since(fills, "USDT", today) == Decimal("26.5")
    assert lost_since([*fills, executed(6, "sell", "0.5", "1000", today + 3)], "USDT", today) == 0


def test_what_was_not_bought_here_is_lost_by_its_fee_alone() -> None:
    assert lost_since([executed(1, "sell", "1", "50", START)], "USDT", day_of(START)) == 1
