"""How the checks reach the project, and how they are run.

This is the ONLY file here that names modules of the project or starts its programs. It takes the project from the
current directory (its root) and the project's own interpreter. Where a module or a name has moved, change it in
`Project` and nowhere else. What cannot be imported or driven makes the check WRONG and says why.
"""

from __future__ import annotations

import importlib
import importlib.util
import json
import re
import subprocess
import sys
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from decimal import Decimal
from functools import cache, partial
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path.cwd()))
sys.dont_write_bytecode = True

START = 1_795_600_000  # the virtual clock begins here, seconds UTC
_PLAIN = re.compile(r"-?[0-9]+(\.[0-9]+)?")


class Wrong(Exception):  # noqa: N818 - the checks name it so
    """Something else came than what is right."""


def expect(holds: object, message: str) -> None:
    if not holds:
        raise Wrong(message)


# ---- the project's names, all of them
def _named(module: str, name: str) -> Any:
    return getattr(importlib.import_module(module), name)


class Project:
    venues = staticmethod(lambda: _named("producers.registry", "VENUES"))
    session = staticmethod(lambda: _named("producers.connection.session", "Session"))
    parts = staticmethod(lambda: _named("producers.connection.session", "SessionParts"))
    depth_answer = staticmethod(lambda: _named("producers.connection.interfaces", "DepthAnswer"))
    pace = staticmethod(lambda: _named("runtime.book.books", "BookPace"))
    connection_plan = staticmethod(lambda: _named("producers.venue", "ConnectionPlan"))
    subscription = staticmethod(lambda: _named("producers.venue", "Subscription"))
    decide_price = staticmethod(lambda: _named("consumers.market.price", "decide_price"))
    quoted = staticmethod(lambda: _named("consumers.market.price", "Quoted"))
    ticker = staticmethod(lambda: _named("consumers.market.documents", "make_ticker"))
    split_message = staticmethod(lambda: _named("runtime.nats.lanes.message", "split_message"))
    codec = staticmethod(lambda: importlib.import_module("contracts.codec"))
    decode = ("-m", "producers", "decode")  # the program, behind the interpreter


# ---- python -m producers decode
@dataclass
class Decoded:
    status: int
    events: list[dict[str, Any]]
    stderr: str

    def of(self, kind: str | None = None, *, line: int | None = None) -> list[dict[str, Any]]:
        return [e for e in self.events if kind in (None, e["kind"]) and line in (None, e["line"])]

    def only(self, kind: str, *, line: int) -> dict[str, Any]:
        found = self.of(kind, line=line)
        expect(len(found) == 1, f"line {line}: one {kind} expected, {len(found)} came{self.told}")
        return found[0]

    def clean(self) -> Decoded:
        expect(self.status == 0, f"exit status 0 expected, {self.status} came{self.told}")
        return self

    @property
    def told(self) -> str:
        return f" ({'; '.join(self.stderr.splitlines())[:200]})" if self.stderr.strip() else ""


def decode(frames: Path, venue: str, market: str | None = None) -> Decoded:
    """Decode a file of recorded frames as a user would."""
    command = [sys.executable, *Project.decode, venue, *(["--market", market] if market else [])]
    done = subprocess.run(command, input=frames.read_bytes(), capture_output=True, timeout=120, check=False)
    stderr = done.stderr.decode(errors="replace")
    ran = (
        done.returncode in (0, 1, 2) and "Traceback (most recent call" not in stderr and "No module named" not in stderr
    )
    expect(ran, f"`python {' '.join(command[1:])}` did not run: {' '.join(stderr.split())[-200:]}")
    return Decoded(done.returncode, [json.loads(line) for line in done.stdout.decode().splitlines()], stderr)


# ---- one connection, driven by frames and a virtual clock
@dataclass
class Moment:
    """What followed from one frame (or from time going by)."""

    events: list[Any] = field(default_factory=list)
    told: list[tuple[str, str | None, str | None, str | None]] = field(default_factory=list)  # state channel symbol why
    reseeds: list[str] = field(default_factory=list)

    def of(self, kind: str) -> list[Any]:
        return [event for event in self.events if event.kind == kind]

    def states(self, channel: str) -> list[str]:
        return [state for state, of, _, _ in self.told if of == channel]

    @property
    def book(self) -> Any:
        """The book published last."""
        found = self.of("book")
        return found[-1] if found else None


