"""Contract of strategies: golden messages of its events, and params that contradict themselves are refused."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel, ValidationError

from contracts import subjects
from contracts.services.trading.strategy_events import (
    CHANGED_SCHEMA,
    DECIDED_SCHEMA,
    REFUSED_SCHEMA,
    SIGNALLED_SCHEMA,
    StrategyChanged,
    StrategyDecided,
    StrategyEvent,
    StrategyRefused,
    StrategySignalled,
)
from contracts.services.trading.strategy_params import DcaParams, GridParams, TpslParams
from contracts.streams import STREAMS, TRADING

GOLDEN = Path(__file__).parent / "golden" / "strategies"
EVENTS: dict[str, type[StrategyEvent]] = {
    CHANGED_SCHEMA: StrategyChanged,
    DECIDED_SCHEMA: StrategyDecided,
    SIGNALLED_SCHEMA: StrategySignalled,
    REFUSED_SCHEMA: StrategyRefused,
}
DCA: dict[str, Any] = {
    "amount": "0.01",
    "safety_orders": {"count": 3, "step_percent": "2", "volume_scale": "1.5"},
    "take_profit_percent": "1.5",
    "stop_percent": "10",
}
GRID: dict[str, Any] = {"lower": "60000", "upper": "70000", "levels": 11, "spacing": "arithmetic", "amount": "0.01"}
TPSL: dict[str, Any] = {
    "amount": "0.01",
    "take_profit": [{"percent": "2", "share": "50"}, {"percent": "4", "share": "50"}],
    "stop_percent": "3",
}


def golden(schema: str) -> str:
    """Return the golden message of a schema: `strategy/1` stands in `strategy.v1.json`."""
    return (GOLDEN / f"{schema.replace('/', '.v')}.json").read_text().rstrip("\n")


def test_every_event_has_a_golden_message() -> None:
    assert {path.stem for path in GOLDEN.glob("*.json")} == {schema.replace("/", ".v") for schema in EVENTS}


@pytest.mark.parametrize("schema", EVENTS)
def test_golden_message_is_read_and_written_alike(schema: str) -> None:
    raw = golden(schema)
    assert EVENTS[schema].model_validate_json(raw).model_dump_json() == raw


@pytest.mark.parametrize("schema", EVENTS)
def test_an_event_is_published_on_the_stream_of_trading(schema: str) -> None:
    event: Any = EVENTS[schema].model_validate_json(golden(schema))
    (stream,) = [stream for stream in STREAMS if stream.name == TRADING]
    assert subjects.ALL_STRATEGIES in stream.subjects
    assert event.subject.startswith(subjects.STRATEGY)
    assert event.subject.endswith(f".{event.strategy}")


@pytest.mark.parametrize(("model", "params"), [(DcaParams, DCA), (GridParams, GRID), (TpslParams, TPSL)])
def test_params_are_read(model: type[BaseModel], params: dict[str, Any]) -> None:
    assert model.model_validate(params).model_dump(mode="json", exclude_none=True) == params


@pytest.mark.parametrize(
    ("model", "params", "word"),
    [
        (DcaParams, {"amount": "1"}, "interval_seconds or safety_orders"),
        (DcaParams, {"amount": "0", "interval_seconds": 60}, "greater than 0"),
        (DcaParams, {"amount": "1", "interval_seconds": 1}, "greater than or equal to 10"),
        (DcaParams, DCA | {"stop_percent": "100"}, "less than 100"),
        (DcaParams, DCA | {"safety_orders": {"count": 5, "step_percent": "20", "volume_scale": "1"}}, "below 100"),
        (DcaParams, DCA | {"leverage": 5}, "leverage"),
        (GridParams, GRID | {"upper": "60000"}, "lower must be below upper"),
        (GridParams, GRID | {"levels": 1}, "greater than or equal to 2"),
        (GridParams, GRID | {"spacing": "linear"}, "arithmetic"),
        (TpslParams, TPSL | {"order_id": "5d41402abc4b2a76"}, "not both"),
        (TpslParams, {key: value for key, value in TPSL.items() if key != "amount"}, "not both"),
        (TpslParams, TPSL | {"take_profit": [{"percent": "2", "share": "50"}, {"percent": "3", "share": "51"}]}, "100"),
        (TpslParams, TPSL | {"take_profit": [{"percent": "2", "share": "50"}, {"percent": "2", "share": "5"}]}, "rise"),
    ],
)
def test_params_that_contradict_themselves_are_refused(
    model: type[BaseModel], params: dict[str, Any], word: str
) -> None:
    with pytest.raises(ValidationError, match=word):
        model.model_validate(params)
