"""The programs of examples/ against a running copy, as somebody would start them."""

from __future__ import annotations

import ast
import json
import os
import re
import shutil
import subprocess
import sys
import time
from typing import Any

import graphql
import httpx
import pytest

from api.graphql.schema import make_schema
from tests.e2e.conftest import ROOT, Copy

MOMENT = "as_of=2026-01-01T12:00:00Z"
pytestmark = [pytest.mark.nats, pytest.mark.slow, pytest.mark.timeout(240), pytest.mark.xdist_group("product")]
EXAMPLES = ROOT / "examples"
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]


def blocks(language, begins=""):
    """Return the fenced blocks of every page that are in a language, and begin with a word, with their page's name."""
    fence = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
    found = [(page.name, *match) for page in PAGES for match in fence.findall(page.read_text())]
    return [(name, text) for name, kind, text in found if kind == language and text.startswith(begins)]


COMMANDS = blocks("", "curl ")
OPERATIONS = blocks("graphql")


@pytest.fixture(scope="module")
def copy(tmp_path_factory):
    settings = {"HYDROPHONE_VENUES": "binance,kraken", "HYDROPHONE_SYMBOLS": "BTC,ETH"}
    settings["HYDROPHONE_WEBHOOK_ALLOW"] = "127.0.0.1"
    running = Copy("demo", tmp_path_factory.mktemp("examples") / "data", settings).wait_ready()
    until_data(running)
    yield running
    running.stop()


def until_data(copy, seconds=60):
    """A fresh copy has no whale and no candle yet."""
    deadline, headers = time.monotonic() + seconds, {"Authorization": f"Bearer {copy.facts['api']['key']}"}
    while True:
        codes = {
            path: httpx.get(f"{copy.facts['api']['url']}{path}?symbol=BTC", headers=headers, timeout=35).status_code
            for path in ("/gpt/raw", "/gpt/whale", "/gpt/liq", "/gpt/orderbook", "/api/market/ohlc")
        }
        if set(codes.values()) == {200}:
            return
        assert time.monotonic() < deadline, codes
        time.sleep(0.5)


def run_at_this_time(command: str) -> subprocess.CompletedProcess[str]:
    """Run a command of a page, a moment in it being a second ago: one while this copy ran."""
    text = command.replace(MOMENT, f"as_of={int(time.time() * 1000) - 1000}")
    return subprocess.run(["sh", "-euc", text], capture_output=True, text=True, timeout=60, check=False)


@pytest.mark.parametrize(("page", "command"), COMMANDS, ids=[f"{name} {at}" for at, (name, _) in enumerate(COMMANDS)])
def test_documented_requests_succeed(copy, page, command):
    api = copy.facts["api"]
    text = command.replace("ADMIN_KEY", api["admin_key"]).replace("KEY", api["key"])
    fails = "curl --silent --show-error --fail-with-body "
    text = text.replace("http://localhost:8000", api["url"]).replace("curl ", fails)
    done = run_at_this_time(text)
    tries = 20 if MOMENT in text else 0  # a copy that has just started had no price a second ago
    while done.returncode and (tries := tries - 1) > 0:
        time.sleep(1)
        done = run_at_this_time(text)
    assert done.returncode == 0, f"{page}: {command}{done.stderr}{done.stdout}"
    assert json.loads(done.stdout)


@pytest.mark.parametrize("operation", [text for _, text in OPERATIONS if text.startswith("query")])
def test_documented_graphql_queries_succeed(copy, operation):
    api = copy.facts["api"]
    body = {"query": operation, "variables": {"symbol": "BTC"}}
    headers = {"Authorization": f"Bearer {api['key']}"}
    answer = httpx.post(f"{api['url']}/graphql", json=body, headers=headers, timeout=30).json()
    refused = {error["extensions"]["code"] for error in answer.get("errors", [])}
    assert refused <= {"NO_DATA"}, answer  # a copy that has just started has no whale of that size
    assert answer["data"]["price"]["price"] > 0


def test_every_documented_operation_is_one_of_the_schema():
    assert len(OPERATIONS) >= 2
    for page, operation in OPERATIONS:
        assert not graphql.validate(make_schema()._schema, graphql.parse(operation)), page


def begin(copy, *command) -> Any:
    environ = {**os.environ, "HYDROPHONE_DATA": str(copy.data), "PYTHONUNBUFFERED": "1"}
    pipes: dict[str, Any] = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.STDOUT}
    return subprocess.Popen(command, cwd=ROOT, env=environ, text=True, **pipes)


def read_until(process, *patterns, seconds=60):
    """Read lines until each pattern was there; gives what was read."""
    text, missing, deadline = "", set(patterns), time.monotonic() + seconds
    while missing:
        assert time.monotonic() < deadline, f"not there: {missing}\n{text[-2000:]}"
        line = process.stdout.readline()
        assert line or process.poll() is None, f"ended without {missing}:\n{text[-2000:]}"
        text += line
        missing = {pattern for pattern in missing if not re.search(pattern, text)}
    return text


