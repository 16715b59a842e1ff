"""The ledger adds up to its executions to the last unit, by both methods, whatever the fees are paid in."""

from __future__ import annotations

import csv
from datetime import UTC, datetime
from decimal import Decimal
from fractions import Fraction
from io import StringIO
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from contracts.services.trading.portfolio import LEDGER_COLUMNS, LedgerRow
from runtime.trading.ledger import Execution, Ledger, Method, Position, by_strategy, by_symbol
from runtime.trading.ledger_csv import ledger_csv

D = Decimal
METHODS: tuple[Method, ...] = ("fifo", "average")


def execution(number: int = 1, **fields: Any) -> Execution:
    values: dict[str, Any] = {
        "id": f"f{number}",
        "ts": number,
        "account": "a",
        "venue": "indodax",
        "symbol": "BTC/USDT",
        "side": "buy",
        "amount": D(1),
        "price": D(100),
        "fee": D(0),
        "fee_currency": "USDT",
        "order_id": "o",
        "fill_id": str(number),
    }
    for name in ("amount", "price", "fee"):
        values[name] = D(fields.pop(name, values[name]))
    return Execution(**(values | fields))


def position(executions: list[Execution], method: Method) -> tuple[Position, list[Decimal]]:
    ledger = Ledger(method, by_symbol)
    realised = [booked.realised for booked in ledger.book(executions)]
    ((_, found),) = ledger.positions.items()
    return found, realised


amounts = st.decimals(min_value="0.00000001", max_value=10_000, places=8)
prices = st.decimals(min_value="0.00000001", max_value=1_000_000, places=8)
fees = st.decimals(min_value=-5, max_value=5, places=8)


@st.composite
def executions(draw: st.DrawFn) -> list[Execution]:
    return [
        execution(
            number,
            side=draw(st.sampled_from(["buy", "sell"])),
            amount=draw(amounts),
            price=draw(prices),
            fee=draw(fees),
            fee_currency=draw(st.sampled_from(["USDT", "BTC", "BNB"])),
        )
        for number in range(draw(st.integers(1, 25)))
    ]


def moved(one: Execution) -> tuple[Fraction, Fraction]:
    """Return by how much an execution changes the base coin and the money, computed on its own."""
    sign = 1 if one.side == "buy" else -1
    base, money = sign * Fraction(one.amount), -sign * Fraction(one.amount) * Fraction(one.price)
    base -= Fraction(one.fee) if one.fee_currency == "BTC" else 0
    money -= Fraction(one.fee) if one.fee_currency == "USDT" else 0
    return base, money


@settings(max_examples=40)
@given(executions())
def test_the_ledger_adds_up_to_its_executions_to_the_last_unit(fills: list[Execution]) -> None:
    for method in METHODS:
        found, realised = position(fills, method)
        base, money = map(sum, zip(*map(moved, fills), strict=True))
        left = Fraction(found.lots.amount) - Fraction(found.unknown)
        assert base == left
        assert money == Fraction(found.realised) + Fraction(found.unattributed) - Fraction(found.lots.cost)
        assert Fraction(found.realised) == sum(map(Fraction, realised))
        assert sum(found.fees.values()) == sum(one.fee for one in fills if one.fee_currency == "BNB")
        assert found.lots.amount >= 0


@settings(max_examples=40)
@given(executions(), prices)
def test_both_methods_have_realised_the_same_once_everything_is_sold(fills: list[Execution], price: Decimal) -> None:
    ends = []
    for method in METHODS:
        held = position(fills, method)[0].lots.amount
        closing = [execution(99, side="sell", amount=held, price=price)] if held else []
        found, _ = position([*fills, *closing], method)
        assert (found.lots.amount, found.lots.cost) == (0, 0)
        ends.append((found.realised, found.unattributed, found.unknown))
    assert ends[0] == ends[1]


def test_fifo_sells_the_oldest_and_average_a_share_of_all() -> None:
    bought = [execution(1, price=100), execution(2, price=200)]
    sold = execution(3, side="sell", price=300)
    assert position([*bought, sold], "fifo")[1] == [0, 0, 200]
    assert position([*bought, sold], "average")[1] == [0, 0, 150]
    assert position([*bought, sold], "fifo")[0].lots.cost == 200


def test_a_cost_that_does_not_divide_is_lost_nowhere() -> None:
    sold = [execution(n, side="sell", amount=1, price=1) for n in (2, 3, 4)]
    for method in METHODS:
        found, realised = position([execution(1, amount=3, price="0.1", fee="0.00000001"), *sold], method)
        assert (found.lots.amount, found.lots.cost) == (0, 0)
        assert sum(realised) == D(3) - D("0.30000001")  # in the arithmetic of whoever reads the file
        assert realised[1:] == [D("0.899999996666666667"), D("0.899999996666666666"), D("0.899999996666666667")]


