"""The whole product as a user starts it: the launcher, its parts, its facts in run.json."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
START_SECONDS = 90
CALM = {"HYDROPHONE_SIMULATOR_RATE": "0.25", "HYDROPHONE_SYMBOLS": "BTC,ETH"}  # other tests run beside it
NO_LIMITS = {"GPT_API_RATE_LIMIT_REQUESTS": "100000", "GPT_API_RATE_LIMIT_IP": "100000"}  # tests ask all at once


class Copy:
    """One running copy."""

    def __init__(self, mode, data, env=None, log=None):
        self.data = data
        self.log = log or data.with_suffix(".log")
        keep = {name: value for name, value in os.environ.items() if not name.startswith(("GPT_API_", "HYDROPHONE_"))}
        self.process = subprocess.Popen(
            [sys.executable, "-m", "deploy.launch", mode],
            cwd=ROOT,
            env={**keep, "HYDROPHONE_DATA": str(data), **CALM, **(env or {})},
            stdout=self.log.open("wb"),
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        self.facts = {}

    def wait_ready(self, seconds: float = START_SECONDS):
        deadline = time.monotonic() + seconds
        path = self.data / "run.json"
        while not path.exists():
            assert self.process.poll() is None, f"the launcher ended: {self.log.read_text()[-3000:]}"
            assert time.monotonic() < deadline, f"not ready: {self.log.read_text()[-3000:]}"
            time.sleep(0.1)
        self.facts = json.loads(path.read_text())
        return self

    def pids(self):
        """Every process that was started for this copy: all of them know its data directory."""
        found = []
        for place in Path("/proc").glob("[0-9]*"):
            try:
                known = (place / "environ").read_bytes() + (place / "cmdline").read_bytes()
            except OSError:
                continue
            if str(self.data).encode() in known:
                found.append(int(place.name))
        return found

    def stop(self):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)
        status = self.process.wait(30)
        assert self.refused() == set(), "contracts/users/declared.py lacks what a part needs"
        return status

    def refused(self):
        """What the bus refused its parts, by user and subject."""
        text = (self.data / "logs" / "bus.log").read_text() if (self.data / "logs" / "bus.log").exists() else ""
        return set(re.findall(r'HYDROPHONE/user:([\w-]+)" - (\w+ Violation - Subject "[^"]+")', text))


@pytest.fixture(scope="module")
def demo(tmp_path_factory):
    copy = Copy("demo", tmp_path_factory.mktemp("demo") / "data", NO_LIMITS).wait_ready()
    yield copy
    if copy.process.poll() is None:
        copy.stop()


@pytest.fixture
def start(tmp_path):
    """Start further copies; they are stopped at the end of the test."""
    copies = []

    def begin(mode, env=None):
        copies.append(Copy(mode, tmp_path / f"copy{len(copies)}", env))
        return copies[-1]

    yield begin
    for copy in copies:
        copy.stop()
