"""Strategies and backtests as people use them in Telegram; their commands are replied to here."""

from __future__ import annotations

import base64
import json
from collections.abc import AsyncGenerator, Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import pytest_asyncio

from bot.trading.params import read_params, read_strategy
from contracts import subjects
from contracts.services.trading.backtests import BacktestInfo
from contracts.services.trading.strategies import Profit, StrategyInfo, StrategyPage, StrategyShown
from runtime.nats.bus import Bus, BusOptions
from runtime.servers.embedded import NatsServer
from tests.bot.trading.conftest import somebody
from tests.bot.world import Person, StartBot, labels, text_of
from tests.consumers.execution.conftest import User
from tests.serving import serve

pytestmark = [pytest.mark.nats, pytest.mark.timeout(180)]
MakePerson = Callable[..., Person]
ID = "5d41402abc4b2a76"
NOW = datetime(2026, 11, 26, 12, 0, tzinfo=UTC)
GRID = {"spacing": "arithmetic", "lower": "60000", "upper": "70000", "levels": 11, "amount": "0.01"}
PNG = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)


class Served:
    """Replies to the commands of strategies and backtests, and keeps what was requested."""

    def __init__(self) -> None:
        self.created: list[dict[str, Any]] = []
        self.changed: list[str] = []
        self.tried: list[dict[str, Any]] = []
        self.refuses = False
        self.status = "running"

    def info(self) -> StrategyInfo:
        asked: dict[str, Any] = self.created[-1] if self.created else {"kind": "grid", "params": GRID}
        profit = '{"realized":"12.5","unrealized":"-3.1","fees":"1.2","grid":"10","trend":"-0.6","currency":"USDT"}'
        known: dict[str, Any] = {"id": ID, "account": "paper", "symbol": "BTC/USDT", "accept_fallback": False}
        return StrategyInfo(
            **known,
            kind=asked["kind"],
            params=asked["params"],
            status=self.status,  # type: ignore[arg-type]
            reason=None,
            profit=Profit.model_validate_json(profit),
            open_orders=10,
            created_at=NOW,
        )

    def backtest(self) -> BacktestInfo:
        figures = {"coverage": "99.8", "trades": 42, "pnl": "120.5", "pnl_currency": "USDT", "max_drawdown": "1.8"}
        more = {"exposure": "64", "events": 7, "decisions": "0" * 64, "fees": {"USDT": "8.4"}}
        status = "refused" if self.refuses and self.tried[-1].get("min_coverage") is None else "done"
        known = {
            "id": ID,
            "created_at": NOW,
            "status": status,
            "reason": "12 % of it was recorded" if status != "done" else None,
        }
        terms = {name: value for name, value in self.tried[-1].items() if name != "owner"}
        return BacktestInfo.model_validate({**terms, **figures, **more, **known, "equity": [], "fills": []})

    async def on_create(self, body: bytes) -> bytes:
        self.created.append(json.loads(body))
        return StrategyShown(**dict(self.info()), signal_secret=None).model_dump_json().encode()

    async def on_list(self, _: bytes) -> bytes:
        items = [self.info()] if self.created else []
        return StrategyPage(items=items, total=len(items), page=1, page_size=6, pages=1).model_dump_json().encode()

    async def on_find(self, _: bytes) -> bytes:
        return self.info().model_dump_json().encode()

    def change(self, verb: str, status: str) -> Callable[[bytes], Any]:
        async def on_change(_: bytes) -> bytes:
            self.changed.append(verb)
            self.status = status
            return self.info().model_dump_json().encode()

        return on_change

    async def on_try(self, body: bytes) -> bytes:
        self.tried.append(json.loads(body))
        queued = self.backtest().model_copy(update={"status": "queued", "reason": None})
        return queued.model_dump_json().encode()

    async def on_found(self, _: bytes) -> bytes:
        return self.backtest().model_dump_json().encode()

    async def on_equity(self, _: bytes) -> bytes:
        return json.dumps({"png": base64.b64encode(PNG).decode()}).encode()


@pytest_asyncio.fixture
async def served(api_nats: NatsServer) -> AsyncGenerator[Served]:
    """Replies of the contract."""
    bus = await Bus(BusOptions(servers=(api_nats.url,), name="replies")).connect()
    found = Served()
    changes = {"pause": "paused", "resume": "running", "stop": "stopped"}
    replies = {"strategies.create": found.on_create, "strategies.list": found.on_list, "strategies.find": found.on_find}
    replies |= {f"strategies.{verb}": found.change(verb, status) for verb, status in changes.items()}
    replies |= {"backtests.create": found.on_try, "backtests.find": found.on_found, "backtests.equity": found.on_equity}
    for name, reply in replies.items():
        await serve(bus, subjects.COMMAND + name, reply)
    yield found
    await bus.close()


