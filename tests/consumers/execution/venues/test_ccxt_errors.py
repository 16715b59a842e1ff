"""Every class of CCXT's errors has a meaning for an order, and what is passed on of it holds nothing secret."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from ccxt.base import errors

from consumers.execution.ports import UnclearError
from consumers.execution.venues.ccxt_errors import MEANINGS, Requests, describe, judge, meaning_of
from runtime.trading.figures import OrderRefusedError

SENT = Requests(sent=True)


def names_in(tree: dict[str, Any]) -> Iterator[str]:
    for name, below in tree.items():
        yield name
        yield from names_in(below)


def made(name: str, text: str = "") -> Exception:
    return getattr(errors, name)(text)


def test_every_class_of_ccxt_has_a_row_and_no_row_is_of_no_class() -> None:
    assert set(MEANINGS) == set(names_in(errors.error_hierarchy))


@pytest.mark.parametrize("name", sorted(MEANINGS))
def test_each_class_is_raised_as_what_it_means(name: str) -> None:
    raised = judge(made(name), SENT, "binance")
    assert isinstance(raised, OrderRefusedError if MEANINGS[name] == "refused" else UnclearError)


@pytest.mark.parametrize(
    "name",
    ["RequestTimeout", "NetworkError", "ExchangeNotAvailable", "OnMaintenance", "BadResponse", "NullResponse",
     "DDoSProtection", "DuplicateOrderId", "ExchangeError", "OperationFailed", "InvalidNonce", "OrderNotFound"],
)  # fmt: skip
def test_what_may_hide_an_order_is_no_refusal(name: str) -> None:
    assert MEANINGS[name] == "unclear"


@pytest.mark.parametrize(
    "name",
    ["InsufficientFunds", "InvalidOrder", "AuthenticationError", "PermissionDenied", "BadSymbol", "RateLimitExceeded"],
)
def test_what_a_venue_says_before_it_takes_an_order_is_a_refusal(name: str) -> None:
    assert MEANINGS[name] == "refused"


@pytest.mark.parametrize(
    "text",
    [
        'binance {"code":-2010,"msg":"Duplicate order sent."}',
        'bybit {"retCode":170141,"retMsg":"Duplicate clientOrderId","result":{}}',
        'bybit {"retCode":170146,"retMsg":"Order creation timeout","result":{}}',
        'okx {"code":"1","data":[],"msg":"Duplicated client order ID"}',
        'binance {"code":-1006,"msg":"An unexpected response was received. Execution status unknown."}',
    ],
)
def test_an_answer_that_does_not_exclude_an_order_is_none_whatever_its_class(text: str) -> None:
    assert isinstance(judge(made("InvalidOrder", text), SENT, "venue"), UnclearError)
    assert isinstance(
        judge(made("InvalidOrder", 'venue {"msg":"Filter failure: LOT_SIZE"}'), SENT, "v"), OrderRefusedError
    )


def test_what_was_not_sent_is_not_there_whatever_happened() -> None:
    for name in MEANINGS:
        assert isinstance(judge(made(name), Requests(), "binance"), OrderRefusedError)


def test_what_was_answered_well_is_not_refused_by_how_it_is_read() -> None:
    for error in (made("BadSymbol"), made("InvalidOrder"), TypeError("None"), KeyError("id")):
        assert isinstance(judge(error, Requests(sent=True, answered=True, status=200), "binance"), UnclearError)


@pytest.mark.parametrize(
    ("name", "text", "code"),
    [
        (
            "InsufficientFunds",
            'binance {"code":-2010,"msg":"Account has insufficient balance"}',
            "INSUFFICIENT_BALANCE",
        ),
        ("InvalidOrder", 'binance {"code":-1013,"msg":"Filter failure: NOTIONAL"}', "BELOW_MINIMUM"),
        ("InvalidOrder", 'bybit {"retCode":170140,"retMsg":"Order value exceeded lower limit."}', "BELOW_MINIMUM"),
        ("OrderImmediatelyFillable", "binance", "POST_ONLY"),
        ("PermissionDenied", "binance", "KEY_REFUSED"),
        ("BadSymbol", "binance", "NOT_SUPPORTED"),
        ("InvalidOrder", 'binance {"msg":"Filter failure: PERCENT_PRICE"}', "VENUE_REFUSED"),
    ],
)
def test_a_refusal_has_the_code_of_what_is_at_fault(name: str, text: str, code: str) -> None:
    raised = judge(made(name, text), SENT, "venue")
    assert isinstance(raised, OrderRefusedError)
    assert raised.refusal.code == code
    unsent = judge(made(name, text), Requests(), "venue")
    assert isinstance(unsent, OrderRefusedError)
    assert unsent.refusal.code == "NOT_SENT"


@pytest.mark.parametrize("status", [418, 429])
def test_too_many_requests_is_a_refusal_by_its_status(status: int) -> None:
    raised = judge(made("DDoSProtection", "binance 429"), Requests(sent=True, status=status), "binance")
    assert isinstance(raised, OrderRefusedError)
    assert str(raised) == "binance: it takes no more requests for now"


@pytest.mark.parametrize("error", [TimeoutError(), OSError("gone"), TypeError("None"), KeyError("id"), ValueError("?")])
def test_what_is_not_ccxt_s_is_unclear(error: Exception) -> None:
    assert meaning_of(error) == "unclear"


def test_the_venue_s_own_words_reach_the_owner() -> None:
    text = 'binance {"code":-2010,"msg":"Account has insufficient balance for requested action."}'
    assert describe(made("InsufficientFunds", text), "binance") == (
        "binance: there is not enough money for it (Account has insufficient balance for requested action.)"
    )
    assert describe(
        made("InvalidOrder", 'bybit {"retCode":170140,"retMsg":"Order value exceeded lower limit."}'), "bybit"
    ) == ("bybit: Order value exceeded lower limit.")
    assert describe(made("RequestTimeout"), "bybit") == "bybit: it did not answer in time"


@pytest.mark.parametrize("name", sorted(MEANINGS))
def test_nothing_of_a_request_is_passed_on(name: str) -> None:
    url = "https://api.binance.com/api/v3/order?timestamp=1&apiKey=PLANTED&signature=PLANTED"
    for text in (f"binance POST {url}", f"binance POST {url} 503 Busy <html>PLANTED</html>", f"{url} {{PLANTED"):
        for requests in (Requests(), SENT, Requests(sent=True, status=429)):
            assert "PLANTED" not in str(judge(made(name, text), requests, "binance"))
