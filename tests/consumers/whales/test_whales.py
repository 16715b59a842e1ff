"""Whales: which fills belong together, what they are worth, and which of them are worth telling."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consumers.whales.core import WhaleDetector
from consumers.whales.groups import check_fill
from consumers.whales.rules import Adaptive, WhaleRules
from contracts.arithmetic.tiers import Tiers
from contracts.codec import encode
from contracts.signals import WhaleTrade

SECOND = 1_000_000_000
MS = 1_000_000
START = 1_767_225_600 * SECOND
SPOT = "md.v1.trade.binance.BTC.USDT.spot"
RULES = WhaleRules(
    tiers=Tiers(),
    limits={"majors": Decimal(1_000_000), "large": Decimal(500_000), "mid": Decimal(200_000)},
)

Make = Callable[..., Any]


def decide(detector: WhaleDetector, *events: tuple[str, Any]) -> list[Any]:
    """Fold everything, then let time close what is open."""
    found, faults = detector.fold(events, len(events), START)
    assert faults == []
    return [whale for _, whale in found + detector.tick(START + SECOND)]


def test_fills_of_one_aggressor_are_merged_into_one_whale(trade: Make) -> None:
    fills = [
        trade(1, START, price="60000", amount="10"),
        trade(2, START, price="60010", amount="5", ts_recv=START + 7),
        trade(3, START, price="60020", amount="5"),
    ]
    (whale,) = decide(WhaleDetector(RULES), *((SPOT, fill) for fill in fills))
    model = WhaleTrade.model_validate_json(encode(whale))
    assert model.id == "binance.BTC.USDT.spot.whale.1"
    assert model.trade_ids == [fill.id for fill in fills]
    assert (model.amount, model.usd_value, model.price) == (Decimal(20), Decimal(1_200_150), Decimal("60007.50"))
    assert (model.usd_rate_source, model.tier, model.threshold_usd) == ("peg", "majors", Decimal(1_000_000))
    assert (model.ts_event, model.ts_recv) == (START, START + 7)


@pytest.mark.parametrize(
    "other",
    [{"side": "sell"}, {"ts_event": START + 1}, {"ts_event": None}, {"side": None}, {"amount": None}],
    ids=["other side", "other time", "no time", "no side", "no amount"],
)
def test_fills_that_differ_are_not_merged(trade: Make, other: dict[str, Any]) -> None:
    fills = [
        trade(1, START, price="60000", amount="10"),
        trade(2, START, **{"price": "60000", "amount": "10", **other}),
    ]
    assert decide(WhaleDetector(RULES), *((SPOT, fill) for fill in fills)) == []


def test_a_group_is_complete_when_the_next_other_trade_comes(trade: Make) -> None:
    detector = WhaleDetector(RULES)
    assert detector.fold([(SPOT, trade(1, START, price="60000", amount="20"))], 1, START)[0] == []
    ((subject, whale),) = detector.fold([(SPOT, trade(2, START + 1))], 2, START)[0]
    assert subject == "signal.v1.whale.binance.BTC.USDT.spot"
    assert whale.id.endswith("whale.1")


def test_a_group_is_complete_when_nothing_was_added_for_200_ms(trade: Make) -> None:
    detector = WhaleDetector(RULES)
    detector.fold([(SPOT, trade(1, START, price="60000", amount="20"))], 1, START)
    detector.fold([(SPOT, trade(2, START, price="60000", amount="1"))], 2, START + 150 * MS)
    assert detector.tick(START + 349 * MS) == []
    assert [whale.amount for _, whale in detector.tick(START + 350 * MS)] == ["21"]


def test_trades_of_other_instruments_do_not_end_a_group(trade: Make) -> None:
    detector = WhaleDetector(RULES)
    detector.fold([(SPOT, trade(1, START, price="60000", amount="20"))], 1, START)
    other = "md.v1.trade.okx.BTC.USDT.spot"
    assert detector.fold([(other, trade(5, START + 1, id="okx.5"))], 2, START)[0] == []


def test_a_repeated_trade_is_no_second_fill(trade: Make) -> None:
    fill = trade(1, START, price="60000", amount="10")
    detector = WhaleDetector(RULES)
    assert decide(detector, (SPOT, fill), (SPOT, fill)) == []
    assert detector.counts.duplicates == 1


def test_a_trade_without_side_or_size_is_counted(trade: Make) -> None:
    detector = WhaleDetector(RULES)
    sideless = trade(1, price="60000", amount="99", side=None)
    unsized = trade(2, price="60000", amount=None, contracts="99999")
    assert decide(detector, (SPOT, sideless), (SPOT, unsized)) == []
    assert (detector.counts.sideless, detector.counts.unsized) == (1, 1)


def test_the_limit_is_that_of_the_coins_tier(trade: Make) -> None:
    def worth(base: str, usd: str) -> bool:
        subject = f"md.v1.trade.binance.{base}.USDT.spot"
        return bool(decide(WhaleDetector(RULES), (subject, trade(1, symbol=f"{base}/USDT", price="1", amount=usd))))

    assert (worth("ETH", "999999.99"), worth("ETH", "1000000")) == (False, True)
    assert (worth("SOL", "499999"), worth("SOL", "500000")) == (False, True)
    assert (worth("PEPE", "199999"), worth("PEPE", "200000")) == (False, True)


def test_a_quote_without_a_dollar_price_is_not_valued_but_counted(trade: Make) -> None:
    detector = WhaleDetector(RULES)
    subject = "md.v1.trade.binance.ETH.BTC.spot"
    assert decide(detector, (subject, trade(1, symbol="ETH/BTC", price="0.05", amount="1000"))) == []
    assert detector.counts.unvalued == 1


def test_a_coin_quote_is_valued_by_the_buss_own_price(trade: Make) -> None:
    bitcoin = ("md.v1.trade.coinbase.BTC.USD.spot", trade(1, id="c1", symbol="BTC/USD", price="60000", amount="1"))
    ether = ("md.v1.trade.binance.ETH.BTC.spot", trade(2, symbol="ETH/BTC", price="0.05", amount="1000"))
    (whale,) = decide(WhaleDetector(RULES), bitcoin, ether)
    assert (whale.usd_value, whale.usd_rate, whale.usd_rate_source) == ("3000000.00", "60000", "bus")


def test_a_dollar_coin_is_valued_by_its_price_where_the_bus_has_one(trade: Make, ticker: Make) -> None:
    peg = ("md.v1.ticker.kraken.USDT.USD.spot", ticker(START, symbol="USDT/USD", last="0.95"))
    fill = (SPOT, trade(1, price="60000", amount="17"))
    assert decide(WhaleDetector(RULES), peg, fill) == []
    (whale,) = decide(WhaleDetector(RULES), peg, (SPOT, trade(2, price="60000", amount="18")))
    assert (whale.usd_value, whale.usd_rate_source) == ("1026000.00", "bus")


def test_the_adaptive_limit_follows_the_instruments_own_sizes(trade: Make) -> None:
    rules = WhaleRules(
        tiers=Tiers(),
        limits=RULES.limits,
        adaptive=Adaptive(share=(99, 100), samples=200, floor_usd=Decimal(1000)),
    )
    detector = WhaleDetector(rules)
    small = [(SPOT, trade(number, START + number * SECOND, price="100", amount="50")) for number in range(300)]
    assert decide(detector, *small[:150], (SPOT, trade(900, START + 150 * SECOND, amount="99"))) == []
    (whale,) = decide(detector, *small[151:], (SPOT, trade(901, START + 400 * SECOND, price="100", amount="99")))
    assert Decimal(5000) <= Decimal(whale.threshold_usd) < Decimal(5400)
    assert whale.rule == "whale/1 adaptive 99/100"


def test_a_restart_in_the_middle_of_a_group_gives_the_same_whale(trade: Make) -> None:
    whole, first = WhaleDetector(RULES), WhaleDetector(RULES)
    fills = [(SPOT, trade(number, START, price="60000", amount="5", sim=number == 4)) for number in range(5)]
    end = (SPOT, trade(9, START + 1))
    wanted, _ = whole.fold([*fills, end], 6, START)
    first.fold(fills[:3], 3, START)
    again = WhaleDetector(RULES)
    assert again.restore(first.save()) == 3
    assert again.fold([fills[2], *fills[3:], end], 6, START)[0] == wanted
    assert wanted[0][1].sim


numbers = st.decimals(min_value="0.00000001", max_value="3e7", places=8).map(lambda value: format(value, "f"))


@given(numbers, numbers)
def test_the_bound_is_never_below_the_value(price: str, amount: str) -> None:
    assert Decimal(price) * Decimal(amount) <= check_fill(0.0, price, amount)


def test_a_whale_among_trades_that_were_filled_in_is_late_and_cuts_no_group(trade: Make) -> None:
    detector = WhaleDetector(RULES)
    first = trade(1, START + 5, price="60000", amount="10")
    filled = [trade(number, START, price="60000", amount="10", backfilled=True) for number in (7, 8)]
    found, faults = detector.fold([(SPOT, one) for one in (first, *filled, filled[0])], 1, START)
    again = WhaleDetector(RULES)
    again.restore(detector.save())
    assert (found, faults, detector.counts.duplicates) == ([], [], 1)
    for one in (detector, again):
        events = [(SPOT, trade(2, START + 5, price="60000", amount="10"))]
        whales = [whale for _, whale in one.fold(events, 2, START)[0] + one.tick(START + SECOND)]
        assert [(whale.trade_ids[0][-1], bool(whale.late)) for whale in whales] == [("1", False), ("7", True)]
        assert b'"late":true' in encode(whales[1])
        assert b"late" not in encode(whales[0])


def test_a_trade_that_was_filled_in_tells_no_price(trade: Make) -> None:
    detector = WhaleDetector(RULES)
    dollars = "md.v1.trade.kraken.BTC.USD.spot"
    old = trade(1, START, venue="kraken", symbol="BTC/USD", price="1", amount="0.1", backfilled=True)
    worth = trade(2, START, symbol="ETH/BTC", price="0.05", amount="9999999")
    assert decide(detector, (dollars, old), ("md.v1.trade.binance.ETH.BTC.spot", worth)) == []
    assert detector.counts.unvalued == 1