@pytest.mark.parametrize("language", ["en", "id"])
async def test_a_strategy_in_one_line_is_confirmed_once(
    start_bot: StartBot, trading: User, served: Served, person: MakePerson, language: str
) -> None:
    await start_bot()
    ann = person(somebody(), language_code=language)
    asked = await ann.say("/strategy grid btc lower=60k upper=70000 levels=11 amount=0.01")
    for part in ("BTC/USDT", "levels: 11", "paper" if language == "en" else "Simulasi"):
        assert part in text_of(asked)
    assert served.created == []
    start = "▶️ Start it" if language == "en" else "▶️ Mulai"
    made = await ann.press(asked, start)
    assert "10" in text_of(made)
    (asked_for,) = served.created
    assert (asked_for["owner"], asked_for["account"]) == (f"telegram:{ann.user_id}", "paper")
    assert asked_for["params"] == GRID
    data = next(one["data"] for row in asked["buttons"] for one in row if one["text"] == start)
    await ann.do("press", message_id=asked["message_id"], data=data, stale=True)
    note = await ann.next({"answerCallbackQuery", "editMessageText"})
    again = served.created[1:]
    assert note["method"] or again == []
    assert {one["request_key"] for one in served.created} == {asked_for["request_key"]}


async def test_a_strategy_by_guided_steps(
    start_bot: StartBot, trading: User, served: Served, person: MakePerson
) -> None:
    await start_bot()
    ann = person(somebody())
    shown = await ann.say("/strategy")
    assert "no strategies" in text_of(shown)
    for step in ("🆕 New strategy", "💧 DCA: buy again and again", "BTC"):
        shown = {**shown, **await ann.press(shown, step)}
    assert "amount of each order" in text_of(shown)
    assert "no figure that I can read" in text_of(await ann.say("much"))
    assert "how often" in text_of(await ann.say("0.01"))
    assert "Send - to leave it out" in text_of(await ann.say("1h"))
    assert "loss" in text_of(await ann.say("5"))
    asked = await ann.say("-")
    assert "interval_seconds: 3600" in text_of(asked)
    await ann.press(asked, "▶️ Start it")
    assert served.created[0]["params"] == {"amount": "0.01", "interval_seconds": 3600, "take_profit_percent": "5"}


async def test_a_strategy_is_shown_paused_resumed_and_stopped(
    start_bot: StartBot, trading: User, served: Served, person: MakePerson
) -> None:
    await start_bot()
    ann = person(somebody())
    await ann.press(await ann.say("/strategy grid BTC lower=60000 upper=70000 levels=11 amount=0.01"), "▶️ Start it")
    listed = await ann.say("/strategy")
    shown = {**listed, **await ann.press(listed, "grid BTC/USDT · 5d4140")}
    assert "From the grid +10 · from the trend -0.6" in text_of(shown)
    for label in ("⏸ Pause", "▶️ Resume", "⏹ Stop for good"):
        shown = {**shown, **await ann.press(shown, label)}
    assert served.changed == ["pause", "resume", "stop"]
    assert "⏸ Pause" not in labels(shown)


async def test_a_backtest_answers_with_its_curve_as_a_picture(
    start_bot: StartBot, trading: User, served: Served, person: MakePerson
) -> None:
    await start_bot()
    ann = person(somebody())
    assert "I send you the result" in text_of(await ann.say("/backtest dca BTC amount=0.01 interval_seconds=1h 2d"))
    picture = await ann.next({"sendPhoto"})
    for part in ("+120.5 USDT", "42", "1.8%", "99.8%"):
        assert part in text_of(picture)
    (asked,) = served.tried
    assert asked["balance"] == {"USDT": "10000"}
    assert datetime.fromisoformat(asked["to"]) - datetime.fromisoformat(asked["from"]) == timedelta(days=2)
    assert asked["strategy"]["params"] == {"amount": "0.01", "interval_seconds": 3600}


async def test_a_backtest_of_too_little_is_refused_and_tried_all_the_same_when_asked_for(
    start_bot: StartBot, trading: User, served: Served, person: MakePerson
) -> None:
    served.refuses = True
    await start_bot()
    ann = person(somebody())
    await ann.say(f"/backtest {ID} 1d")
    refused = await ann.next({"sendMessage"})
    assert "12 % of it was recorded" in text_of(refused)
    await ann.press(refused, "🧪 Try it all the same")
    await ann.next({"sendPhoto"})
    assert served.tried[1]["min_coverage"] == "0"


@pytest.mark.parametrize(
    ("line", "params"),
    [
        ("grid BTC lower=60000 upper=70k levels=11 amount=0.01", GRID | {}),
        ("tpsl BTC amount=1 take_profit=5:50,10:50 stop_percent=3",
         {"amount": "1", "take_profit": [{"percent": "5", "share": "50"}, {"percent": "10", "share": "50"}],
          "stop_percent": "3"}),
        ("dca BTC amount=1 safety_count=3 safety_step=2 safety_scale=1.5",
         {"amount": "1", "safety_orders": {"count": 3, "step_percent": "2", "volume_scale": "1.5"}}),
    ],
)  # fmt: skip
def test_what_is_written_of_a_strategy(line: str, params: dict[str, Any]) -> None:
    written = read_strategy(line.split())
    assert written is not None
    assert written.params == params


@pytest.mark.parametrize("line", ["", "grid", "grid BTC levels=many", "grid BTC a b", "grid BTC levels=1.5", "! BTC"])
def test_what_is_no_strategy(line: str) -> None:
    assert read_strategy(line.split()) is None


def test_what_is_left_out_is_no_param() -> None:
    assert read_params("dca", {"amount": "1", "stop_percent": "-"}) == {"amount": "1"}
