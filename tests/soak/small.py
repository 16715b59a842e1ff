"""The small machine: 15 venues with 20 symbols, full books, all consumers, the page and the bot, at 3,000 events/s.

`python -m tests.bench small`: a first start finds the simulator's rate, a second one on the same data is measured.
"""

from __future__ import annotations

import contextlib
import os
import tempfile
import time
from collections.abc import Generator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from playwright.sync_api import sync_playwright

from producers.simulator.market.instruments import BASES
from runtime.config.settings.venues import DEFAULT_VENUES
from tests.bench.harness import progress
from tests.e2e.conftest import NO_LIMITS, Copy
from tests.pages.chromium import NoBrowserError, find_chromium
from tests.soak.measuring import MIB, SIMULATED
from tests.soak.observing import Samples, observe, published, wait_whale

EVENTS: Final = 3000.0  # a second, published by producers
MIB_BAR: Final = 1024.0
CORES_BAR: Final = 1.2
WHALE_BAR: Final = 60.0
NEAR: Final = 0.95  # of the events that are asked for
MOST: Final = 1.1
STEP: Final = 2.0  # by how much a rate changes at most: a machine that is still busy with the start shows too few
SYMBOLS: Final = tuple(BASES)[:20]
FIRST_RATE: Final = 0.25  # of the simulated exchanges, about what is looked for
SLOWEST, FASTEST = 0.1, 50.0
START_SECONDS: Final = 240
SETTLE_SECONDS: Final = 10.0  # books are fetched, and windows are read again
FIND_SECONDS: Final = 10.0
MEASURE_SECONDS: Final = 120.0
SHOWN_MS: Final = 60_000.0
SAMPLES: Final = Path(__file__).resolve().parents[2] / ".bench" / "small.jsonl"


@dataclass(frozen=True)
class Measured:
    """What one run found; `whale` is seconds from the start until one was shown, `where` says in what."""

    samples: Samples
    rate: float
    whale: float | None
    where: str

    def lines(self) -> list[str]:
        """The table."""
        parts = {name: part for name, part in sorted(self.samples.parts().items()) if name not in SIMULATED}
        mib = (
            max(sum(taken.size for name, taken in sample.parts.items() if name in parts) for sample in self.samples.all)
            / MIB
        )
        cores = sum(part.cores(0.0) for part in parts.values())
        events = self.samples.rate("published", 0.0)
        what = f"{len(DEFAULT_VENUES)} venues x {len(SYMBOLS)} symbols, full books, all consumers, page and bot"
        how = f"simulator at {self.rate:.2g}, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}"
        shown = "none" if self.whale is None else f"{self.whale:.0f} s"
        bars = (
            ("MiB, the most at once", f"{mib:.0f}", f"at most {MIB_BAR:.0f}", mib <= MIB_BAR),
            ("cores", f"{cores:.2f}", f"at most {CORES_BAR}", cores <= CORES_BAR),
            ("events/s", f"{events:.0f}", f"{EVENTS:.0f}", events >= NEAR * EVENTS),
            (f"first whale {self.where}", shown, f"within {WHALE_BAR:.0f} s", (self.whale or 1e9) <= WHALE_BAR),
        )
        return [
            f"\n**The small machine**: {what}, {how}\n",
            "| part | MiB | cores |\n|---|---|---|",
            *(f"| {name} | {part.samples[-1][1] / MIB:.0f} | {part.cores(0.0):.2f} |" for name, part in parts.items()),
            "\n| all of them | found | asked | |\n|---|---|---|---|",
            *(f"| {name} | {found} | {bar} | {'met' if met else '**not met**'} |" for name, found, bar, met in bars),
        ]


@contextlib.contextmanager
def running(data: Path, rate: float) -> Generator[tuple[Copy, float]]:
    """A demo that is ready, and when it was started by the monotonic clock; it is stopped at the end."""
    named = {
        "HYDROPHONE_SIMULATOR_RATE": f"{rate:.3g}",
        "HYDROPHONE_SYMBOLS": ",".join(SYMBOLS),
        "HYDROPHONE_VENUES": ",".join(DEFAULT_VENUES),
        **NO_LIMITS,
    }
    started = time.monotonic()
    copy = Copy("demo", data, named)
    try:
        yield copy.wait_ready(START_SECONDS), started
    finally:
        copy.stop()


def find_share(copy: Copy, rate: float) -> float:
    """Return how many of the events that are asked for a rate of the simulator gives."""
    monitor = copy.facts["nats"]["monitor_url"]
    time.sleep(SETTLE_SECONDS)
    before, began = published(monitor), time.monotonic()
    time.sleep(FIND_SECONDS)
    found = (published(monitor) - before) / (time.monotonic() - began)
    progress(f"small: {found:.0f} events/s at {rate:.2g}")
    return found / EVENTS


def next_rate(rate: float, share: float) -> float:
    """Return the rate to try after one that gave a share of the events."""
    return min(FASTEST, max(SLOWEST, rate * min(STEP, max(1 / STEP, 1 / max(share, 0.01)))))


@contextlib.contextmanager
def opened(copy: Copy, started: float) -> Generator[tuple[float | None, str]]:
    """The live market in a browser, signed in; gives the seconds until a whale was shown, and in what.

    Where there is no browser, the answer that the page would show is asked for instead.
    """
    api = copy.facts["api"]
    try:
        chromium = find_chromium()
    except NoBrowserError as error:
        yield wait_whale(copy, started, WHALE_BAR), f"by GET /gpt/whale, without a page ({error})"
        return
    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=chromium, args=["--no-sandbox", "--disable-gpu"])
        page = browser.new_page()
        page.goto(f"{api['url']}/?symbol=BTC")
        page.locator("input[type=password]").first.fill(api["key"])
        page.keyboard.press("Enter")
        page.locator("#whales tr").first.wait_for(timeout=SHOWN_MS)
        yield time.monotonic() - started, "on the page"
        browser.close()


def main() -> list[str]:
    """Measure, and return the table's lines."""
    samples = Samples(SAMPLES)
    samples.begin()
    with tempfile.TemporaryDirectory(prefix="small", ignore_cleanup_errors=True) as folder:
        data, rate = Path(folder) / "data", FIRST_RATE
        progress("small: first start")
        with running(data, rate) as (copy, _):
            rate = next_rate(rate, find_share(copy, rate))
        for last in (False, True):
            progress(f"small: warm start at {rate:.2g}")
            with running(data, rate) as (copy, started), opened(copy, started) as (whale, where):
                share = find_share(copy, rate)
                if last or NEAR <= share <= MOST:
                    for sample in observe(copy, MEASURE_SECONDS, whale):
                        samples.add(sample)
                    return Measured(samples, rate, whale, where).lines()
            rate = next_rate(rate, share)
    raise AssertionError("the last try is measured")
