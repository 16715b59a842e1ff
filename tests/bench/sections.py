"""What is measured: a plan for each section, made of rows and what each side is asked for them."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from importlib.util import find_spec
from typing import Any

from tests.bench import children, past, recordings
from tests.bench.harness import Ask, Plan, Setting
from tests.bench.recordings import Job
from tests.bench.sides.ours import COMPILED
from tests.bench.table import Row

CHAIN_TARGETS = {
    "trades": {"cryptofeed": 3.8, "ccxt": 12.0},
    "mix": {"cryptofeed": 3.5, "ccxt": 8.0},
    "books": {"cryptofeed": 4.2, "ccxt": 6.0},
}
COMPILED_TARGETS = {"mix": {"cryptofeed": 4.5}, "books": {"cryptofeed": 9.0}}
RAW_TARGETS = {"mix": {"cryptofeed": 5.0}, "books": {"cryptofeed": 15.0}}
PURE_PYTHON, RAW_DELTAS = "ours, pure Python", "ours, raw deltas"
COUNTED = {"trades": 1500, "mix": 1500, "books": 220, "book": 60}  # frames: instructions do not need more of them
TRADES_3X = {"binance", "okx", "bybit"}
RATES = (1000, 5000, 20_000)
CLIENTS = 500  # of the stream


@cache
def compiled() -> bool:
    """Whether what is compiled is built here."""
    try:
        return all(find_spec(name) is not None for name in COMPILED)
    except ModuleNotFoundError:
        return False


def _frames(setting: Setting, job: Job, seconds: float) -> dict[str, Any]:
    part = None if setting.counting is None else COUNTED.get(job.channel, 200)
    return {"job": setting.path(job), "nats": setting.nats, "seconds": seconds, "part": part}


def _decode_target(job: Job) -> dict[str, float]:
    if not job.compared:
        return {}
    return {"cryptofeed": 3.0 if job.channel == "trade" and job.label in TRADES_3X else 1.5}


def decode(setting: Setting) -> Plan:
    """Frame bytes to event bytes."""
    plan = Plan("Frame bytes to event bytes, books kept and verified", "microseconds of CPU a frame")
    for job in setting.decode:
        about = _frames(setting, job, 0.05)
        asks = [Ask(side, "decode", about) for side in setting.names() if side == "ours" or side in job.peers]
        plan.add(Row(f"{job.label}: {job.channel}", _decode_target(job)), asks)
    plan.notes.append("Events: cryptofeed's to_dict as its own JSON; CCXT's result by orjson, a book as its best ten.")
    return plan


def publish(setting: Setting) -> Plan:
    """Frames to the bus without a socket."""
    plan = Plan("Frame bytes to published events, no socket", "microseconds of CPU a frame")
    for job in (job for job in setting.decode if job.venue in {"binance", "okx"}):
        about = _frames(setting, job, 0.1)
        plan.add(Row(f"{job.label}: {job.channel}"), [Ask(side, "publish", about) for side in setting.names()])
    return plan


def chain(setting: Setting) -> Plan:
    """WebSocket to bus on one core."""
    plan = Plan("WebSocket frame to bus, one process", "microseconds of CPU a frame")
    for job in setting.chain:
        about: dict[str, Any] = {"job": setting.path(job), "nats": setting.nats, "client": "picows"}
        if setting.counting:
            about["frames"] = min(COUNTED.get(job.label, 200), len(job.frames))
        player, peers = children.player(setting.path(job), "frames"), children.player(setting.path(job), "peer_frames")
        asks = [Ask("ours", "chain", about, server=player)]
        asks.append(Ask("ours", "chain", {**about, "client": "websockets"}, "ours, websockets", player))
        if compiled():
            asks.append(Ask("python", "chain", about, PURE_PYTHON, player))
        if job.rest:
            asks.append(Ask("ours", "chain", {**about, "books_elsewhere": True}, RAW_DELTAS, player))
        asks += [Ask(name, "chain", about, server=peers) for name in setting.peers.names]
        plan.add(Row(job.label, *_chain_targets(job.label)), asks)
    plan.notes += [
        "Several instruments on one connection, each with the recorded frames; books are seeded before.",
        "No snapshots of books are published meanwhile: `books` has what they cost.",
    ]
    if not compiled():
        plan.notes.append("Nothing is compiled here: ours is pure Python.")
    return plan


def _chain_targets(label: str) -> tuple[dict[str, float], dict[str, dict[str, float]]]:
    python, built = CHAIN_TARGETS.get(label, {}), COMPILED_TARGETS.get(label, {})
    raw = {RAW_DELTAS: RAW_TARGETS.get(label, {})}
    if not compiled():
        return python, raw
    return {**python, **built}, {PURE_PYTHON: python, **raw}


def latency(setting: Setting) -> Plan:
    """How long a message is on its way."""
    title = "Frame in to event read from the bus (bare: nats-py publish to callback)"
    plan = Plan(title, "milliseconds", counts=False)
    job = next(job for job in setting.decode if job.channel == "trade")
    for rate in RATES:
        targets = {"bare nats-py": 2.0} if rate == RATES[-1] else {}
        rows = {name: Row(f"{rate}/s {name}", dict(targets), at_most=True) for name in ("p50", "p99")}
        about = {"nats": setting.nats, "rate": rate, "seconds": 1.0, "job": setting.path(job), "bytes": 330}
        asks = [Ask("ours", "lane", about), Ask("ours", "echo", about, "bare nats-py")]
        asks += [Ask(side, "lane", about) for side in setting.names() if side == "cryptofeed"]
        plan.entries.append((rows, asks))
    plan.notes.append(
        "Ours decodes a frame, publishes it, decodes the event again; bare nats-py carries as many bytes."
    )
    return plan


def consume(setting: Setting) -> Plan:
    """What an event costs its consumer."""
    plan = Plan("An event read by a consumer", "microseconds of CPU an event", per="an event")
    counts = (4000, 800) if setting.counting else (20_000, 3000)
    for name, fold in (("decode only", "decode"), ("candles", "candles"), ("candles and whales", "both")):
        asks = [
            Ask(side, do, {"nats": setting.nats, "venue": venue, "fold": fold, "count": count}, column, sender)
            for side, do, venue, count, column in (
                ("ours", "consume", "binance", counts[0], ""),
                ("reader", "consume_faststream", "okx", counts[1], "FastStream, idle"),
            )
            for sender in [children.sender(setting.nats, venue)]
        ]
        plan.add(Row(name, {"FastStream, idle": 15.0} if fold == "both" else {}), asks)
    return plan


def books(setting: Setting) -> Plan:
    """What a book costs beside its decoding: ours alone, compiled beside Python where it is built."""
    plan = Plan("A book's parts", "microseconds of CPU", per="each")
    jobs = [job for job in setting.decode if job.channel == "book" and job.compared]
    for name, do, more in (
        ("a delta folded", "fold", {}),
        ("a snapshot published", "snapshot", {}),
        ("10 deltas", "second", {"snapshots": False}),
        ("10 deltas and 4 snapshots", "second", {"snapshots": True}),
    ):
        for job in jobs if not more else jobs[:1]:
            about = {**_frames(setting, job, 0.1), **more}
            python = [Ask("python", do, about, "pure Python")] if compiled() else []
            targets = {"pure Python": 5.0} if do == "snapshot" and job is jobs[0] else {}
            plan.add(Row(f"{name}: {job.label}", targets), [Ask("ours", do, about), *python])
    return plan


def memory(setting: Setting) -> Plan:
    """The memory of many books."""
    plan = Plan("Memory added by 200 books of 1000 levels a side", "megabytes", counts=False)
    if not recordings.available():
        plan.notes.append("Not measured: it needs the recorded book.")
        return plan
    about = {"job": str(recordings.many_books().save(setting.work / "jobs")), "nats": setting.nats}
    asks = [Ask("ours", "memory", about, fresh=True)]
    variants: dict[str, dict[str, float]] = {}
    if compiled():
        asks.append(Ask("python", "memory", about, PURE_PYTHON, fresh=True))
        variants[PURE_PYTHON] = {"cryptofeed": 0.5}
    asks += [Ask(side, "memory", about, fresh=True) for side in setting.peers.names if side == "cryptofeed"]
    plan.add(Row("200 books", {"cryptofeed": 0.2 if compiled() else 0.5}, variants, at_most=True), asks)
    return plan


def scale(setting: Setting) -> Plan:
    """Ten times the instruments at the same rate of messages."""
    plan = Plan("Trades and tickers of 400 instruments, WebSocket to bus", "microseconds of CPU a frame")
    if not recordings.available():
        plan.notes.append("Not measured: it needs the recorded frames.")
        return plan
    asks: list[Ask] = []
    for count, column in ((400, "ours"), (40, "40 instruments")):
        job = str(recordings.spread(count).save(setting.work / "jobs"))
        about: dict[str, Any] = {"job": job, "nats": setting.nats, "client": "picows"}
        if setting.counting:
            about["frames"] = 4000
        asks.append(Ask("ours", "chain", about, column, children.player(job, "frames")))
    plan.add(Row("400 instruments", {"40 instruments": 1.15}, at_most=True), asks)
    return plan


def http(setting: Setting) -> Plan:
    """A hot GET and the stream's fan-out."""
    plan = Plan("The API: an answer of /gpt/raw, a message to one of many clients", "microseconds of CPU", per="each")
    driver = children.driver(setting.nats)
    count = 300 if setting.counting else 900  # a minute's limit of one address is 1000
    about: dict[str, Any] = {"nats": setting.nats, "count": count}
    asks = [
        Ask("http-ours", "get_raw", about, "ours", driver),
        Ask("http-reference", "get_fastapi", about, "FastAPI", driver),
    ]
    plan.add(Row("GET /gpt/raw", {"FastAPI": 2.0}), asks)
    fresh = setting.counting is not None  # 500 clients that join a process which is counted already take minutes
    for name, size, target in (("a message", 1, 4.0), ("ten at once", 10, 20.0)):
        about = {"nats": setting.nats, "clients": CLIENTS, "bursts": 10 if fresh else 200 // size, "size": size}
        starlette = {**about, "bursts": 10 if fresh else 200, "size": 1}
        asks = [
            Ask("http-ours", "fan_out", about, "ours", driver, fresh=fresh),
            Ask("http-reference", "fan_out_starlette", starlette, "Starlette", driver, fresh=fresh),
        ]
        plan.add(Row(f"fan-out to {CLIENTS} clients, {name}", {"Starlette": target}), asks)
    plan.notes += [
        "FastAPI: a route with a response model, the same document, no key, no limits, no bus, no access log.",
        "Starlette: a loop of send_text over the clients, one message at a time; ours also with key, access log, bus.",
    ]
    return plan


def webhooks(setting: Setting) -> Plan:
    """A post to a receiver."""
    plan = Plan("A webhook posted over a kept connection", "microseconds of CPU a post", per="a post")
    count = 200 if setting.counting else 2000
    for name, do, targets in (
        ("the transport alone", "post_bare", {"httpx": 5.0, "aiohttp": 1.5}),
        ("body, signatures and post", "post_signed", {"httpx": 5.0}),
    ):
        about = {"count": count}
        asks = [
            Ask("hooks-ours", do, about, "ours", children.receiver()),
            Ask("hooks-httpx", "post_httpx", about, "httpx", children.receiver()),
            Ask("hooks-aiohttp", "post_aiohttp", about, "aiohttp", children.receiver()),
        ]
        plan.add(Row(name, targets), asks)
    if not setting.counting:  # with a bus and documents of its own
        about = {"count": 1000}
        asks = [Ask("hooks-ours", "deliver", about, "ours", children.receiver())]
        asks.append(Ask("hooks-httpx", "post_httpx", {"count": 2000}, "httpx", children.receiver()))
        plan.add(Row("an event delivered from a backlog, and kept", {"httpx": 5.0}), asks)
    plan.notes.append("httpx, aiohttp: a bare POST of the same bytes, headers made before; 4 at once on 4 connections.")
    return plan


def webhook_delay(setting: Setting) -> Plan:
    """How long an event is on its way to its receiver."""
    plan = Plan("An event on the bus to its POST at the receiver", "milliseconds", counts=False)
    rows = {name: Row(f"one at a time {name}", at_most=True) for name in ("p50", "p99")}
    plan.entries.append((rows, [Ask("hooks-ours", "delay", {"count": 100, "nats": setting.nats}, "ours")]))
    plan.notes.append("Matched, written to the embedded documents (synced), queued (synced), signed, posted.")
    return plan


SECTIONS: dict[str, Callable[[Setting], Plan]] = {  # the longest last: what is not measured in time is of these
    "chain": chain,
    "books": books,
    "memory": memory,
    "scale": scale,
    "consume": consume,
    "http": http,
    "webhooks": webhooks,
    "webhook_delay": webhook_delay,
    "past": past.past,
    "recording": past.recording,
    "latency": latency,
    "decode": decode,
    "publish": publish,
}
