"""What the API answered over many minutes of the demo is what it answers with `as_of` afterwards, each figure.

A few lines over the usual length of a file: how answers are recorded, asked again and compared.
"""

from __future__ import annotations

import asyncio
import bisect
import itertools
import json
import os
import random
import time
from collections.abc import AsyncGenerator, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlencode

import httpx
import nats
import pytest
from nats.aio.msg import Msg

from contracts.schema.literals import iso
from contracts.subjects import PAST
from runtime.nats.streams.api import parse_rfc3339
from tests.e2e.conftest import NO_LIMITS, Copy

pytestmark = [pytest.mark.nats, pytest.mark.xdist_group("product")]

MINUTES: Final = float(os.environ.get("AS_IT_WAS_MINUTES", "10"))
MOMENTS: Final = 1000
LAG_NS: Final = 600_000_000  # a live answer may be a quarter of a second behind the bus, more where the machine is busy
STALE_NS: Final = 800_000_000  # after which the API may have answered with what it knew
TRIES: Final = 5
MOST_MOMENTS: Final = 500  # that one answer may be of: about 600 documents a second are written
MOST_P95: Final = 0.5  # seconds, or on a busy machine:
MOST_OF_LIVE: Final = 4  # times a live answer's
RATE: Final = os.environ.get("AS_IT_WAS_RATE", "1")
KEPT_MB_A_MINUTE: Final = 100  # of the demo at its whole rate, with room
WHOLE_DEMO: Final = {
    "HYDROPHONE_SIMULATOR_RATE": RATE,
    "HYDROPHONE_SYMBOLS": "BTC,ETH,SOL,XRP,DOGE",
    **{
        f"HYDROPHONE_KEEP_PAST_{kind}MB": str(2048 + int(MINUTES * KEPT_MB_A_MINUTE))
        for kind in ("", "BOOKS_", "TRADES_")
    },
    **NO_LIMITS,
}
CANDLES: Final = "/api/market/ohlc?symbol=BTC&exchange=binance&timeframe=1m&limit=60"
SYMBOLS: Final = "/multi/symbols?listed=false"
QUESTIONS: Final = (
    "/gpt/raw?symbol=BTC",
    "/gpt/raw?symbol=ETH/USDT",
    "/gpt/whale?symbol=BTC&limit=50",
    "/gpt/liq?symbol=BTC&limit=50",
    "/gpt/liqmap?symbol=BTC&window=1h",
    "/gpt/orderbook?symbol=BTC",
    "/gpt/orderbook?symbol=ETH&exchange=okx",
    "/api/market/price?symbol=SOL",
    "/multi/ticker/BTC?convert=true",
    "/multi/orderbook/BTC?depth=50",
    "/multi/trades/BTC?limit=100",
    "/multi/trades/DOGE?exchange=binance&limit=100",
    SYMBOLS,
    "/multi/health",
)
AGES: Final = frozenset({"age", "data_age", "last_message_age", "last_change_age", "oldest_age"})
ADDED: Final = (("as_of",), ("seen_since",), ("data", "as_of"), ("data", "seen_since"))  # what answers of then have
Path_ = tuple[str | int, ...]


@dataclass(frozen=True)
class Live:
    """What was answered to a question between two times (ns UTC)."""

    question: str
    sent: int
    received: int
    body: str


@dataclass(frozen=True)
class Number:
    """A number as it is written."""

    literal: str


@dataclass
class Report:
    """How long answers of the past and live ones took (seconds), how many were found at once, and what differs."""

    live: list[float]
    seconds: list[float] = field(default_factory=list[float])
    at_once: int = 0
    gone: int = 0
    differing: list[str] = field(default_factory=list[str])

    def __str__(self) -> str:
        return (
            f"{len(self.seconds)} answers of moments over HTTP: {describe(self.seconds)}; live {describe(self.live)};"
            f" equal at the time of receipt {self.at_once}, gone {self.gone}, differing {len(self.differing)};"
            f" load {os.getloadavg()[0]:.1f}"
        )


def find_share(seconds: list[float], share: float) -> float:
    """The time that so many of them needed at most."""
    return sorted(seconds)[int(len(seconds) * share)]


def describe(seconds: list[float]) -> str:
    """Times in words."""
    p50, p95 = find_share(seconds, 0.5) * 1000, find_share(seconds, 0.95) * 1000
    return f"p50 {p50:.1f} ms, p95 {p95:.1f} ms, max {max(seconds) * 1000:.1f} ms"


def walk(value: Any, at: Path_ = ()) -> Iterator[tuple[Path_, Any]]:
    """List what stands where in an answer."""
    if isinstance(value, dict) and value:
        for name, part in value.items():
            yield from walk(part, (*at, name))
    elif isinstance(value, list) and value:
        for index, part in enumerate(value):
            yield from walk(part, (*at, index))
    else:
        yield at, value


