"""What a dry run rests on: the coverage of what its rule looks at, where the market core knows it."""

from __future__ import annotations

import json
from typing import Any

import pytest

from consumers.alerts.explaining.asking import Asking
from consumers.alerts.explaining.resting import find_rests
from contracts.services.alerts import AlertDryRunQuery
from runtime.nats.bus import NoAnswerError
from tests.consumers.coverage.ledger import MINUTE, START

TOTALS = {"live": 0, "sampled": 54, "filled": 0, "unknown": 6}
REPLY: dict[str, Any] = {
    "symbol": "BTC",
    "channel": "liquidation",
    "step": "1d",
    "from": "2027-01-15T08:00:00Z",
    "to": "2027-01-15T08:01:00Z",
    "venues": [
        {"venue": "okx", "symbol": "BTC/USDT:USDT", "channel": "liquidation", "since": "2027-01-15T08:00:00Z",
         "rows": [], "totals": TOTALS, "percent": "90"},
    ],
    "percent": "90",
    "age": 0.1,
    "quality": "live",
}  # fmt: skip


class Core:
    """A market core with one reply; None: it does not answer."""

    def __init__(self, reply: dict[str, Any] | None) -> None:
        self._reply = reply
        self.asked: list[dict[str, Any]] = []

    async def request(self, _subject: str, payload: bytes, _seconds: float) -> bytes:
        self.asked.append(json.loads(payload))
        if self._reply is None:
            raise NoAnswerError("nobody")
        return json.dumps(self._reply).encode()


def query(rule: str, symbol: str | None = "BTC") -> AlertDryRunQuery:
    return AlertDryRunQuery(rule=rule, symbol=symbol, exchange="okx", start=START, end=START + MINUTE)


async def test_it_is_asked_for_the_channel_and_the_span_of_the_rule() -> None:
    core: Any = Core(REPLY)
    found = await find_rests(Asking(core), query("storm"))
    assert found is not None
    assert (f"{found.percent}", found.sampled) == ("90", True)
    (asked,) = core.asked
    assert (asked["channel"], asked["venue"], asked["step"]) == ("liquidation", "okx", "1d")
    assert (asked["from"], asked["to"]) == (str(START // 10**6), str((START + MINUTE) // 10**6))


@pytest.mark.parametrize(
    ("rule", "symbol", "reply"),
    [
        ("storm", None, REPLY),
        ("funding_extreme", "BTC", REPLY),
        ("whale", "BTC", None),
        ("whale", "BTC", {"error": {"code": "NOT_READY", "message": "not yet", "details": {}}}),
        ("whale", "BTC", {**REPLY, "venues": []}),
    ],
)
async def test_it_is_not_known_where_nobody_knows_it(rule: str, symbol: str | None, reply: dict[str, Any]) -> None:
    core: Any = Core(reply)
    assert await find_rests(Asking(core), query(rule, symbol)) is None
