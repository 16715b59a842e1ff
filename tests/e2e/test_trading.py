"""Trading in the demo as a first visitor tries it: by REST and in Telegram, on paper and at the simulated Indodax."""

from __future__ import annotations

import asyncio
import csv
import io
import re
import time
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from secrets import randbelow

import httpx
import pytest

from tests.bot.world import Person, labels, text_of
from tests.e2e.conftest import NO_LIMITS, Copy

pytestmark = [pytest.mark.nats, pytest.mark.slow, pytest.mark.timeout(300), pytest.mark.xdist_group("product")]
PATIENCE = 90.0
KEY, SECRET = "INDODAX-KEY-1", "indodax-secret-1"


@pytest.fixture(scope="module")
def copy(tmp_path_factory):
    settings = {**NO_LIMITS, "HYDROPHONE_VENUES": "binance,indodax", "HYDROPHONE_SYMBOLS": "BTC"}
    settings["HYDROPHONE_SIMULATOR_RATE"] = "1"
    running = Copy("demo", tmp_path_factory.mktemp("trading") / "data", settings).wait_ready()
    yield running
    running.stop()


class Trader:
    """Somebody who trades by REST."""

    def __init__(self, copy):
        facts = copy.facts["api"]
        bearer = {"Authorization": f"Bearer {facts['admin_key']}"}
        self.client = httpx.Client(base_url=facts["url"], headers=bearer, timeout=35)

    def ask(self, method, path, body=None):
        """Answer once the services are there and the book is live."""
        deadline = time.monotonic() + PATIENCE
        while True:
            found = self.client.request(method, f"/api/trading{path}", json=body)
            if found.is_success:
                return found
            assert found.json().get("error") in {"NO_DATA", "NOT_READY"}, found.text
            assert time.monotonic() < deadline, found.text
            time.sleep(0.5)

    def price(self):
        return Decimal(str(self.ask("POST", "/preview", order("buy", "0.001")).json()["price"]))

    def until(self, path, fits, seconds=PATIENCE):
        deadline = time.monotonic() + seconds
        while not fits(found := self.ask("GET", path).json()):
            assert time.monotonic() < deadline, found
            time.sleep(0.3)
        return found


def order(side, amount, **fields):
    return {"account": "paper", "symbol": "BTC/USDT", "side": side, "type": "market", "amount": amount, **fields}


def grid_around(price):
    """A grid so narrow that it trades within seconds."""
    step = (price * Decimal("0.0002")).quantize(Decimal(1))
    params = {"lower": str(int(price - 4 * step)), "upper": str(int(price + 4 * step)), "levels": 9}
    return {**params, "spacing": "arithmetic", "amount": "0.001"}


def test_a_grid_by_rest_from_its_start_to_a_kill(copy):
    trader = Trader(copy)
    params = grid_around(trader.price())
    made = trader.ask(
        "POST", "/strategies", {"account": "paper", "kind": "grid", "symbol": "BTC/USDT", "params": params}
    )
    assert made.status_code == 201
    strategy = made.json()["id"]
    running = trader.until(
        f"/strategies/{strategy}", lambda one: one["status"] == "running" and one["open_orders"] >= 4
    )
    assert running["profit"]["currency"] == "USDT"
    trader.until("/fills", lambda page: page["total"] > 0)
    why = trader.ask("GET", f"/strategies/{strategy}/why?at={datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}").json()
    assert why["id"] == strategy
    assert trader.ask("POST", f"/strategies/{strategy}/pause").json()["status"] == "paused"
    assert trader.ask("POST", f"/strategies/{strategy}/resume").json()["status"] == "running"
    trader.until("/orders?status=open", lambda page: page["total"] >= 6)
    killed = trader.ask("POST", "/kill").json()
    assert killed["halted"] is True
    confirmed, deadline = set(killed["cancelled"]), time.monotonic() + PATIENCE
    while killed["waiting"]:  # one that was just being placed
        assert time.monotonic() < deadline, killed
        time.sleep(0.3)
        killed = trader.ask("POST", "/kill").json()
        confirmed |= set(killed["cancelled"])
    assert len(confirmed) >= 4
    time.sleep(1)
    before = {one["id"] for one in trader.ask("GET", "/orders?page_size=100").json()["items"]}
    assert trader.ask("GET", "/orders?status=open").json()["total"] == 0
    time.sleep(3)
    assert {one["id"] for one in trader.ask("GET", "/orders?page_size=100").json()["items"]} == before
    ended = {one["id"]: one["status"] for one in trader.ask("GET", "/orders?page_size=100").json()["items"]}
    assert sum(ended[one] == "cancelled" for one in confirmed) >= 4
    assert {ended[one] for one in confirmed} <= {"cancelled", "filled", "rejected"}  # of what was just being placed
    assert trader.ask("POST", "/resume").json()["success"] is True
    assert trader.ask("POST", f"/strategies/{strategy}/stop").json()["status"] == "stopped"


