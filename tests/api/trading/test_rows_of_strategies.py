"""One test a row of `/api/trading` about strategies, signals and backtests; their commands are replied to here."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import AsyncGenerator
from datetime import UTC, datetime
from typing import Any

import pytest
import pytest_asyncio
from standardwebhooks import Webhook

from api.trading.signals import read_signature
from contracts import subjects
from contracts.errors import InvalidParameterError
from contracts.services.trading.backtests import BacktestInfo, BacktestStrategy
from contracts.services.trading.strategies import SIGNALS, Profit, SignalTaken, StrategyInfo, StrategyShown
from runtime.credentials import belonging_of, make_vault, seal_text
from runtime.nats.bus import Bus, BusOptions
from runtime.servers.embedded import NatsServer
from tests.api.conftest import Start, Store
from tests.api.trading.conftest import SECRET, Trader, trader
from tests.serving import serve

pytestmark = [pytest.mark.nats, pytest.mark.timeout(120)]
ID = "5d41402abc4b2a76"
NOW = datetime(2026, 11, 26, 12, 0, tzinfo=UTC)
GRID = {"lower": 60000, "upper": "70000", "levels": 11, "spacing": "arithmetic", "amount": 0.01}
AS_TEXT = {"lower": "60000", "upper": "70000", "levels": 11, "spacing": "arithmetic", "amount": "0.01"}
PROFIT = Profit.model_validate_json(
    '{"realized":"12.5","unrealized":"-3.1","fees":"1.2","grid":"10","trend":"-0.6","currency":"USDT"}'
)
INFO: dict[str, Any] = {
    "id": ID,
    "account": "paper",
    "kind": "grid",
    "symbol": "BTC/USDT",
    "params": AS_TEXT,
    "accept_fallback": False,
    "status": "running",
    "reason": None,
    "profit": PROFIT,
    "open_orders": 10,
    "created_at": NOW,
}
EXPLAINED = {
    "id": ID,
    "kind": "grid",
    "number": 17,
    "at": 1_767_268_800_000_000_000,
    "saw": {"id": "t-1", "kind": "trade", "says": "sell 0.1 at 64000", "event": {"price": "64000"}},
    "before": {},
    "after": {},
    "decisions": ["buy 0.01 at 64000"],
    "wanted": [
        {"what": "place", "client_id": "g-17", "side": "buy", "type": "limit", "amount": "0.01", "price": "64000"}
    ],
    "orders": [],
    "same": True,
}


class Replies:
    """Replies to the commands of strategies and backtests, and keeps what was requested."""

    def __init__(self) -> None:
        self.requests: dict[str, dict[str, Any]] = {}

    async def serve(self, bus: Bus, service: str, verb: str, reply: str) -> None:
        async def on_request(body: bytes) -> bytes:
            self.requests[f"{service}.{verb}"] = found = json.loads(body)
            return reply.replace("OWNER", found.get("owner", "")).encode()

        await serve(bus, f"{subjects.COMMAND}{service}.{verb}", on_request)


def backtest(**fields: Any) -> BacktestInfo:
    empty = ("coverage", "trades", "fees", "pnl", "pnl_currency", "max_drawdown", "exposure", "events", "decisions")
    values: dict[str, Any] = dict.fromkeys((*empty, "exchange", "fee_percent", "min_coverage", "reason"))
    strategy = BacktestStrategy(kind="grid", symbol="BTC/USDT", params=dict(AS_TEXT))
    known = {"id": ID, "strategy": strategy, "from": "2026-06-25", "to": "2026-06-26", "balance": {"USDT": "10000"}}
    return BacktestInfo.model_validate(
        {**values, **known, "status": "queued", "created_at": NOW, "equity": [], "fills": [], **fields}
    )


@pytest_asyncio.fixture
async def replies(api_nats: NatsServer) -> AsyncGenerator[Replies]:
    """Replies of the contract."""
    bus = await Bus(BusOptions(servers=(api_nats.url,), name="replies")).connect()
    found, info = Replies(), StrategyInfo(**INFO)
    page = f'{{"items":[{info.model_dump_json()}],"total":1,"page":1,"page_size":20,"pages":1}}'
    for verb in ("find", "resume"):
        await found.serve(bus, "strategies", verb, info.model_dump_json())
    for verb, status in (("pause", "paused"), ("stop", "stopped")):
        await found.serve(bus, "strategies", verb, info.model_copy(update={"status": status}).model_dump_json())
    await found.serve(bus, "strategies", "list", page)
    await found.serve(bus, "strategies", "why", json.dumps(EXPLAINED))
    await found.serve(bus, "strategies", "signal", SignalTaken(id="msg-1", strategy=ID).model_dump_json())
    queued = backtest()
    pages = f'{{"items":[{queued.model_dump_json()}],"total":1,"page":1,"page_size":20,"pages":1}}'
    done = backtest(status="done", pnl="-1.5", trades=1, equity=[{"time": NOW, "value": "9998.5"}], fees={"USDT": "1"})
    for verb, reply in (("create", queued.model_dump_json()), ("list", pages), ("find", done.model_dump_json())):
        await found.serve(bus, "backtests", verb, reply)
    await found.serve(bus, "backtests", "equity", json.dumps({"png": base64.b64encode(b"\x89PNG").decode()}))
    yield found
    await bus.close()


@pytest_asyncio.fixture
async def cay(replies: Replies, store: Store, start: Start) -> Trader:
    """An owner; execution is not there."""
    return await trader(await start({"secrets": (SECRET,)}), store, 3)


async def test_a_strategy_shows_its_secret_once(cay: Trader, replies: Replies, api_nats: NatsServer) -> None:
    vault = make_vault((SECRET,))
    assert vault is not None
    sealed = seal_text(vault, "signing", belonging_of(cay.owner, ID, SIGNALS))
    bus = await Bus(BusOptions(servers=(api_nats.url,), name="create")).connect()
    shown = StrategyShown(**INFO, signal_secret=sealed)
    await replies.serve(bus, "strategies", "create", shown.model_dump_json())
    body = {"account": "paper", "kind": "grid", "symbol": "BTC/USDT", "params": GRID}
    made = await cay.ask("POST", "/strategies", body, Idempotency_Key="k")
    assert made.status_code == 201, made.text
    assert made.json()["signal_secret"] == "signing"
    assert made.json()["profit"]["realized"] == 12.5
    asked = replies.requests["strategies.create"]
    assert (asked["owner"], asked["params"]) == (cay.owner, AS_TEXT)
    assert asked["request_key"]
    await bus.close()


async def test_strategies_are_listed_found_paused_resumed_and_stopped(cay: Trader, replies: Replies) -> None:
    assert (await cay.good("GET", "/strategies?account=paper&status=running"))["items"][0]["id"] == ID
    assert replies.requests["strategies.list"]["status"] == "running"
    assert (await cay.good("GET", f"/strategies/{ID}"))["open_orders"] == 10
    for verb, status in (("pause", "paused"), ("resume", "running"), ("stop", "stopped")):
        assert (await cay.good("POST", f"/strategies/{ID}/{verb}"))["status"] == status
        assert replies.requests[f"strategies.{verb}"]["owner"] == cay.owner
    assert (await cay.ask("GET", "/strategies/nonsense")).status_code == 404


async def test_why_a_strategy_did_what_it_did(cay: Trader, replies: Replies) -> None:
    found = await cay.good("GET", f"/strategies/{ID}/why?at=2026-01-01T12:00:00Z")
    assert (found["at"], found["wanted"][0]["price"]) == ("2026-01-01T12:00:00Z", 64000)
    assert replies.requests["strategies.why"]["at"] == 1_767_268_800_000_000_000
    await cay.good("GET", f"/strategies/{ID}/why")
    assert replies.requests["strategies.why"]["at"] is None


async def test_a_signal_goes_on_as_it_was_signed(cay: Trader, replies: Replies) -> None:
    secret = b"a secret of a strategy"
    body = json.dumps({"strategy": ID, "side": "buy"})
    standard = Webhook(base64.b64encode(secret).decode()).sign("msg-1", NOW, body)
    digits = hmac.digest(secret, f"msg-1.{NOW.timestamp():.0f}.{body}".encode(), "sha256").hex()
    for signature in (standard, f"v1,AA== {standard}", digits, f"sha256={digits}"):
        headers = {"webhook-id": "msg-1", "webhook-timestamp": f"{NOW.timestamp():.0f}", "webhook-signature": signature}
        key = {"Authorization": f"Bearer {cay.key}"}
        path = "/api/trading/signals"
        taken = await cay.api.client.post(path, content=body, headers={**headers, **key})
        while taken.status_code == 401:
            taken = await cay.api.client.post(path, content=body, headers={**headers, **key})
        assert (taken.status_code, taken.json()) == (202, {"id": "msg-1", "strategy": ID})
        asked = replies.requests.pop("strategies.signal")
        assert (asked["body"], asked["signature"]) == (body, digits)
        for missing in headers:
            some = {name: value for name, value in headers.items() if name != missing}
            refused = await cay.api.client.post(path, content=body, headers={**some, **key})
            assert (refused.status_code, list(refused.json()["fields"])) == (400, [missing])
    assert (await cay.api.client.post("/api/trading/signals", content=body)).status_code == 401


@pytest.mark.parametrize("text", ["", "v1,", "v1,AAAA", "x" * 64, "v2," + "A" * 44, hashlib.sha256().hexdigest()[:-1]])
def test_what_is_no_signature_is_refused(text: str) -> None:
    with pytest.raises(InvalidParameterError):
        read_signature(text)


async def test_a_backtest_is_queued_and_then_has_a_result_and_a_picture(cay: Trader, replies: Replies) -> None:
    strategy = {"kind": "grid", "symbol": "BTC/USDT", "params": GRID}
    body = {"strategy": strategy, "from": "2026-06-25", "to": "2026-06-26", "balance": {"USDT": "10000"}}
    made = await cay.good("POST", "/backtests", {**body, "fee_percent": 0.1, "min_coverage": 50}, 202)
    assert (made["id"], made["status"], made["from"]) == (ID, "queued", "2026-06-25")
    asked = replies.requests["backtests.create"]
    assert (asked["from"], asked["balance"], asked["fee_percent"]) == ("2026-06-25", {"USDT": "10000"}, "0.1")
    assert asked["strategy"]["params"] == AS_TEXT
    assert (await cay.good("GET", "/backtests"))["total"] == 1
    done = await cay.good("GET", f"/backtests/{ID}")
    assert (done["status"], done["pnl"], done["fees"], done["equity"][0]["value"]) == (
        "done",
        -1.5,
        {"USDT": 1},
        9998.5,
    )
    picture = await cay.ask("GET", f"/backtests/{ID}/equity.png")
    assert (picture.headers["content-type"], picture.content) == ("image/png", b"\x89PNG")
    refused = await cay.ask("POST", "/backtests", {**body, "to": "never"})
    assert (refused.status_code, list(refused.json()["fields"])) == (400, ["to"])
