"""Everything is lost and restored: what people made is there again, and what goes out goes on where it was."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, cast

import httpx
import pytest

from tests.e2e.conftest import NO_LIMITS, ROOT, Copy

pytestmark = [pytest.mark.nats, pytest.mark.slow, pytest.mark.timeout(600), pytest.mark.xdist_group("product")]
SETTINGS = {
    **NO_LIMITS,
    "HYDROPHONE_VENUES": "binance,binanceusdm,bybit",
    "HYDROPHONE_SYMBOLS": "BTC",
    "HYDROPHONE_SIMULATOR_RATE": "3",
    "HYDROPHONE_WEBHOOK_ALLOW": "127.0.0.1",
    "HYDROPHONE_ADMIN_KEYS": "the-admin-key-of-both-copies-0123456789",
}
PATIENCE = 200.0  # twice a copy is started, and nothing is measured
ORDER = {"account": "paper", "symbol": "BTC/USDT", "side": "buy", "type": "market", "amount": "0.01"}
ANSWERS = (
    *("/admin/keys", "/admin/audit?page_size=100", "/api/alerts", "/webhooks", "/api/v2/groups"),
    *("/api/v2/groups/-1001234567890", "/api/v2/groups/-1001234567890/roles", "/api/v2/groups/-1001234567890/rules"),
    "/api/v2/groups/-1001234567890/actions",
    *("/api/trading/orders", "/api/trading/fills", "/api/trading/ledger", "/api/trading/strategies"),
)
PASSING = frozenset({"last_price", "unrealized"})


class Handler(BaseHTTPRequestHandler):
    """Takes a post and remembers its id and sequence."""

    def do_POST(self):
        body = json.loads(self.rfile.read(int(self.headers["content-length"])))
        cast("Endpoint", self.server).posts.append((self.headers["webhook-id"], body["sequence"]))
        self.send_response(200)
        self.send_header("content-length", "0")
        self.end_headers()

    def log_message(self, format, *args):  # noqa: A002  # the library's name
        return


class Endpoint(ThreadingHTTPServer):
    """A receiver of webhooks; `posts` are the ids and sequences that came."""

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Handler)
        self.posts = []
        threading.Thread(target=self.serve_forever, daemon=True).start()

    @property
    def url(self):
        return f"http://127.0.0.1:{self.server_port}/hook"

    def has_no_hole(self):
        numbers = {number for _, number in list(self.posts)}
        return numbers == set(range(1, max(numbers) + 1))

    def wait(self, posts):
        until(lambda: len(self.posts) >= posts)
        return list(self.posts)


def until(fits):
    deadline = time.monotonic() + PATIENCE
    while not fits():
        assert time.monotonic() < deadline
        time.sleep(0.2)


def ask(copy, method, path, body=None, key=SETTINGS["HYDROPHONE_ADMIN_KEYS"]) -> dict[str, Any]:
    """Answer once the services are there."""
    deadline = time.monotonic() + PATIENCE
    while True:
        headers = {"Authorization": f"Bearer {key}"}
        found = httpx.request(method, copy.facts["api"]["url"] + path, json=body, headers=headers, timeout=35)
        if found.is_success:
            return found.json()
        assert found.status_code in {429, 503}, found.text
        assert time.monotonic() < deadline, found.text
        time.sleep(0.5)


def backup(*words, **more):
    keep = {name: value for name, value in os.environ.items() if not name.startswith(("GPT_API_", "HYDROPHONE_"))}
    command = [sys.executable, "-m", "deploy.backup", *map(str, words)]
    return subprocess.run(
        command, cwd=ROOT, env={**keep, **more}, capture_output=True, text=True, timeout=PATIENCE, check=False
    )


def make_everything(copy, hook):
    """Make one of each by the product's own commands; the key is one that was made."""
    scopes = ["market:read", "trade", "alerts:write", "groups:admin", "webhooks:write"]
    key = ask(copy, "POST", "/admin/keys", {"name": "kept", "owner": "alice", "scopes": scopes})
    ask(copy, "POST", "/webhooks/register", {"url": hook, "events": ["whale", "liquidation"]})
    ask(copy, "POST", "/api/alerts", {"symbol": "BTC", "condition": "above", "value": "900000", "note": "é"})
    ask(copy, "POST", "/api/v2/groups", {"name": "Test", "group_id": -1001234567890})
    group = "/api/v2/groups/-1001234567890"
    ask(copy, "POST", f"{group}/roles", {"name": "moderator", "permissions": ["ban_members"], "priority": 5})
    rule = {"name": "no spam", "kind": "words", "params": {"words": ["spam"]}, "penalty": {"kind": "delete"}}
    ask(copy, "POST", f"{group}/rules", rule)
    ask(copy, "POST", f"{group}/actions", {"kind": "warn", "user_id": 5, "moderator_id": 6, "reason": "once"})
    ask(copy, "POST", "/api/trading/orders", {**ORDER, "client_id": "kept-1"})
    terms = {"amount": "0.001", "interval_seconds": 86400}
    strategy = {"account": "paper", "kind": "dca", "symbol": "BTC/USDT", "params": terms}
    made = ask(copy, "POST", "/api/trading/strategies", strategy)
    ask(copy, "POST", f"/api/trading/strategies/{made['id']}/pause")
    return key["data"]["key"]


def answers(copy):
    return {path: settled({**ask(copy, "GET", path), "timestamp": None}) for path in ANSWERS}


def settled(answer: Any) -> Any:
    """An answer without what goes on with the market."""
    if isinstance(answer, dict):
        return {name: settled(value) for name, value in answer.items() if name not in PASSING}
    return [settled(one) for one in answer] if isinstance(answer, list) else answer


def test_all_is_there_again_after_the_data_directory_was_lost(tmp_path):
    data, archive, endpoint = tmp_path / "data", tmp_path / "archive", Endpoint()
    copy = Copy("demo", data, SETTINGS).wait_ready(PATIENCE)
    try:
        key = make_everything(copy, endpoint.url)
        posted = endpoint.wait(2)  # what came of these is kept by the time that is saved
        before = answers(copy)
        done = backup("save", "--to", archive, "--with-keys", HYDROPHONE_DATA=str(data))
        assert done.returncode == 0, done.stderr
        refused = backup("restore", "--from", archive, "--replace", HYDROPHONE_DATA=str(data))
        assert (refused.returncode, "in use" in refused.stderr) == (1, True), refused.stderr
    finally:
        os.killpg(copy.process.pid, signal.SIGKILL)
        copy.process.wait()
    until(lambda: not copy.pids())
    shutil.rmtree(data)
    assert backup("check", archive).returncode == 0
    done = backup("restore", "--from", archive, HYDROPHONE_DATA=str(data))
    assert done.returncode == 0, done.stderr
    between = len(endpoint.posts)
    copy = Copy("demo", data, SETTINGS).wait_ready(PATIENCE)
    try:
        again = endpoint.wait(between + 2)[between:]
        for path, answer in answers(copy).items():
            assert answer == before[path], path
        assert ask(copy, "GET", "/gpt/raw?symbol=BTC", key=key)["success"]  # the pepper is the same
        repeated = ask(copy, "POST", "/api/trading/orders", {**ORDER, "client_id": "kept-1"})
        assert repeated["id"] in {one["id"] for one in before["/api/trading/orders"]["items"]}
        assert not {one for one, _ in posted} & {one for one, _ in again}  # nothing twice
        until(endpoint.has_no_hole)  # and none is missing
    finally:
        copy.stop()