def read(question: str, body: str) -> tuple[dict[Path_, Any], dict[Path_, int]]:
    """Return the members of an answer, numbers as they are written, and apart from them the ages in milliseconds."""
    document = json.loads(body, parse_float=Number, parse_int=Number)
    if question.startswith("/multi/symbols"):
        document = document["data"]  # what feeds are is kept for seconds there, and of no moment
    members: dict[Path_, Any] = {}
    ages: dict[Path_, int] = {}
    for path, value in walk(document):
        if path == ("timestamp",) and not question.startswith("/api/market/"):
            continue  # when it was sent
        if isinstance(value, Number) and (path[-1] in AGES or "last_message_ages" in path):
            ages[path] = int(value.literal.replace(".", ""))
        else:
            members[path] = value
    return members, ages


def is_stale(body: str) -> bool:
    """Whether all of an answer is stale: that of an API without its core, which is of no moment."""
    return '"quality":"stale"' in body and not any(f'"quality":"{one}"' in body for one in ("live", "sim", "gap"))


def find_difference(live: Live, body: str) -> str | None:
    """Return how an answer of the past differs from the live one: in ages by another span than between their times."""
    (then, ages_then), (now, ages_now) = read(live.question, body), read(live.question, live.body)
    for path in ADDED:
        if path not in now:
            then.pop(path, None)
    for path in sorted(then.keys() | now.keys(), key=str):
        if then.get(path, ...) != now.get(path, ...):
            return f"{path}: {then.get(path, 'none')!r} was {now.get(path, 'none')!r}"
    if ages_then.keys() != ages_now.keys():
        return f"ages of {ages_then.keys() ^ ages_now.keys()}"
    shifts = [ages_now[path] - age for path, age in ages_then.items()]
    if shifts and max(shifts) - min(shifts) > 1:  # each is cut to a millisecond
        return f"ages by {min(shifts)} to {max(shifts)} ms"
    return None


def test_answers_differ_by_any_figure_and_not_by_when_they_were_sent() -> None:
    live = Live("/gpt/raw", 1, 2, '{"timestamp":"b","data":{"price":1.10,"age":2.005},"age":0.305}')
    same = '{"timestamp":"a","data":{"price":1.10,"age":2.000},"age":0.300,"as_of":"c","seen_since":"d"}'
    assert find_difference(live, same) is None
    assert (
        find_difference(live, same.replace("1.10", "1.1"))
        == "('data', 'price'): Number(literal='1.1') was Number(literal='1.10')"
    )
    assert find_difference(live, same.replace("2.000", "2.003")) == "ages by 2 to 5 ms"
    assert find_difference(live, same.replace('"price":1.10,', "")) is not None