def test_the_ledger_and_the_portfolio_are_what_the_fills_say(copy):
    trader = Trader(copy)
    placed = trader.ask("POST", "/orders", order("buy", "0.002", client_id=f"e2e-{randbelow(10**9)}")).json()
    assert placed["status"] == "filled"
    own = placed["id"]
    fills = trader.until("/fills?page_size=100", lambda page: any(one["order_id"] == own for one in page["items"]))
    ids = {one["id"] for one in fills["items"] if one["order_id"] == own}
    deadline = time.monotonic() + PATIENCE
    while True:
        text = trader.ask("GET", "/ledger?format=csv&method=fifo").text
        rows = list(csv.DictReader(io.StringIO(text)))
        if ids <= {row["fill_id"] for row in rows} or time.monotonic() > deadline:
            break
        time.sleep(0.3)
    assert text.splitlines()[0] == (
        "time,account,venue,symbol,side,amount,price,fee,fee_currency,value,realized_pnl,order_id,fill_id"
    )
    assert sum(Decimal(row["amount"]) for row in rows if row["order_id"] == own) == Decimal("0.002")
    held = sum((1 if row["side"] == "buy" else -1) * Decimal(row["amount"]) for row in rows)
    accounts = trader.ask("GET", "/accounts").json()["items"]
    paper = next(one for one in accounts if one["name"] == "paper")
    coin = {one["currency"]: Decimal(str(one["free"])) + Decimal(str(one["held"])) for one in paper["balances"]}
    assert coin["BTC"] == held
    portfolio = trader.ask("GET", "/portfolio?account=paper").json()
    assert "BTC" in str(portfolio)


def test_a_backtest_over_what_the_demo_has_recorded(copy):
    trader = Trader(copy)
    price, now = trader.price(), datetime.now(UTC)
    terms = {
        "strategy": {"kind": "grid", "symbol": "BTC/USDT", "params": grid_around(price)},
        "from": (now - timedelta(minutes=20)).isoformat(), "to": now.isoformat(), "balance": {"USDT": "10000"},
    }  # fmt: skip
    begun = trader.ask("POST", "/backtests", terms)
    assert begun.status_code == 202
    refused = trader.until(f"/backtests/{begun.json()['id']}", lambda one: one["status"] not in {"queued", "running"})
    assert refused["status"] == "refused", "the demo has not run for twenty minutes"
    assert refused["coverage"] < 99
    again = trader.ask("POST", "/backtests", {**terms, "min_coverage": 0}).json()
    done = trader.until(f"/backtests/{again['id']}", lambda one: one["status"] not in {"queued", "running"})
    assert done["status"] == "done", done
    assert done["trades"] > 0
    assert done["events"] > 10  # a copy may be seconds old
    picture = trader.ask("GET", f"/backtests/{again['id']}/equity.png")
    assert picture.content.startswith(b"\x89PNG")
    assert picture.headers["content-type"] == "image/png"


@asynccontextmanager
async def chatting(copy, language="en"):
    """A person in a chat with the demo's bot."""
    async with httpx.AsyncClient(base_url=copy.facts["telegram"]["url"], timeout=35) as client:
        user = 5_000_000 + randbelow(1_000_000_000)
        yield Person(client, user, user, {"language_code": language}, patience=PATIENCE)


