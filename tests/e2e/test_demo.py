"""What a first visitor does with `make demo`: subscribe, ask, make mistakes, break things, stop."""

from __future__ import annotations

import asyncio
import json
import os
import re
import signal
import stat
import subprocess
import sys
import time
from pathlib import Path

import httpx
import nats
import pytest
import websockets

import tests.smoke.__main__ as smoke
from producers.registry import VENUES
from tests.answer_models import check_route, is_for_admins, list_routes

pytestmark = [pytest.mark.nats, pytest.mark.slow, pytest.mark.timeout(240), pytest.mark.xdist_group("product")]


def ask(demo, path, key: str | None = "key"):
    headers = {"Authorization": f"Bearer {demo.facts['api'][key]}"} if key else {}
    return httpx.get(demo.facts["api"]["url"] + path, headers=headers, timeout=35)


def ask_as_admin(demo, path):
    """Ask again while it is said to be too much, or too early."""
    deadline = time.monotonic() + 60
    while (found := ask(demo, path, key="admin_key")).status_code in {429, 503} and time.monotonic() < deadline:
        time.sleep(1)
    return found


def quality(demo):
    """What the snapshot of BTC says of itself; None while there is none yet."""
    return ask(demo, "/gpt/raw?symbol=BTC").json().get("data", {}).get("quality")


async def listen(demo, subject, enough, seconds):
    """Subscribe as anybody would; give the messages as soon as `enough(messages)`."""
    bus = await nats.connect(demo.facts["nats"]["url"])
    found = []
    try:
        async with asyncio.timeout(seconds):
            async for message in (await bus.subscribe(subject)).messages:
                found.append(message)
                if enough(found):
                    return found
    finally:
        await bus.close()
    return found


def until(condition, seconds=60):
    deadline = time.monotonic() + seconds
    last = None
    while time.monotonic() < deadline:
        try:
            last = condition()
        except httpx.HTTPError as error:
            last = error
        if last is True:
            return
        time.sleep(0.2)
    pytest.fail(f"not within {seconds} s; last: {last}")


async def test_trades_of_every_venue_come_with_headers_and_marked_simulated(demo):
    def all_venues(found):
        return {message.subject.split(".")[3] for message in found} == set(VENUES)

    for message in await listen(demo, "md.v1.trade.>", all_venues, 30):
        body = json.loads(message.data)
        assert body["sim"] is True
        assert isinstance(body["price"], str)
        assert message.headers["Nats-Msg-Id"] == body["id"]
        assert message.headers["Hydrophone-Schema"] == "trade/1"


async def test_whales_come_within_a_minute(demo):
    (message,) = await listen(demo, "signal.v1.whale.>", bool, 60)
    body = json.loads(message.data)
    assert float(body["usd_value"]) >= float(body["threshold_usd"])
    assert body["sim"] is True


async def test_everything_about_a_base_is_one_subscription(demo):
    def kinds(found):
        return {"trade", "ticker", "book", "delta"} <= {message.subject.split(".")[2] for message in found}

    found = await listen(demo, "md.v1.*.*.BTC.>", kinds, 30)
    assert all(".BTC." in message.subject for message in found)


def test_snapshot_is_fresh_and_says_that_it_is_simulated(demo):
    until(lambda: quality(demo) == "sim")
    body = ask(demo, "/gpt/raw?symbol=BTC").json()
    assert body["success"] is True
    assert body["data"]["quality"] == "sim"
    assert body["data"]["age"] < 2

    def named():
        found = {item["exchange"] for item in ask(demo, "/gpt/raw?symbol=BTC").json()["data"]["exchanges"]}
        return found == set(VENUES) or sorted(set(VENUES) - found)

    until(named)


def test_every_venue_is_healthy(demo):
    def healthy():
        venues = ask(demo, "/multi/health").json()["data"]
        missing = {*VENUES} - {venue for venue, item in venues.items() if item["connected"]}
        return not missing or {venue: venues.get(venue, {}).get("reason") for venue in missing}

    until(healthy, 120)


