"""Trading's contract: golden messages of its events, and orders that contradict themselves are refused."""

from __future__ import annotations

from pathlib import Path
from typing import Any, get_args

import pytest
from pydantic import ValidationError

from contracts import subjects
from contracts.services.trading.events import AccountEvent, ForeignOrder, OrderChanged, OrderFilled, TradingTripped
from contracts.services.trading.orders import CreateOrder
from contracts.services.trading.refusals import AT_FAULT, RefusalCode, refusal
from contracts.streams import STREAMS, TRADING

GOLDEN = Path(__file__).parent / "golden" / "trading"
EVENTS: dict[str, type[AccountEvent]] = {
    "order.v1": OrderChanged,
    "fill.v1": OrderFilled,
    "foreign_order.v1": ForeignOrder,
    "trading_tripped.v1": TradingTripped,
}
TERMS: dict[str, Any] = {
    "owner": "alice",
    "account": "paper",
    "symbol": "BTC/USDT",
    "side": "sell",
    "type": "limit",
    "amount": "1",
    "price": "65000",
}


def test_every_event_has_a_golden_message() -> None:
    assert {path.stem for path in GOLDEN.glob("*.json")} == set(EVENTS)


@pytest.mark.parametrize("name", EVENTS)
def test_golden_message_is_read_and_written_alike(name: str) -> None:
    raw = (GOLDEN / f"{name}.json").read_text().rstrip("\n")
    event = EVENTS[name].model_validate_json(raw)
    assert event.model_dump_json() == raw


@pytest.mark.parametrize("name", EVENTS)
def test_an_event_is_published_on_the_stream_of_trading(name: str) -> None:
    event: Any = EVENTS[name].model_validate_json((GOLDEN / f"{name}.json").read_text())
    (stream,) = [stream for stream in STREAMS if stream.name == TRADING]
    assert subjects.ALL_ORDERS in stream.subjects
    assert event.subject.startswith(subjects.ORDER)
    assert event.subject.endswith(f".{event.account}")


def test_every_code_of_a_refusal_has_its_field_and_its_rule() -> None:
    assert set(AT_FAULT) == set(get_args(RefusalCode))
    fields = {field for field, _ in AT_FAULT.values() if field is not None}
    assert fields <= set(CreateOrder.model_fields)


def test_a_rejected_order_is_read_with_its_error_and_an_older_one_without() -> None:
    raw = (GOLDEN / "order.v1.json").read_text()
    error = refusal("INSUFFICIENT_BALANCE", "it needs 2 BTC; 1 BTC are free", needed="2", free="1", currency="BTC")
    rejected = OrderChanged.model_validate_json(raw.replace('"error":null', f'"error":{error.model_dump_json()}'))
    assert rejected.error == error
    assert OrderChanged.model_validate_json(raw.replace('"error":null,', "")).error is None


def test_an_order_is_read() -> None:
    assert CreateOrder(**TERMS).price == 65000


@pytest.mark.parametrize(
    ("change", "word"),
    [
        ({"price": None}, "needs a price"),
        ({"type": "market"}, "takes none"),
        ({"type": "market", "price": None, "post_only": True}, "post_only"),
        ({"side": "buy", "reduce_only": True}, "reduce_only"),
        ({"amount": "0"}, "greater than 0"),
        ({"amount": "1e3"}, "as text"),
        ({"price": "0"}, "above zero"),
        ({"client_id": "x" * 37}, "client_id"),
        ({"client_id": "a b"}, "client_id"),
    ],
)
def test_an_order_that_contradicts_itself_is_refused(change: dict[str, Any], word: str) -> None:
    with pytest.raises(ValidationError, match=word):
        CreateOrder(**(TERMS | change))