def test_a_fee_in_the_base_coin_leaves_less_to_sell_and_the_same_cost() -> None:
    bought = execution(1, amount=1, price=100, fee="0.001", fee_currency="BTC")
    found, _ = position([bought], "fifo")
    assert (found.lots.amount, found.lots.cost) == (D("0.999"), 100)
    found, realised = position([bought, execution(2, side="sell", amount="0.999", price=200)], "fifo")
    assert (found.lots.amount, realised[1]) == (0, D("99.8"))


def test_a_rebate_makes_what_was_bought_cheaper_and_what_was_sold_dearer() -> None:
    fills = [execution(1, fee="-0.1"), execution(2, side="sell", price=110, fee="-0.2")]
    assert position(fills, "fifo")[1][1] == D("10.3")


def test_a_fee_in_a_third_coin_is_kept_by_its_coin() -> None:
    fills = [execution(1, fee="0.01", fee_currency="BNB"), execution(2, side="sell", price=110)]
    found, realised = position(fills, "average")
    assert (found.fees, realised[1]) == ({"BNB": D("0.01")}, 10)


def test_dust_keeps_its_part_of_the_cost() -> None:
    fills = [execution(1, amount="1.00000001", price=100), execution(2, side="sell", amount=1, price=100)]
    found, realised = position(fills, "fifo")
    assert (found.lots.amount, found.lots.cost, realised[1]) == (D("0.00000001"), D("0.000001"), 0)


def test_what_was_never_bought_here_realises_nothing_and_its_proceeds_are_kept_apart() -> None:
    found, realised = position([execution(1, amount=1), execution(2, side="sell", amount=4, price=150)], "fifo")
    assert (realised[1], found.unattributed, found.unknown) == (50, 450, 3)


def test_strategies_and_accounts_have_positions_of_their_own() -> None:
    fills = [execution(1, strategy="grid"), execution(2, price=200), execution(3, side="sell", price=300)]
    ledger = Ledger("fifo", by_strategy)
    assert [booked.realised for booked in ledger.book(fills)] == [0, 0, 100]
    assert ledger.positions["a", "grid", "BTC/USDT"].lots.cost == 100
    other = Ledger("fifo", by_symbol)
    list(other.book([execution(1), execution(2, account="b")]))
    assert set(other.positions) == {("a", "BTC/USDT"), ("b", "BTC/USDT")}


def row(**fields: Any) -> LedgerRow:
    values: dict[str, Any] = {
        "time": datetime(2026, 11, 26, 12, 0, 0, 5, tzinfo=UTC),
        "account": "paper",
        "venue": "paper",
        "symbol": "BTC/USDT",
        "side": "sell",
        "amount": D("0.10"),
        "price": D("1E+3"),
        "fee": D("-0.00000001"),
        "fee_currency": "USDT",
        "value": D("100.0"),
        "realized_pnl": D("-12.5"),
        "order_id": "1f0c9a4be1d27c35",
        "fill_id": "7",
    }
    return LedgerRow(**(values | fields))


def test_the_csv_has_exactly_the_columns_and_plain_numbers() -> None:
    lines = ledger_csv([row()]).split("\r\n")
    assert lines == [
        "time,account,venue,symbol,side,amount,price,fee,fee_currency,value,realized_pnl,order_id,fill_id",
        "2026-11-26T12:00:00.000005Z,paper,paper,BTC/USDT,sell,0.10,1000,-0.00000001,USDT,100.0,-12.5,1f0c9a4be1d27c35,7",
        "",
    ]
    assert ledger_csv([], head=False) == ""


@pytest.mark.parametrize(
    "text", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "  =1", "|calc", "\uff1d1", "\n=1", "%0A=1"]
)
def test_no_text_is_taken_for_a_formula(text: str) -> None:
    cells = next(csv.reader(StringIO(ledger_csv([row(fill_id=text)], head=False), newline="")))
    assert cells[LEDGER_COLUMNS.index("fill_id")] == f"'{text}"


@given(st.text(max_size=30), st.text(max_size=30))
def test_every_text_comes_back_as_it_was_written(one: str, two: str) -> None:
    out = ledger_csv([row(fill_id=one, symbol=two)], head=False)
    (cells,) = csv.reader(StringIO(out, newline=""))
    assert cells[LEDGER_COLUMNS.index("fill_id")].removeprefix("'") == one.removeprefix("'")
    assert cells[LEDGER_COLUMNS.index("symbol")].removeprefix("'") == two.removeprefix("'")
