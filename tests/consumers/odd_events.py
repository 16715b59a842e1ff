"""Odd messages of every kind: each field driven to its extremes, wrong subjects, garbage. Seeded: always the same."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

from contracts.codec import EVENTS, KIND_SUBJECTS
from contracts.instrument import make_instrument
from contracts.market import Event
from contracts.numbers import DAY_NS, INT64_MAX, INT64_MIN
from contracts.schema.routes import CONSOLIDATED
from contracts.subjects import ALL_VENUES

GOLDEN = Path(__file__).parents[1] / "contracts" / "golden"
TINY = "0." + "0" * 35 + "1"
NUMBERS = [
    *("0", "0.000", "-1", "-0", "00012", "1e400", "1_000", " 1", ".5", "NaN", "Infinity", "", None, 1.5, 10**40, []),
    *("9" * size for size in (9, 14, 15, 16, 17, 18, 19, 23, 24, 25, 80, 5000)),
    *(TINY, "0." + "1" * 37, "9" * 24 + "." + "9" * 36, "9" * 15 + "." + "9" * 36, "1" + "0" * 15, "1" + "0" * 18),
]
NAMES = [
    *(
        "",
        None,
        7,
        {},
        "x" * 256,
        "x" * 257,
        "x" * 5000,
        "a\r\nNats-Rollup: all",
        "\x00",
        "\x7f",
        "/",
        ":",
        "BTC/USDT/X",
    ),
    *("\ud800", "币安人生", "\u202e", "BTC/USDT:USDT-xyz", "BTC", "ETH/EUR", "surprise", "²", "9" * 200, "-1"),
]
WHOLES = [0, 1, -1, None, True, "1", 1.5, INT64_MAX, INT64_MIN, 2**63, 10**30, 10**300]
FLAGS = [None, 1, 0, "true", []]
LISTS: list[Any] = [
    *([], [None], [[]], [["1"]], [["1", "2", "3"]], [["0", "1"]], [["1", "-1"]], [["9" * 24, "9" * 24]], {}, "x", None),
    *([[TINY, TINY]], [["1", "1"]] * 2000, ["x"] * 1000, ["x"] * 1001, ["x" * 257], ["\n"], [["1", 2]]),
]


@cache
def _read(path: Path) -> bytes:
    return path.read_bytes()


def golden(model: type[Event], now: int) -> tuple[str, dict[str, Any]]:
    """Give a good message of an event, received now, and its subject."""
    body = json.loads(_read(GOLDEN / f"{model.kind}.v{model.version}.json"))
    body |= {"ts_event": now, "ts_recv": now}
    prefix = KIND_SUBJECTS[model.kind]
    if model.kind == "feed":
        return prefix + body["venue"], body
    if model.kind in {"cluster", "storm"}:
        return prefix + "all.BTC.USD.any", body
    tail = make_instrument(body["venue"], body["symbol"], "").tail
    if model.kind == "alert":
        return f"{prefix}{body['alert']}.{tail}", body
    if model.kind in CONSOLIDATED:
        return prefix + tail.removeprefix(f"{ALL_VENUES}."), body
    return prefix + (f"{body['timeframe']}.{tail}" if model.kind == "candle" else tail), body


def list_odd(kind: str, count: int, now: int, seed: int = 7) -> Iterator[tuple[str, bytes]]:
    """Give (subject, body) pairs, no two alike; of some only the readers or the folds can say whether they are good."""
    rng = random.Random(f"{kind}{seed}")
    subject, good = golden(EVENTS[kind], now)
    for number in range(count):
        body = good | {"id": f"{good['id'][:100]}.odd.{number}", "n": number}
        if "trade_id" in body:
            body["trade_id"] = f"odd{number}"
        chance = rng.random()
        if chance < 0.8:
            for name in rng.sample(sorted(good), rng.choice((1, 1, 1, 2, 3))):
                body[name] = rng.choice(extremes(name, good[name], now))
            yield subject, json.dumps(body).encode("utf-8", "surrogatepass")
        elif chance < 0.9:
            yield _odd_subject(rng, subject, number), json.dumps(body).encode()
        else:
            yield subject, _garbage(rng, json.dumps(body).encode(), number)


def extremes(name: str, value: Any, now: int) -> list[Any]:
    """Give what a field is driven to, by what it holds in a good message."""
    if name.startswith("ts_") or name.endswith("_ts"):
        return [*WHOLES, now - DAY_NS - 1, now - 400 * DAY_NS, now + DAY_NS, now + DAY_NS + 1]
    if isinstance(value, bool):
        return FLAGS
    if isinstance(value, int):
        return WHOLES
    if isinstance(value, list):
        return LISTS
    if value is None or (isinstance(value, str) and value.replace(".", "", 1).isdigit() and not name.endswith("id")):
        return NUMBERS
    return NAMES


def _odd_subject(rng: random.Random, subject: str, number: int) -> str:
    tokens = subject.split(".")
    at = rng.randrange(2, len(tokens))
    word = rng.choice(("=", "=C3=28", "x" * 300, "spot", "260626", "quarter", "any", f"NEW{number}", "A=2FB", "all"))
    return ".".join(rng.choice(([*tokens[:-1]], [*tokens, word], [*tokens[:at], word, *tokens[at + 1 :]])))


def _garbage(rng: random.Random, body: bytes, number: int) -> bytes:
    mark = b"%d" % number
    return rng.choice(
        (
            mark,
            body[: rng.randrange(len(body) - 20)] + mark,
            b'{"x":' + b"[" * 20_000 + b"]" * 20_000 + b"," + body[1:],
            b"[" * 5000 + mark,
            bytes(rng.randrange(256) for _ in range(60)) + mark,
            b'{"venue":"other",' + body[1:],
            body.replace(b'"id": "', b'"id": "\xed\xa0\x80'),
        )
    )
