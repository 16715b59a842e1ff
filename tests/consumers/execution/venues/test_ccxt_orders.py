"""What is read of CCXT's orders, trades and markets: exact figures, no guesses, nobody else's orders."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import ccxt.async_support as ccxt
import pytest

from consumers.execution.venues.ccxt_orders import (
    UnreadableError,
    is_ours,
    read_accepted,
    read_fees,
    read_fills,
    read_number,
    read_report,
    read_rules,
)
from consumers.execution.venues.ccxt_ways import WAYS, describe_venue, require
from contracts.errors import InvalidParameterError
from tests.consumers.execution.stage import START, intent

MS = START // 1_000_000
ROW: dict[str, Any] = {
    "id": "77", "clientOrderId": "client1", "symbol": "BTC/USDT", "side": "buy", "type": "limit", "status": "open",
    "amount": "10.00", "filled": "0.10", "price": "100.0", "timestamp": MS,
}  # fmt: skip
TRADE: dict[str, Any] = {
    "id": "5", "order": "77", "amount": "0.10", "price": "100.00000001", "timestamp": MS + 5,
    "fee": {"cost": "0.0001", "currency": "BTC"},
}  # fmt: skip
MARKET: dict[str, Any] = {
    "symbol": "BTC/USDT", "spot": True, "active": True, "base": "BTC", "quote": "USDT",
    "maker": "0.001", "taker": "0.002",
    "precision": {"price": "0.01", "amount": "0.00001"}, "limits": {"amount": {"min": "0.0001"}, "cost": {"min": "5"}},
}  # fmt: skip


def row(**fields: Any) -> dict[str, Any]:
    return ROW | fields


@pytest.mark.parametrize("value", [0.1, None, "", "x", "NaN", "Infinity", True, [], {}])
def test_a_figure_that_is_not_exact_is_none(value: object) -> None:
    with pytest.raises(UnreadableError):
        read_number(value, "it")


@pytest.mark.parametrize(
    ("status", "filled", "expected"),
    [
        ("open", "0", "open"),
        ("canceling", "3", "open"),
        ("closed", "10", "filled"),
        ("closed", "9.99", "cancelled"),  # bybit's PartiallyFilledCanceled
        ("canceled", "4", "cancelled"),
        ("canceled", "10", "filled"),
        ("expired", "0", "cancelled"),
        ("rejected", "0", "rejected"),
    ],
)
def test_an_order_s_state_is_of_its_status_and_what_was_filled(status: str, filled: str, expected: str) -> None:
    report = read_report(row(status=status, filled=filled), (), None)
    assert (report.status, report.filled) == (expected, Decimal(filled))


@pytest.mark.parametrize(
    "change", [{"status": None}, {"status": "PENDING"}, {"filled": None}, {"filled": 0.1}, {"id": None}]
)
def test_what_nobody_said_is_not_guessed(change: dict[str, Any]) -> None:
    with pytest.raises(UnreadableError):
        read_report(row(**change), (), None)


@pytest.mark.parametrize(
    ("status", "said", "expected"),
    [
        ("rejected", None, "the exchange rejected it"),
        ("rejected", "EC_NoError", "the exchange rejected it"),
        ("canceled", "EC_NoError", None),
        ("canceled", "EC_PostOnlyWillTakeLiquidity", "the exchange ended it: EC_PostOnlyWillTakeLiquidity"),
        ("open", "EC_PostOnlyWillTakeLiquidity", None),
    ],
)
def test_why_the_exchange_ended_an_order_is_said(status: str, said: str | None, expected: str | None) -> None:
    assert read_report(row(status=status, filled="0", info={"rejectReason": said}), (), None).reason == expected


def test_an_answer_with_an_id_alone_is_an_order_that_is_there() -> None:
    report = read_accepted({"id": "9", "status": None, "filled": None}, intent())
    assert (report.venue_order_id, report.client_id, report.status) == ("9", "client1", "open")
    with pytest.raises(UnreadableError):
        read_accepted({"id": None, "status": None}, intent())


@pytest.mark.parametrize(
    "change",
    [
        {"clientOrderId": "other"},
        {"symbol": "ETH/USDT"},
        {"side": "sell"},
        {"type": "market"},
        {"amount": "11"},
        {"price": "100.1"},
        {"timestamp": MS - 61_000},
    ],
)
def test_an_order_that_a_client_id_named_before_is_not_this_one(change: dict[str, Any]) -> None:
    assert is_ours(row(), intent())
    assert not is_ours(row(**change), intent())


def test_executions_are_exact_and_of_one_order() -> None:
    [fill] = read_fills([TRADE, TRADE | {"order": "78", "id": "6"}], "77")
    assert (fill.id, fill.amount, fill.price) == ("5", Decimal("0.10"), Decimal("100.00000001"))
    assert (fill.fee, fill.fee_currency, fill.ts) == (Decimal("0.0001"), "BTC", START + 5_000_000)


@pytest.mark.parametrize("fee", [None, {"cost": None, "currency": "BTC"}, {"cost": "1", "currency": None}])
def test_an_execution_without_a_fee_is_not_free(fee: object) -> None:
    with pytest.raises(UnreadableError):
        read_fills([TRADE | {"fee": fee}], "77")


def test_an_execution_with_two_fees_is_not_read_as_one() -> None:
    fees = [{"cost": "1", "currency": "BTC"}, {"cost": "1", "currency": "BNB"}]
    with pytest.raises(UnreadableError):
        read_fills([TRADE | {"fees": fees}], "77")


def test_rules_are_a_market_s_steps_and_minimums() -> None:
    rules = read_rules(MARKET, 4, "binance")
    assert (rules.price_step, rules.amount_step) == (Decimal("0.01"), Decimal("0.00001"))
    assert (rules.least_amount, rules.least_value) == (Decimal("0.0001"), Decimal(5))


@pytest.mark.parametrize(
    ("change", "mode", "words"),
    [
        ({"spot": False}, 4, "spot only"),
        ({"active": False}, 4, "does not trade BTC/USDT now"),
        ({"precision": {"price": None, "amount": "1"}}, 4, "lists no steps"),
        ({}, 3, "lists no steps"),  # significant digits
    ],
)
def test_a_market_that_cannot_be_traded_safely_is_refused(change: dict[str, Any], mode: int, words: str) -> None:
    with pytest.raises(InvalidParameterError, match=words):
        read_rules(MARKET | change, mode, "binance")


def test_fees_are_the_highest_of_the_list() -> None:
    fees = read_fees([MARKET, MARKET | {"maker": "0.003"}, MARKET | {"maker": None}])
    assert (fees.maker, fees.taker) == (Decimal("0.003"), Decimal("0.002"))
    with pytest.raises(UnreadableError):
        read_fees([])


def test_every_exchange_of_ccxt_is_offered_or_refused_with_a_reason() -> None:
    stated = {name: describe_venue(name, one.has, one.features) for name, one in made().items()}
    assert {name for name, can in stated.items() if can.refused is None} == set(WAYS)
    assert all(can.post_only and can.market for can in stated.values() if can.refused is None)
    for can in stated.values():
        if can.refused is not None:
            with pytest.raises(InvalidParameterError, match=f"No accounts at {can.venue} can be made here: "):
                require(can)


def test_an_exchange_that_loses_what_safety_needs_is_refused() -> None:
    one = ccxt.binance()
    for name in ("fetchOpenOrders", "fetchOrderTrades", "cancelOrder"):
        refused = describe_venue("binance", {**one.has, name: False}, one.features).refused
        assert refused is not None
        assert name in refused


def test_post_only_is_offered_where_ccxt_says_so() -> None:
    one = ccxt.binance()
    assert not describe_venue("binance", one.has, {"spot": {"createOrder": {"timeInForce": {"PO": False}}}}).post_only


def made() -> dict[str, Any]:
    return {name: getattr(ccxt, name)() for name in ccxt.exchanges}