class Recorder:
    """Asks at random moments, and takes note of when documents were written."""

    def __init__(self, demo: Copy) -> None:
        self._demo = demo
        self._facts: dict[str, Any] = demo.facts
        headers = {"Authorization": f"Bearer {self._facts['api']['admin_key']}"}
        self.client = httpx.AsyncClient(base_url=self._facts["api"]["url"], headers=headers, timeout=30)
        self.written: list[int] = []  # ns UTC
        self.answers: list[Live] = []
        self.candles: list[str] = []

    async def on_version(self, message: Msg) -> None:
        """Take note of a write."""
        self.written.append(parse_rfc3339((message.headers or {})["Nats-Time-Stamp"]))

    async def ask(self, question: str) -> Live | None:
        """Ask once; None where it was refused."""
        sent = time.time_ns()
        answer = await self.client.get(question)
        return Live(question, sent, time.time_ns(), answer.text) if answer.status_code == 200 else None

    async def settle(self) -> None:
        """Wait until every instrument carries data: a list of symbols is kept for ten seconds, and lacks new ones."""
        before: Any = None
        async with asyncio.timeout(120):
            while before != (before := (await self.client.get(SYMBOLS)).json()["data"]):  # noqa: ASYNC110
                await asyncio.sleep(11)

    async def record(self, minutes: float) -> None:
        """Ask one question after another for so long, each at a random moment; feeds break meanwhile."""
        pick, begin, span = random.Random(11), time.monotonic(), minutes * 60
        moments = sorted(pick.uniform(0, span) for _ in range(MOMENTS))
        broken = asyncio.ensure_future(self._break_feeds(span / 10))
        for number, moment in enumerate(moments):
            await asyncio.sleep(max(0.0, begin + moment - time.monotonic()))
            live = await self.ask(QUESTIONS[number % len(QUESTIONS)])
            if live is not None and live.received - live.sent < STALE_NS and not is_stale(live.body):
                self.answers.append(live)
            if number % 50 == 0 and (candles := await self.ask(CANDLES)) is not None:
                self.candles.append(candles.body)
        await broken

    async def _break_feeds(self, pause: float) -> None:
        for action in ("okx/pause", "bybit/reconnect", "okx/resume", "binance/reconnect"):
            await asyncio.sleep(pause)
            answer = await self.client.post(f"/admin/feeds/{action}")
            assert answer.status_code == 200, answer.text

    def list_moments(self, live: Live) -> Iterator[int]:
        """The moments that a live answer may be of (ns UTC): its receipt, and just before each write till then."""
        yield live.received
        last = bisect.bisect_right(self.written, live.received)
        first = bisect.bisect_left(self.written, live.sent - LAG_NS)
        before = 1 << 63
        for written in reversed(self.written[first:last]):
            moment = (written - 1) // 1000 * 1000  # `as_of` has microseconds
            if moment < before:
                before = moment
                yield moment

    async def compare(self) -> Report:
        """Ask each question again as of then."""
        report = Report([(live.received - live.sent) / 1e9 for live in self.answers])
        self.written.sort()
        for live in self.answers:
            difference: str | None = None
            for number, moment in enumerate(itertools.islice(self.list_moments(live), MOST_MOMENTS)):
                answer = await self._ask_past(live.question, moment, report)
                if answer.status_code == 400 and "seen_since" in answer.text:
                    report.gone += 1
                    difference = None
                    break
                here = answer.text if answer.status_code != 200 else find_difference(live, answer.text)
                if here is None:
                    report.at_once += number == 0
                    difference = None
                    break
                difference = difference or here
            if difference is not None:
                report.differing.append(f"{live.question} at {iso(live.received)}: {difference}")
                print(report.differing[-1][:300], flush=True)
        return report

    async def _ask_past(self, question: str, moment: int, report: Report) -> httpx.Response:
        """Ask as of a moment; again where the machine was too busy."""
        tries = itertools.count(1)
        while True:
            began = time.monotonic()
            answer = await self.client.get(past_url(question, moment))
            report.seconds.append(time.monotonic() - began)
            if answer.status_code < 500 or next(tries) == TRIES:
                return answer

    async def compare_candles(self) -> int:
        """Return how many closed candles are now what they were answered as; fails for another one."""
        now = {row["timestamp"]: row for row in (await self.client.get(CANDLES)).json()["candles"]}
        then = [row for body in self.candles for row in json.loads(body)["candles"] if row["closed"]]
        compared = [row for row in then if row["timestamp"] in now]
        assert compared == [now[row["timestamp"]] for row in compared]
        return len(compared)


def past_url(question: str, moment: int) -> str:
    """The question as of a moment (ns UTC)."""
    return f"{question}{'&' if '?' in question else '?'}{urlencode({'as_of': iso(moment)})}"


@asynccontextmanager
async def recording(demo: Copy) -> AsyncGenerator[Recorder]:
    """A recorder that receives what is written."""
    recorder = Recorder(demo)
    bus = await nats.connect(demo.facts["nats"]["admin_url"])
    await bus.subscribe(f"{PAST}>", cb=recorder.on_version)
    yield recorder
    await bus.close()
    await recorder.client.aclose()


@pytest.fixture
def whole_demo(tmp_path: Path) -> Iterator[Copy]:
    copy = Copy("demo", tmp_path / "data", WHOLE_DEMO).wait_ready(180)
    yield copy
    copy.stop()


async def until(check: Callable[[], Any], seconds: float) -> None:
    """Wait until what a request finds is there."""
    async with asyncio.timeout(seconds):
        while not await check():  # noqa: ASYNC110  # another process has to have it
            await asyncio.sleep(0.5)


@pytest.mark.long
@pytest.mark.timeout(MINUTES * 60 + 1800)
async def test_a_thousand_answers_of_minutes_of_the_demo(whole_demo: Copy) -> None:
    async with recording(whole_demo) as recorder:
        for question in QUESTIONS:
            await until(lambda question=question: recorder.ask(question), 60)
        await recorder.settle()
        await recorder.record(MINUTES)
        await asyncio.sleep(2)
        report = await recorder.compare()
        print(f"\n{report}; {await recorder.compare_candles()} candles; {len(recorder.written)} documents written")
        assert report.differing == []
        assert report.gone == 0
        assert len(recorder.answers) >= MOMENTS * 0.8
        assert find_share(report.seconds, 0.95) < max(MOST_P95, MOST_OF_LIVE * find_share(report.live, 0.95))