def end(process):
    process.kill()
    process.wait(10)
    process.stdin.close()
    process.stdout.close()


def test_every_program_is_run_by_a_test():
    programs = {path.name for path in EXAMPLES.iterdir() if path.suffix in {".py", ".mjs", ".sh"}} - {"place.py"}
    text = (ROOT / "tests/e2e/test_examples.py").read_text()
    assert {name for name in programs if f'"{name}"' not in text} == set()
    listed = set(re.findall(r"`(\w+\.\w+)", (EXAMPLES / "README.md").read_text()))
    assert programs <= listed


def test_http_client_asks_everything_once(copy):
    process = begin(copy, sys.executable, str(EXAMPLES / "http_client.py"), "demo")
    text, _ = process.communicate(timeout=90)
    answers = dict(re.findall(r"=== (.+): (\d+),", text))
    assert answers.pop("a wrong symbol") == "404"
    assert len(answers) == 9
    assert set(answers.values()) == {"200"}, text


def test_a_first_order_on_paper_needs_no_account(copy):
    process = begin(copy, sys.executable, str(EXAMPLES / "paper_order.py"), "buy", "0.01", "BTC/USDT")
    text, _ = process.communicate(timeout=90)
    assert process.returncode == 0, text
    shown = dict(line.split(": ", 1) for line in text.splitlines())
    placed, executed = ast.literal_eval(shown["order"]), ast.literal_eval(shown["executions"])
    assert (placed["status"], placed["filled"]) == ("filled", 0.01), text
    assert sum(one["amount"] for one in executed) == pytest.approx(0.01)
    assert ast.literal_eval(shown["paper"])["BTC"] == pytest.approx(0.01)


def test_http_client_talks(copy):
    process = begin(copy, sys.executable, str(EXAMPLES / "http_client.py"))
    text, _ = process.communicate("price ETH\nnonsense\nquit\n", timeout=60)
    assert '"symbol": "ETH"' in text
    assert "There is no nonsense" in text


def test_websocket_client_follows_what_is_typed(copy):
    process = begin(copy, sys.executable, str(EXAMPLES / "websocket_client.py"), "BTC")
    read_until(process, r"BTC.* sim .*s old")
    process.stdin.write("sub ETH\nlist\nwhat\n")
    process.stdin.flush()
    read_until(process, r"ETH.* sim .*s old", "subscriptions: ", "type one of")
    process.stdin.write("quit\n")
    process.stdin.flush()
    process.stdout.read()
    assert process.wait(20) == 0
    end(process)


@pytest.mark.parametrize(
    ("name", "patterns"),
    [
        ("events_client.py", ["(?m)^(whale|liquidation): {"]),
        ("graphql_client.py", ['"whaleTransactions"', '"priceUpdates"']),
        ("nats_subscribe.py", [r"BTC is \d", r"md\.v1\.trade\.\w+\.BTC"]),
    ],
)
def test_python_programs_show_what_they_promise(copy, name, patterns):
    process = begin(copy, sys.executable, str(EXAMPLES / name))
    try:
        read_until(process, *patterns, seconds=120)
    finally:
        end(process)


def test_javascript_subscribes_too(copy, tmp_path):
    if shutil.which("npm") is None or shutil.which("node") is None:
        pytest.skip("node and npm are not installed")
    shutil.copy(EXAMPLES / "nats_subscribe.mjs", tmp_path)
    install = ("npm", "install", "--silent", "--no-audit", "--no-fund", "@nats-io/transport-node@3")
    subprocess.run(install, cwd=tmp_path, check=True, timeout=120)
    process = begin(copy, "node", str(tmp_path / "nats_subscribe.mjs"), "md.v1.ticker.>")
    try:
        read_until(process, r"BTC is \d", r"md\.v1\.ticker\.\w+\.")
    finally:
        end(process)


def test_the_command_line_tool_subscribes_too(copy):
    assert subprocess.run(["sh", "-n", str(EXAMPLES / "nats_cli.sh")], check=False).returncode == 0
    if shutil.which("nats") is None:
        pytest.skip("the nats command line tool is not installed")
    process = begin(copy, "sh", str(EXAMPLES / "nats_cli.sh"))
    text, _ = process.communicate(timeout=60)
    assert "md.v1.trade." in text


def test_webhook_receiver_registers_itself_and_receives(copy):
    process = begin(copy, sys.executable, str(EXAMPLES / "webhook_receiver.py"), "0")
    try:
        (url,) = re.findall(r"listening on (\S+)", read_until(process, "listening on"))
        api = copy.facts["api"]
        headers = {"Authorization": f"Bearer {api['admin_key']}"}
        items = httpx.get(f"{api['url']}/webhooks", headers=headers, timeout=10).json()["data"]["items"]
        name = next(item["id"] for item in items if item["url"] == url)
        tested = httpx.post(f"{api['url']}/webhooks/{name}/test", headers=headers, timeout=15).json()["data"]
        assert (tested["delivered"], tested["status"]) == (True, 204)
        read_until(process, r"test None #0: \{'message'")
    finally:
        end(process)
