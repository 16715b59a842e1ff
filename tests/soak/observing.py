"""Watches a running copy: what its parts take, what is published, when a whale is shown; every sample to a file."""

from __future__ import annotations

import json
import re
import time
import urllib.request
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Final

from deploy.parts import METRICS_AFTER
from tests.e2e.conftest import Copy
from tests.soak.measuring import Part, Taken, find_parts
from tests.soak.profile import Uses, find_uses

EACH_SECONDS: Final = 5.0
PRODUCERS: Final = "producers"  # the name of their connections
CONSUMERS: Final = "consumers"
BUS: Final = "nats-server"
_KEPT: Final = re.compile(r'^hydrophone_consumer_kept_bytes\{consumer="(\w+)",kind="(\w+)"\} (\S+)$', re.MULTILINE)


@dataclass(frozen=True)
class Sample:
    """A moment: seconds since the begin, what each part takes, messages so far."""

    at: float
    parts: dict[str, Taken]
    published: int
    streamed: int
    whale: float | None = None  # seconds from the start of the copy until one was shown
    # bytes of what a part is known to keep, by part and kind
    kept: dict[str, dict[str, int]] = field(default_factory=dict[str, dict[str, int]])
    in_use: int = 0  # bytes of the bus, by its own profile


@dataclass
class Samples:
    """Samples in their order, each written to a file at once, so that a run that is ended has its table."""

    path: Path
    all: list[Sample] = field(default_factory=list[Sample])

    def begin(self) -> None:
        """Make the file empty."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self.path.write_text("")

    def add(self, sample: Sample) -> None:
        """Add one."""
        self.all.append(sample)
        with self.path.open("a") as file:
            file.write(json.dumps(asdict(sample)) + "\n")

    def parts(self) -> dict[str, Part]:
        """Return what each part took by when."""
        found: dict[str, Part] = {}
        for sample in self.all:
            for name, taken in sample.parts.items():
                part = found.setdefault(name, Part())
                part.samples.append((sample.at, taken.size))
                part.own.append((sample.at, taken.own))
                part.used.append((sample.at, taken.used))
        return found

    def kept(self) -> dict[str, Part]:
        """Return what parts are known to keep, by kind."""
        found: dict[str, Part] = {}
        for sample in self.all:
            for kinds in sample.kept.values():
                for name, size in kinds.items():
                    found.setdefault(name, Part()).own.append((sample.at, size))
        return found

    def rest(self, name: str) -> Part:
        """Return what a part took beyond what it is known to keep; nothing where nothing is known.

        Of the bus it is what is in use: what its collector has not given back goes up and down by more than that.
        """
        known = [(one, one.in_use if name == BUS else one.parts[name].own) for one in self.all if one.kept.get(name)]
        return Part(own=[(one.at, size - sum(one.kept[name].values())) for one, size in known])

    def rate(self, name: str, since: float, until: float = float("inf")) -> float:
        """Return messages a second between two moments: `published` by producers, or `streamed`."""
        found = [one for one in self.all if since <= one.at <= until]
        if len(found) < 2:
            return 0.0
        return (getattr(found[-1], name) - getattr(found[0], name)) / (found[-1].at - found[0].at)


def read_samples(path: Path) -> Samples:
    """Return the samples of a file; the last line may be half."""
    found: list[Sample] = []
    for line in path.read_text().split("\n")[:-1]:
        given = json.loads(line)
        parts = {name: Taken(**taken) for name, taken in given.pop("parts").items()}
        found.append(Sample(parts=parts, **given))
    return Samples(path, found)


def ask_monitor(monitor: str, what: str) -> dict[str, Any]:
    """Return what the bus's monitor answers."""
    with urllib.request.urlopen(f"{monitor}/{what}", timeout=10) as answer:
        monitored: dict[str, Any] = json.load(answer)
    return monitored


def streamed(monitor: str) -> int:
    """Return how many messages all streams have taken."""
    accounts = ask_monitor(monitor, "jsz?accounts=true&streams=true").get("account_details", [])
    streams = [one for account in accounts for one in account.get("stream_detail", [])]
    return sum(one["state"]["last_seq"] for one in streams if not one["name"].startswith("KV_"))


def published(monitor: str) -> int:
    """Return how many messages the producers' connections have sent to the bus, streams or not."""
    connections = ask_monitor(monitor, "connz?limit=1024")["connections"]
    return sum(one["in_msgs"] for one in connections if one.get("name") == PRODUCERS)


def find_kept(port: int) -> dict[str, int]:
    """Return what consumers say that they keep, by consumer and kind; nothing where they do not answer in time."""
    place = f"http://127.0.0.1:{port + METRICS_AFTER[CONSUMERS]}/metrics"
    try:
        with urllib.request.urlopen(place, timeout=5) as answer:
            text = answer.read().decode()
    except OSError:
        return {}
    return {f"{consumer} {kind}": int(float(size)) for consumer, kind, size in _KEPT.findall(text)}


def find_used(port: int) -> Uses:
    """Return what the bus uses its memory for; nothing where it does not answer in time."""
    try:
        return find_uses(port)
    except OSError:
        return Uses({}, 0)


def shows_whale(api: str, key: str) -> bool:
    """Return whether the API shows a whale trade of BTC, as the page does; False where it does not answer."""
    request = urllib.request.Request(f"{api}/gpt/whale?symbol=BTC", headers={"Authorization": f"Bearer {key}"})
    try:
        with urllib.request.urlopen(request, timeout=5) as answer:
            return bool(json.load(answer)["data"])
    except OSError:
        return False


def wait_whale(copy: Copy, started: float, most: float) -> float | None:
    """Return how many seconds after the copy's start (monotonic time) a whale is shown; None after `most` of them."""
    api = copy.facts["api"]
    while not (shown := shows_whale(api["url"], api["key"])) and time.monotonic() - started < most:
        time.sleep(0.5)
    return time.monotonic() - started if shown else None


def observe(copy: Copy, seconds: float, whale: float | None, ports: tuple[int, int] | None = None) -> Iterator[Sample]:
    """Give a sample of a running copy every five seconds; `whale` as `wait_whale` says.

    `ports`: its first one of metrics, and where its bus says what it uses memory for.
    """
    monitor = copy.facts["nats"]["monitor_url"]
    began = time.monotonic()
    while (at := time.monotonic() - began) < seconds:
        if copy.process.poll() is not None:
            raise SystemExit(f"the copy ended: {copy.log.read_text()[-2000:]}")
        uses = Uses({}, 0) if ports is None else find_used(ports[1])
        kept = {CONSUMERS: {} if ports is None else find_kept(ports[0]), BUS: uses.blocks}
        yield Sample(at, find_parts(copy.pids()), published(monitor), streamed(monitor), whale, kept, uses.all)
        time.sleep(max(0.0, EACH_SECONDS - (time.monotonic() - began - at)))