async def press(person, message, label):
    """Press the button that begins so."""
    found = next(one for one in labels(message) if one.startswith(label))
    return {**message, **await person.press(message, found)}


async def say(person, text, *, unless=("no live book", "not answer", "not ready")):
    """Say it again while what it needs is not there yet."""
    deadline = time.monotonic() + PATIENCE
    while True:
        found = await person.say(text)
        if not any(part in text_of(found).lower() for part in unless) or time.monotonic() > deadline:
            return found
        await asyncio.sleep(1)


async def test_the_paper_path_in_telegram_needs_no_account(copy):
    trader = Trader(copy)
    trader.price()  # the book is live
    async with chatting(copy) as ann:
        preview = await say(ann, "/trade buy 0.002 BTC/USDT")
        assert "0.002" in text_of(preview)
        assert "filled" in text_of(await press(ann, preview, "✅")).lower()
        assert "BTC" in text_of(await ann.say("/portfolio USDT"))
        params = " ".join(f"{name}={value}" for name, value in grid_around(trader.price()).items())
        started = await press(ann, await say(ann, f"/strategy grid BTC/USDT {params}"), "▶️")
        assert "grid" in text_of(started).lower()
        deadline = time.monotonic() + PATIENCE
        while not any(one.startswith("✖️") for one in labels(await ann.say("/orders"))):
            assert time.monotonic() < deadline, "no order is open"
            await asyncio.sleep(0.5)
        strategies = await ann.say("/strategy")
        shown = await press(ann, strategies, "grid BTC/USDT")
        assert "From the grid" in text_of(shown)
        stopped = await press(ann, shown, "⏹")
        assert "⏸ Pause" not in labels(stopped)
        await ann.say(f"/backtest grid BTC/USDT {params} 1h")
        found = await ann.next({"sendMessage", "sendPhoto"})
        assert re.search(r"\d", text_of(found))
        killed = await ann.say("/kill")
        assert text_of(killed)
        assert text_of(await ann.say("/resume"))


async def test_the_whole_way_at_indodax_in_telegram(copy):
    async with chatting(copy) as ann:
        account = f"{KEY}-{ann.user_id}"
        opened = await ann.client.get(
            f"{copy.facts['simulator']['url']}/_control/account",
            params={"venue": "indodax", "key": account, "secret": SECRET, "balance": "IDR:10000000000,BTC:1"},
        )
        assert opened.is_success, opened.text
        linked = await say(ann, f"/link indodax main {account} {SECRET}")
        assert "linked" in text_of(linked)
        assert "10,000,000,000 IDR" in text_of(linked)
        sent = str(await ann.sent(0))
        assert SECRET not in sent
        assert "deleteMessage" in sent
        ticker = await ann.client.get(f"{copy.facts['simulator']['url']}/indodax/api/ticker/btcidr")
        low = int(Decimal(ticker.json()["ticker"]["last"]) * Decimal("0.9") / 1000) * 1000
        preview = await say(ann, f"/trade buy 0.001 BTC/IDR at {low}")
        assert "main" in text_of(preview)
        placed = await press(ann, preview, "✅")
        assert "open" in text_of(placed)
        listed = await ann.say("/orders")
        assert "cancelled" in text_of(await press(ann, listed, "✖️"))
        bought = await press(ann, await say(ann, "/trade buy 0.002 BTC/IDR"), "✅")
        assert "filled" in text_of(bought).lower()
        assert "BTC" in text_of(await ann.say("/portfolio IDR"))
        dca = await say(ann, "/strategy dca BTC/IDR main amount=0.001 interval_seconds=1h")
        started = await press(ann, dca, "▶️")
        assert "dca" in text_of(started).lower()
        deadline = time.monotonic() + PATIENCE
        shown = await press(ann, await ann.say("/strategy"), "dca BTC/IDR")
        await press(ann, shown, "⏹")
        while True:
            asked = await ann.say("/unlink main")
            done = text_of(await press(ann, asked, "🗑"))
            if "unlinked" in done.lower() or "destroyed" in done.lower() or time.monotonic() > deadline:
                break
            await asyncio.sleep(1)
        assert "destroyed" in done.lower() or "unlinked" in done.lower(), done
