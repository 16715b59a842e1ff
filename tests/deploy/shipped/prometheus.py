"""A real Prometheus that scrapes a copy running on this machine, with the shipped rules."""

from __future__ import annotations

import json
import shutil
import subprocess
import time
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from runtime.servers.embedded import free_port

PROMETHEUS = shutil.which("prometheus")
START_SECONDS = 60.0
SCRAPE = "5s"  # a scrape may take as long: on a busy machine a second is often too short


@dataclass(frozen=True)
class Prometheus:
    """Its HTTP API."""

    client: httpx.Client

    def ask(self, path: str, **parameters: str) -> Any:
        return self.client.get(f"/api/v1/{path}", params=parameters).raise_for_status().json()["data"]

    def query(self, query: str) -> list[Any]:
        """The series that a query gives now."""
        return self.ask("query", query=query)["result"]

    def firing(self) -> set[str]:
        """The names of the alerts that fire."""
        return {one["labels"]["alertname"] for one in self.ask("alerts")["alerts"] if one["state"] == "firing"}

    def down(self) -> set[str]:
        """The jobs that do not answer."""
        return {one["labels"]["job"] for one in self.ask("targets")["activeTargets"] if one["health"] != "up"}

    def until(self, check: Any, seconds: float) -> bool:
        deadline = time.monotonic() + seconds
        while not check():
            if time.monotonic() > deadline:
                return False
            time.sleep(0.5)
        return True


@contextmanager
def scraping(place: Path, targets: Mapping[str, str], rules: Path) -> Generator[Prometheus]:
    """Scrape `targets` (addresses by job) every few seconds and evaluate a file of rules each second."""
    place.mkdir(parents=True, exist_ok=True)
    config = {
        "global": {"scrape_interval": SCRAPE, "evaluation_interval": "1s"},
        "rule_files": [str(rules)],
        "scrape_configs": [
            {"job_name": job, "static_configs": [{"targets": [address]}]} for job, address in targets.items()
        ],
    }
    (place / "prometheus.yml").write_text(json.dumps(config))  # which is YAML too
    address = f"127.0.0.1:{free_port()}"
    command = [str(PROMETHEUS), f"--config.file={place / 'prometheus.yml'}", f"--storage.tsdb.path={place / 'tsdb'}"]
    with (place / "log").open("wb") as log:
        process = subprocess.Popen([*command, f"--web.listen-address={address}"], stdout=log, stderr=log)
    try:
        with httpx.Client(base_url=f"http://{address}", timeout=20) as client:
            deadline = time.monotonic() + START_SECONDS
            while True:
                try:
                    if client.get("/-/ready").is_success:
                        break
                except httpx.HTTPError:
                    pass
                assert process.poll() is None, (place / "log").read_text()[-2000:]
                assert time.monotonic() < deadline, (place / "log").read_text()[-2000:]
                time.sleep(0.1)
            yield Prometheus(client)
    finally:
        process.terminate()
        process.wait(20)


def targets_of(facts: Mapping[str, Any], metrics_port: int) -> dict[str, str]:
    """Where a copy's parts serve their figures, by the job that the shipped configuration gives them."""
    return {
        **{
            job: f"127.0.0.1:{metrics_port + after}"
            for job, after in (("producers", 0), ("consumers", 1), ("healer", 3))
        },
        **{job: facts[job]["url"].removeprefix("http://") for job in ("api", "bot")},
    }