class Connection:
    """A venue's connection without a socket: frames in; events, feed states and wishes for a new seed out."""

    def __init__(self, venue: str, names: list[str], channels: tuple[str, ...] = ("book",), market: str | None = None):
        self.venue = Project.venues()[venue]
        self.market = market or self.venue.markets[0]
        self.find = cache(partial(self.venue.guess, self.market))
        self.now = 0.0
        self.moments = [Moment()]
        self.published: Counter[str] = Counter()
        self.unread: list[str] = []
        subscription = Project.subscription()
        wanted = tuple(subscription(f"{c}:{n}", c, self.find(n), 30.0) for n in names for c in channels)
        parts = Project.parts()(
            venue=self.venue,
            find=self.find,
            publisher=self,
            on_undecodable=lambda _frame, error: self.unread.append(f"{type(error).__name__}: {error}"),
            pace=Project.pace()(interval=0.0),
        )
        plan = Project.connection_plan()("field", self.market, "ws://field", wanted, ())
        self._inner = Project.session()(plan, parts, self)
        self._inner.open(ts=self.ts, now=self.now, sim=False)

    @property
    def ts(self) -> int:
        return START * 10**9 + round(self.now * 1000) * 10**6

    @property
    def moment(self) -> Moment:
        return self.moments[-1]

    def feed(self, *frames: str, every: float = 1.0) -> list[Moment]:
        """Hand frames over, `every` so many seconds; gives the moment of each."""
        first = len(self.moments)
        for frame in frames:
            self.moments.append(Moment())
            self._inner.on_frame(frame.encode(), self.ts)
            self.wait(every)
        return self.moments[first:]

    def wait(self, seconds: float) -> None:
        self.now = round(self.now + seconds, 3)
        self._inner.tick(ts=self.ts, now=self.now)

    def asks(self) -> int:
        """Return of how many books a snapshot is due now; on the socket they count as requested."""
        due = self._inner.books.take_due(now=self.now)
        for instrument in due if self.venue.book_request is not None else ():
            self._inner.books.on_snapshot_requested(instrument.symbol, now=self.now)
        return len(due)

    def answer(self, name: str, body: str) -> None:
        """Hand a REST depth answer over."""
        answer = Project.depth_answer()(self.find(name), body.encode(), self.ts, False)
        reason = self._inner.on_snapshot(answer, now=self.now)
        expect(reason is None, f"the REST book could not be read: {reason}")

    def all(self) -> Moment:
        """Everything that followed, in one."""
        return Moment(*([x for m in self.moments for x in getattr(m, part)] for part in ("events", "told", "reseeds")))

    # what the project calls back
    def publish(self, event: Any) -> None:
        self.moment.events.append(getattr(event, "event", event))  # a message of the bus has it as a struct

    def write(self, parts: tuple[bytes, ...]) -> None:
        subject, _, body = Project.split_message()(parts)  # what the bus gets, of most messages
        codec = Project.codec()
        self.moment.events.append(codec.decoder(codec.EVENTS[codec.kind_of(subject)]).decode(body))

    def is_ours(self, _symbol: str) -> bool:
        return True

    def publish_state(
        self, state: str, *, channel: str | None, symbol: str | None, reason: str | None, **_more: Any
    ) -> None:
        self.moment.told.append((state, channel, symbol, reason))

    def on_control(self, control: Any) -> None: ...

    def on_event(self, kind: str, symbol: str | None) -> None: ...

    def on_resync(self, symbol: str) -> None:
        self.moment.reseeds.append(symbol)


def plan(venue: str, names: list[str], channels: tuple[str, ...]) -> list[list[str]]:
    """Lay the sockets for these instruments: the keys of each socket's subscriptions."""
    found = Project.venues()[venue]
    instruments = [found.guess(found.markets[0], name) for name in names]
    return [[item.key for item in socket.subscriptions] for socket in found.plan(found.ws_url, instruments, channels)]


def price(*tickers: dict[str, Any]) -> Any:
    """Make one price of what venues say, as the API does; None where there is none."""
    quoted, ticker = Project.quoted(), Project.ticker()
    return Project.decide_price()(
        quoted(
            ticker(symbol="ABC/USD", venue_symbol=None, ts_recv=1, quality="live", sim=False, **said),
            "live",
            "spot",
            "USD",
        )
        for said in tickers
    )


# ---- comparing
def alike(got: Any, wanted: Any) -> bool:
    """Equal; a Decimal stands for its number, written out without an exponent."""
    if isinstance(wanted, Decimal):
        return isinstance(got, str) and _PLAIN.fullmatch(got) is not None and Decimal(got) == wanted
    if isinstance(wanted, (list, tuple)):
        return isinstance(got, (list, tuple)) and len(got) == len(wanted) and all(map(alike, got, wanted))
    return type(got) is type(wanted) and got == wanted


def has(event: Any, **wanted: Any) -> None:
    """The event (as JSON or as the project has it) carries these values."""
    for name, value in wanted.items():
        got = event.get(name, "(absent)") if isinstance(event, dict) else getattr(event, name, "(absent)")
        shown = str(value) if isinstance(value, Decimal) else value
        expect(alike(got, value), f"{name} {shown!r} expected, {got!r} came")


def is_zero(text: str | None) -> bool:
    return text is not None and Decimal(text) == 0


# ---- running
Check = Callable[["Case"], None]


@dataclass
class Case:
    folder: Path

    def decode(self, venue: str, market: str | None = None, *, file: str = "input.jsonl") -> Decoded:
        return decode(self.folder / file, venue, market)

    @property
    def script(self) -> Any:
        """The case's own script: its frames, and how they are handed over."""
        spec = importlib.util.spec_from_file_location(f"field_{self.folder.name[:2]}", self.folder / "script.py")
        module = importlib.util.module_from_spec(spec)  # type: ignore[arg-type]
        spec.loader.exec_module(module)  # type: ignore[union-attr]
        return module


def judge(root: Path, checks: dict[str, Check], chosen: list[str]) -> tuple[int, int]:
    """Run the chosen checks (all, if none is named), a line each; gives how many are right, and of how many."""
    names = [name for name in sorted(checks) if not chosen or any(name.startswith(text) for text in chosen)]
    right = 0
    for name in names:
        try:
            checks[name](Case(root / name))
        except Wrong as wrong:
            print(f"{name}: WRONG: {wrong}", flush=True)
        except Exception as error:  # noqa: BLE001 - whatever stops a check is printed
            print(
                f"{name}: WRONG: the check could not be run: {type(error).__name__}: {error}".replace("\n", " "),
                flush=True,
            )
        else:
            right += 1
            print(f"{name}: ok", flush=True)
    return right, len(names)
