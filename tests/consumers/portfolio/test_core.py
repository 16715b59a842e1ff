"""What accounts hold and have earned, from executions, balances and rates that are given: in memory."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from consumers.portfolio import core
from consumers.portfolio.core import Books, Rate
from contracts.arithmetic.moments import as_datetime
from contracts.services.trading.accounts import AccountInfo, Balance
from contracts.services.trading.portfolio import Holding
from runtime.trading.ledger import Execution

D = Decimal
START = 1_767_225_600 * 10**9
MAIN, SIDE = "a" * 16, "b" * 16
RATES = {
    "USDT": Rate(D(1)),
    "IDR": Rate(D("0.0000625"), ("USDT/IDR",)),
    "BTC": Rate(D(120), ("BTC/USDT",)),
    "ETH": Rate(D(10), ("ETH/USDT",)),
    "BNB": Rate(D(5), ("BNB/USDT",)),
    "XYZ": None,
}


def account(account_id: str = MAIN, name: str = "main", **balances: tuple[str, str]) -> AccountInfo:
    held = [Balance(currency=currency, free=D(free), held=D(held)) for currency, (free, held) in balances.items()]
    return AccountInfo.model_construct(id=account_id, name=name, balances=held)


def execution(number: int, side: Any, amount: str, price: str, **fields: Any) -> Execution:
    values: dict[str, Any] = {"account": MAIN, "venue": "paper", "symbol": "BTC/USDT", "fee": D(0)}
    values |= {"fee_currency": "USDT", "order_id": f"o{number}", "fill_id": f"f{number}"}
    return Execution(
        id=str(number), ts=START + number, side=side, amount=D(amount), price=D(price), **{**values, **fields}
    )


BUY = execution(1, "buy", "2", "100", fee=D("0.6"))
SELL = execution(2, "sell", "1", "110", fee=D("0.33"), strategy="0c")


def hold(accounts: list[AccountInfo], *executions: Execution, **rates: Rate | None) -> list[Holding]:
    return core.holdings(accounts, Books.of(executions), {**RATES, **rates})


# ---- rates
def test_a_rate_the_other_way_round_and_by_way_of_a_third() -> None:
    inverse = Rate.inverse(D(16_000), "USDT/IDR")
    assert (inverse.value, inverse.via) == (D("0.0000625"), ("USDT/IDR",))
    assert core.through(Rate(D(3), ("A/B",)), Rate(D("0.5"), ("B/C", "C/D"))) == Rate(D("1.5"), ("A/B", "B/C", "C/D"))
    assert Rate(D(1)).via == ()


# ---- executions added up
def test_executions_are_added_up_by_symbol_and_by_strategy() -> None:
    books = Books.of([BUY, SELL, execution(3, "buy", "1", "7", symbol="ETH/BTC", fee=D("0.1"), fee_currency="BNB")])
    assert set(books.symbols) == {(MAIN, "BTC/USDT"), (MAIN, "ETH/BTC")}
    assert set(books.strategies) == {(MAIN, None, "BTC/USDT"), (MAIN, "0c", "BTC/USDT"), (MAIN, None, "ETH/BTC")}
    assert books.symbols[MAIN, "BTC/USDT"].lots.amount == 1
    assert books.currencies() == {"BTC", "USDT", "ETH", "BNB"}


def test_what_is_sold_first_was_bought_first() -> None:
    books = Books.of([execution(1, "buy", "1", "100"), execution(2, "buy", "1", "200"), execution(3, "sell", "1", "9")])
    assert books.symbols[MAIN, "BTC/USDT"].lots.cost == 200


# ---- holdings
def test_a_holding_has_its_worth_its_cost_and_what_it_has_earned() -> None:
    (btc, usdt) = hold([account(BTC=("0.75", "0.25"), USDT=("9", "1"))], BUY, SELL)
    assert (btc.account, btc.asset, btc.free, btc.held) == ("main", "BTC", D("0.75"), D("0.25"))
    assert (btc.price, btc.via, btc.value) == (120, ["BTC/USDT"], 120)
    assert (btc.costed, btc.cost, btc.unrealised) == (1, D("100.3"), D("19.7"))
    assert btc.realised == D(110) - D("0.33") - D("100.3")
    assert (usdt.asset, str(usdt.value), usdt.via) == ("USDT", "10", [])
    assert (usdt.costed, usdt.cost, usdt.realised, usdt.unrealised) == (0, 0, 0, 0)


def test_accounts_are_shown_in_their_order_and_assets_by_name_where_there_is_any() -> None:
    first = account(MAIN, "main", USDT=("1", "0"), IDR=("0", "0"), ETH=("0", "2"))
    second = account(SIDE, "side", BTC=("1", "0"))
    items = hold([first, second], execution(1, "buy", "1", "100"), execution(2, "buy", "1", "1", account="gone"))
    assert [(item.account, item.asset) for item in items] == [
        ("main", "BTC"),  # no balance of it is known, but it was bought here
        ("main", "ETH"),
        ("main", "USDT"),
        ("side", "BTC"),
    ]
    assert (items[0].free, items[0].held, items[0].value, items[0].costed) == (0, 0, 0, 1)
    assert (items[3].costed, items[3].value) == (0, 120)


def test_what_has_no_rate_has_no_worth_and_nothing_is_worth_nothing_all_the_same() -> None:
    (none,) = hold([account(XYZ=("5", "0"))])
    assert (none.price, none.via, none.value, none.cost, none.unrealised) == (None, [], None, 0, 0)
    (btc,) = hold([account(BTC=("0", "0"))], BUY, SELL, BTC=None)
    assert (btc.value, btc.unrealised) == (0, None)
    assert btc.cost == D("100.3")
    (unpriced,) = hold([account(BTC=("1", "0"))], BUY, SELL, USDT=None)
    assert (unpriced.value, unpriced.cost, unpriced.realised, unpriced.unrealised) == (120, None, None, None)


def test_positions_in_several_quotes_are_one_holding() -> None:
    rupiah = execution(3, "buy", "1", "1600000", symbol="BTC/IDR", fee_currency="IDR")
    (btc,) = hold([account(BTC=("2", "0"))], BUY, SELL, rupiah)
    assert (btc.costed, btc.cost) == (2, D("100.3") + 100)
    assert btc.unrealised == 240 - D("200.3")


def test_what_was_sold_out_costs_nothing_in_a_quote_without_a_rate() -> None:
    bought, sold = (execution(n, side, "1", "7", symbol="BTC/XYZ") for n, side in enumerate(("buy", "sell")))
    (btc,) = hold([account(BTC=("1", "0"))], bought, sold)
    assert (btc.costed, btc.cost, btc.realised) == (0, 0, 0)


def test_fees_in_a_third_coin_lessen_what_was_realised() -> None:
    sold = execution(2, "sell", "2", "110", fee=D("0.5"), fee_currency="BNB")
    (btc,) = hold([account(BTC=("0", "0"))], execution(1, "buy", "2", "100"), sold)
    assert btc.realised == 20 - D("2.5")


def test_money_has_eighteen_places_at_most() -> None:
    long = Rate(D("0.1234567890123456789"))
    (eth,) = hold([account(ETH=("1", "0"))], ETH=long)
    assert (str(eth.price), str(eth.value)) == ("0.123456789012345679", "0.123456789012345679")
    just = Rate(D("0.123456789012345678"))
    (eth,) = hold([account(ETH=("1", "0"))], ETH=just)
    assert str(eth.value) == "0.123456789012345678"


# ---- strategies
def test_profits_are_by_strategy_too_those_by_hand_first_and_of_the_accounts_that_there_are() -> None:
    side = [
        execution(9, "buy", "1", "1", account=SIDE, strategy="z"),
        execution(9, "buy", "1", "1", account=SIDE, strategy="a", symbol="ETH/USDT"),
        execution(9, "buy", "1", "1", account=SIDE, strategy="a"),
        execution(9, "buy", "1", "1", account="gone"),
    ]
    found = core.strategy_profits([account(), account(SIDE, "aside")], Books.of([BUY, SELL, *side]), RATES)
    assert [(item.account, item.strategy, item.symbol) for item in found] == [
        ("aside", "a", "BTC/USDT"),
        ("aside", "a", "ETH/USDT"),
        ("aside", "z", "BTC/USDT"),
        ("main", None, "BTC/USDT"),
        ("main", "0c", "BTC/USDT"),
    ]
    by_hand = found[3]
    assert (by_hand.amount, by_hand.cost, by_hand.realised, by_hand.unrealised) == (2, D("200.6"), 0, D("39.4"))


# ---- totals
def test_totals_are_over_what_has_a_price() -> None:
    items = hold([account(BTC=("1", "0"), XYZ=("5", "0"), USDT=("3", "0"))], BUY, SELL)
    totals = core.totals(items)
    assert (totals.value, totals.cost, totals.unrealised) == (123, D("100.3"), D("19.7"))
    assert totals.realised == D("9.37")
    nothing = core.totals([])
    assert (nothing.value, nothing.cost, nothing.realised, nothing.unrealised) == (0, 0, 0, 0)


# ---- the ledger
@pytest.mark.parametrize(("method", "realised"), [("fifo", D(50)), ("average", D(0))])
def test_the_ledger_has_every_execution_with_what_it_realised(method: Any, realised: Decimal) -> None:
    booked = [execution(1, "buy", "1", "100"), execution(2, "buy", "1", "200"), SELL_AT_150]
    rows = core.ledger_rows(booked, method, {MAIN: "main"})
    assert [row.realized_pnl for row in rows] == [0, 0, realised]
    last = rows[2]
    assert (last.time, last.account, last.venue, last.symbol) == (as_datetime(START + 3), "main", "paper", "BTC/USDT")
    assert (last.side, last.amount, last.price, last.value) == ("sell", 1, 150, 150)
    assert (last.fee, last.fee_currency, last.order_id, last.fill_id) == (0, "USDT", "o3", "f3")
    assert last.time.replace(microsecond=0) == datetime.fromtimestamp(START // 10**9, UTC)


SELL_AT_150 = execution(3, "sell", "1", "150")


def test_an_account_that_is_gone_is_named_by_its_id() -> None:
    assert [row.account for row in core.ledger_rows([BUY], "fifo", {})] == [MAIN]