async def test_smoke_asks_it_one_question_of_each_kind(demo, capsys):
    api = demo.facts["api"]
    assert await smoke.run(api["url"], api["key"], "BTC") == 0, capsys.readouterr().out
    assert await smoke.run(api["url"], "no key of it", "BTC") == 1
    failed = [line.split()[1] for line in capsys.readouterr().out.splitlines() if line.startswith("FAILED")]
    assert failed == ["market", "graphql", "websocket", "events"]


def test_the_doctor_finds_nothing_wrong_within_ten_seconds(demo):
    keep = {name: value for name, value in os.environ.items() if not name.startswith(("GPT_API_", "HYDROPHONE_"))}
    began = time.monotonic()
    command = [sys.executable, "-m", "runtime.doctor", "--json", "--data", str(demo.data)]
    done = subprocess.run(command, env=keep, capture_output=True, text=True, timeout=60, check=False)
    report = json.loads(done.stdout)
    assert (done.returncode, report["findings"]) == (0, []), done.stderr
    assert time.monotonic() - began < 10
    assert {"bus", "streams", "durables", "documents", "api", "telegram", "exchanges", "parts"} <= {*report["checks"]}


def test_every_route_answers_what_its_model_says_and_no_more(demo):
    document = ask(demo, "/openapi.json", key=None).json()
    for route in list_routes():
        answers = [*(ask_as_admin(demo, path) for path in route.paths), ask(demo, route.paths[0], key=None)]
        statuses = check_route(route, answers, document)
        assert 200 in statuses, (route.context.path, [item.text[:200] for item in answers])


def test_every_list_for_admins_answers_what_its_model_says_and_no_more(demo):
    document = ask(demo, "/openapi.json", key=None).json()
    for route in list_routes(is_for_admins):
        if str(route.context.path_format).endswith("/export"):
            continue  # rows, which the export's own test reads
        paths = [path for path in route.paths if "pattern=" not in path]
        statuses = check_route(route, [ask_as_admin(demo, path) for path in paths], document)
        assert 200 in statuses, route.context.path


@pytest.mark.parametrize(
    ("path", "status", "code"),
    [
        ("/gpt/raw?symbol=NOPE", 404, "INVALID_SYMBOL"),
        ("/gpt/raw", 400, "INVALID_PARAMETER"),
        ("/gpt/whale?symbol=BTC&limit=0", 400, "INVALID_PARAMETER"),
        ("/gpt/whale?symbol=BTC&limit=101", 400, "INVALID_PARAMETER"),
        ("/gpt/orderbook?symbol=BTC&depth=abc", 400, "INVALID_PARAMETER"),
    ],
)
def test_bad_questions_get_errors_that_name_the_fault(demo, path, status, code):
    answer = ask(demo, path)
    body = answer.json()
    assert answer.status_code == status
    assert body["success"] is False
    assert body["error"]["code"] == code
    assert body["error"]["details"]


def test_missing_and_wrong_keys_are_refused(demo):
    assert ask(demo, "/gpt/raw?symbol=BTC", key=None).status_code == 401
    answer = httpx.get(
        demo.facts["api"]["url"] + "/gpt/raw?symbol=BTC", headers={"Authorization": "Bearer no"}, timeout=35
    )
    assert answer.status_code == 401


async def test_unknown_socket_message_is_answered_with_an_error_and_the_socket_goes_on(demo):
    url = demo.facts["api"]["url"].replace("http", "ws", 1) + "/ws"
    key = {"Authorization": f"Bearer {demo.facts['api']['key']}"}
    async with websockets.connect(url, additional_headers=key) as socket, asyncio.timeout(60):

        async def next_of(kind):
            while True:
                message = json.loads(await socket.recv())
                if message["type"] == kind:
                    return message

        await next_of("connected")
        await socket.send(json.dumps({"type": "dance"}))
        assert "dance" in json.dumps(await next_of("error"))
        await socket.send(json.dumps({"type": "subscribe", "symbol": "BTC"}))
        await next_of("subscribed")
        await next_of("price_update")
        await socket.send(json.dumps({"type": "ping"}))
        await next_of("pong")


