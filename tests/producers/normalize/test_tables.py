"""Tables of plain frames: what they read themselves, what they leave to the venue's function, and figures made in C."""

from __future__ import annotations

import json
import random
from decimal import Decimal
from typing import Any
from zlib import crc32

import pytest

from contracts.errors import FrameError
from contracts.instrument import Instrument, make_instrument
from producers.normalize import numbers, sizes
from producers.normalize.events import Makers
from producers.normalize.tables import (
    FRAME,
    TIME,
    Table,
    Value,
    amount,
    chosen,
    coins,
    date,
    ident,
    integer,
    percent,
    price,
    signed,
    time,
)
from producers.normalize.writing import is_compiled

pytestmark = pytest.mark.skipif(not is_compiled(), reason="not built here")
NOW = 1_800_000_000_000_000_000
SPOT = make_instrument("kraken", "BTC/USD", "BTC/USD")
STAMP = {"id": ident("ts", FRAME), "ts_event": time("ts", 1_000_000)}


class LeftError(Exception):
    """What is raised where the venue's function would read."""


def left(frame: bytes, ts_recv: int) -> Any:
    raise LeftError(frame, ts_recv)


def read(table: Table, frame: dict[str, Any] | str, instrument: Instrument = SPOT, kind: str = "ticker") -> Any:
    """Return the event of a frame."""
    make = Makers(sim=False, written=True).maker(kind, instrument)
    text = frame if isinstance(frame, str) else json.dumps(frame)
    (message,) = table.reader(left, ((make, "a."),), instrument)(text.encode(), NOW)
    return message.event


def of(**values: Value) -> Table:
    return Table((STAMP | values,))


PLAIN = '{"ts": 5, "x": "1.50", "y": {"x": [1, {"z": null}, true]}, "e": 1.5e+3}'


def test_a_plain_frame_is_read_without_the_venues_function() -> None:
    event = read(of(last=price("x")), PLAIN)
    assert (str(event.last), event.ts_event, event.ts_recv) == ("1.50", 5_000_000, NOW)
    assert event.id == f"a.5-{crc32(PLAIN.encode()):08x}"


@pytest.mark.parametrize(
    "frame",
    [
        *("", "[]", "{}", "{", PLAIN[:-1], PLAIN + "}", PLAIN + "\x00", PLAIN.replace(":", "", 1), "nul", PLAIN * 2),
        *(
            PLAIN.replace('"1.50"', odd)
            for odd in ("1.50", "null", "true", '"0"', '"01"', '".5"', '"1."', '"-1"', '""')
        ),
        *(
            PLAIN.replace('"1.50"', f'"{odd}"')
            for odd in ("1e5", "9" * 25, "1." + "1" * 37, "\\u0031", "é", "\x01", "1\n")
        ),
        *(
            PLAIN.replace("5,", odd, 1)
            for odd in ("-5,", "5.0,", "0,", "null,", '"5",', "05,", "9223372036855,", "1e3,")
        ),
        PLAIN.replace('"y"', '"x"'),  # a key twice
        PLAIN.replace("true", "tru"),
        PLAIN.replace("true", "[" * 40 + "]" * 40),
        PLAIN.replace("1.5e+3", "1.5e+"),
    ],
)
def test_what_is_not_plain_is_left_to_the_venues_function(frame: str) -> None:
    with pytest.raises(LeftError):
        read(of(last=price("x")), frame)


def test_null_absent_and_zero_are_null_where_they_may_be() -> None:
    table = of(
        last=price("x", or_null=True), bid=price("b", or_null=True), bid_amount=amount("c", or_null=True, of_price="b")
    )
    for given in ({}, {"x": None}, {"x": ""}, {"x": "0.00", "b": "0", "c": "5"}):
        event = read(table, {"ts": 5} | given)
        assert (event.last, event.bid, event.bid_amount) == (None, None, None)
    with pytest.raises(LeftError):
        read(table, {"ts": 5, "b": "0", "c": "no number"})


def test_checks_words_and_rows() -> None:
    row = {"id": ident("rows[].i"), "trade_id": Value(0, "rows[].i"), "price": price("rows[].p")}  # pyright: ignore[reportArgumentType]
    row |= {
        "ts_event": time("ts", 1),
        "side": chosen("rows[].m", {True: "sell", False: "buy"}),
        "seq": integer("rows[].n"),
    }
    table = Table((row,), checks=(chosen("type", {"update": None}),))
    makers = ((Makers(sim=False, written=True).maker("trade", SPOT), "a."),)
    rows = [{"i": "7", "p": "2", "m": True, "n": 3}, {"i": "8", "p": "3", "m": False, "n": 4}]
    decode = table.reader(left, makers)
    found = decode(json.dumps({"ts": 5, "type": "update", "rows": rows}).encode(), NOW)
    assert [message.detail for message in found] == [("7", 3), ("8", 4)]
    assert [message.event.side for message in found] == ["sell", "buy"]
    odd = [
        {"ts": 5, "type": "x", "rows": rows},
        {"ts": 5, "type": "update", "rows": []},
        {"type": "update", "rows": rows, "ts": 5},
    ]
    for frame in (*odd, {"ts": 5, "type": "update", "rows": [*rows, {}]}):
        with pytest.raises(LeftError):
            decode(json.dumps(frame).encode(), NOW)


ONLY = '{"ts": 5, "a": [ {"x": "1", "b": [{"y": "2"}]} ] }'


def test_a_path_may_lead_through_lists_of_one() -> None:
    event = read(of(last=price("a[0].x"), bid=price("a[0].b[0].y")), ONLY)
    assert (event.last, event.bid) == ("1", "2")


@pytest.mark.parametrize(
    "rows",
    ['{"y": "2"}, {"y": "3"}', "", "2", '{"y": "2"}, 3', '{"y": "2"},', '[{"y": "2"}]', '{"y": "2"}}'],
)
def test_a_list_that_is_not_of_one_is_left_to_the_venues_function(rows: str) -> None:
    table = of(last=price("a[0].x"), bid=price("a[0].b[0].y", or_null=True))
    for frame in (ONLY.replace('{"y": "2"}', rows), ONLY.replace('[{"y": "2"}]', '{"y": "2"}'),
                  ONLY.replace("} ]", '}, {"x": "4"} ]'), ONLY.replace('"b"', '"b": [{"y": "2"}], "b"')):  # fmt: skip
        with pytest.raises(LeftError):
            read(table, frame)


@pytest.mark.parametrize(
    ("text", "ns"),
    [
        ("2026-09-21T14:13:21.897590Z", 1_790_000_001_897_590_000),
        ("2024-02-29T00:00:00Z", 1_709_164_800_000_000_000),
        ("2000-12-31T23:59:59.999999999Z", 978_307_199_999_999_999),
        *(
            (odd, None)
            for odd in ("2023-02-29T00:00:00Z", "2024-13-01T00:00:00Z", "2024-01-01T24:00:00Z", "2024-01-01")
        ),
        *(
            (odd, None)
            for odd in ("2024-01-01T00:00:00", "2024-01-01T00:00:00.Z", "2024-01-01 00:00:00Z", "0001-01-01T00:00:00Z")
        ),
    ],
)
def test_dates(text: str, ns: int | None) -> None:
    table = Table(({"id": ident(TIME), "ts_event": date("t")},))
    if ns is None:
        with pytest.raises(LeftError):
            read(table, {"t": text})
    else:
        assert (read(table, {"t": text}).ts_event, read(table, {"t": text}).id) == (ns, f"a.{ns}")


def drawn(rng: random.Random, digits: int = 12) -> str:
    whole, behind = rng.randrange(10 ** rng.randint(1, digits)), rng.randint(0, 8)
    return f"{whole}.{rng.randrange(10**behind):0{behind}}" if behind else str(whole)


def expected(make: Any, *given: Any) -> Any:
    try:
        return make(*given)
    except FrameError:
        return "refused"


def test_coins_percents_and_exponents_are_those_of_the_python_form() -> None:
    rng, compared = random.Random(7), 0
    for _ in range(3000):
        size, worth, at = drawn(rng), drawn(rng, 3), drawn(rng, 6)
        inverse = rng.random() < 0.5
        symbol = "BTC/USD:BTC" if inverse else "BTC/USDT:USDT"
        contract_size = rng.choice((worth, "10", "0.001", None))
        instrument = make_instrument("okx", symbol, "X", contract_size=contract_size, sized_in_contracts=True)
        exponent = f"{drawn(rng, 2)}e-{rng.randint(0, 9):02}"
        fraction = rng.choice(("", "-")) + drawn(rng, 2)
        cases = [
            (
                coins("x", of_price="p" if inverse else ""),
                size,
                sizes.amount,
                (instrument, size, at if Decimal(at) else None),
            ),
            (percent("x"), fraction, numbers.percent, (fraction,)),
            (signed("x", text=False), exponent, numbers.plain, (exponent, "x")),
        ]
        for value, text, make, given in cases:
            raw = json.dumps(text) if value.form == ord("s") else text
            try:
                event = read(of(change_24h=value), f'{{"ts":5,"x":{raw},"p":"{at}"}}', instrument)
            except LeftError:
                continue
            compared += 1
            wanted = expected(make, *given)
            assert event.change_24h == wanted, (text, given)
    assert compared > 8000