def test_books_have_no_process_of_their_own_unless_asked_for(demo):
    assert "books" not in demo.facts["pids"]


def test_facts_are_for_the_owner_only(demo):
    assert stat.S_IMODE((demo.data / "run.json").stat().st_mode) == 0o600


def test_threads_of_a_part_and_of_the_launcher_share_a_pool_of_memory(demo):
    """Pools besides a process's first lie at multiples of 64 MiB, as glibc makes them."""

    def more_pools(pid):
        own = re.findall(r"^(\w+)-\w+ rw-p 0+ 00:00 0 *$", Path(f"/proc/{pid}/maps").read_text(), re.MULTILINE)
        return sum(int(place, 16) % (64 << 20) == 0 for place in own)

    pids = {"launcher": demo.process.pid, **demo.facts["pids"]}
    del pids["bus"]  # of Go, which has an allocator of its own
    found = {part: more_pools(pid) for part, pid in pids.items()}
    assert max(found.values()) <= 1, found


async def test_killed_bus_comes_back_and_everything_goes_on(demo):
    os.kill(demo.facts["pids"]["bus"], signal.SIGKILL)
    await asyncio.sleep(0.5)

    def all_venues(found):
        return {message.subject.split(".")[3] for message in found} == set(VENUES)

    await listen(demo, "md.v1.trade.>", all_venues, 100)
    await asyncio.to_thread(until, lambda: quality(demo) == "sim")
    await asyncio.to_thread(until, lambda: ask(demo, "/gpt/raw?symbol=BTC").json()["data"]["age"] < 2)


async def test_killed_producers_are_started_again(demo):
    os.kill(demo.facts["pids"]["producers"], signal.SIGKILL)
    await asyncio.sleep(0.5)
    await listen(demo, "md.v1.trade.>", lambda found: len(found) > 20, 100)


def test_second_copy_runs_beside_the_first(demo, start):
    second = start("demo", {"HYDROPHONE_VENUES": "binance,okx"}).wait_ready()
    assert second.facts["api"]["url"] != demo.facts["api"]["url"]
    assert second.facts["nats"]["url"] != demo.facts["nats"]["url"]
    until(lambda: ask(second, "/gpt/raw?symbol=ETH").json()["success"] is True)
    assert ask(demo, "/gpt/raw?symbol=ETH").json()["success"]
    children = second.pids()
    assert len(children) > 5
    second.stop()
    assert second.pids() == []
    assert not (second.data / "run.json").exists()


def test_run_without_a_way_to_the_exchanges_says_so_and_keeps_trying(start):
    closed = {
        f"HYDROPHONE_{venue.upper()}_{kind}_URL": f"{scheme}://127.0.0.1:9"
        for venue in VENUES
        for kind, scheme in (("WS", "ws"), ("REST", "http"))
    }
    copy = start("run", closed).wait_ready()
    logs = copy.data / "logs"

    def reported():
        text = "".join(path.read_text(errors="replace") for path in logs.glob("producers*"))
        counts = {venue: text.count(f"{venue}: ") for venue in VENUES}
        return (all(count >= 2 for count in counts.values()) and "cannot be reached" in text) or counts

    until(reported, 30)
    until(
        lambda: all(f"{venue} is down" in copy.log.read_text() for venue in VENUES) or copy.log.read_text()[-500:], 30
    )
    admin = ask(copy, "/multi/health", key="admin_key").json()["data"]
    assert not any(item["connected"] for item in admin.values())
    answer = ask(copy, "/gpt/raw?symbol=BTC", key="admin_key")
    assert answer.status_code >= 400
    assert copy.process.poll() is None


def test_interrupt_stops_everything(demo):
    assert demo.stop() == 0
    assert demo.pids() == []
    assert not (demo.data / "run.json").exists()
