"""One contract, two codecs: for every event pydantic and the fast codec read and write the same bytes, refuse alike."""

from __future__ import annotations

import importlib
import json
import pkgutil
import tracemalloc
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import BaseModel, ValidationError

import contracts
from contracts.codec import (
    EVENTS,
    KIND_SUBJECTS,
    MOST_AHEAD_NS,
    decode,
    decoder,
    encode,
    fast,
    kind_of,
    schema_of,
)
from contracts.instrument import make_instrument
from contracts.market import INT64_MAX, INT64_MIN, Event
from contracts.schema.checking import check
from contracts.schema.routes import CONSOLIDATED
from tests.contracts.model_strategies import WRONG, events

MODELS = sorted(EVENTS.values(), key=lambda model: model.kind)
every_model = pytest.mark.parametrize("model", MODELS, ids=lambda model: model.kind)
every_required_field = pytest.mark.parametrize(
    ("model", "field"),
    [(model, name) for model in MODELS for name, info in model.model_fields.items() if info.is_required()],
    ids=lambda item: item if isinstance(item, str) else item.kind,
)


def read_slow(model: type[Event], body: bytes) -> bytes | None:
    """Read and write a body with pydantic; None where it refuses."""
    try:
        return model.model_validate_json(body).model_dump_json().encode()
    except ValidationError:
        return None


def read_fast(model: type[Event], body: bytes) -> bytes | None:
    """Read and write a body with the fast codec; None where it refuses. A `false` that is left out is not written."""
    try:
        event = decoder(model).decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None
    said = (name for name, info in model.model_fields.items() if info.exclude_if and getattr(event, name) is False)
    return encode(msgspec.structs.replace(event, **dict.fromkeys(said, msgspec.UNSET)))


def example(model: type[Event]) -> dict[str, Any]:
    """Give one good body of the event, as parsed JSON."""
    properties = model.model_json_schema()["properties"]
    filled = {name: _sample(properties[name]) for name in model.model_fields}
    assert read_slow(model, json.dumps(filled).encode()) is not None
    return filled


def _sample(schema: dict[str, Any]) -> Any:
    options = schema.get("anyOf", [schema])
    if any(option.get("type") == "null" for option in options):
        return None
    option = options[0]
    if "enum" in option:
        return option["enum"][0]
    if "pattern" in option:
        return "1.5"
    return {"string": "x", "integer": 1, "boolean": True, "array": []}[option["type"]]


# ---- the same bytes
@every_model
@settings(max_examples=40, deadline=None)
@given(data=st.data())
def test_both_codecs_write_and_read_the_same_bytes(model: type[Event], data: st.DataObject) -> None:
    event = data.draw(events(model))
    slow_bytes = event.model_dump_json().encode()
    struct = decoder(model).decode(slow_bytes)
    assert encode(struct) == slow_bytes
    assert model.model_validate_json(encode(struct)) == event
    built = fast(model)(**{name: getattr(struct, name) for name in model.model_fields})
    assert encode(built) == slow_bytes


@every_model
def test_struct_has_the_models_fields_defaults_and_kind(model: type[Event]) -> None:
    struct = fast(model)
    found = {
        item.name: (item.required, None if item.required else item.default) for item in msgspec.structs.fields(struct)
    }
    expected = {
        name: (info.is_required(), None if info.is_required() else msgspec.UNSET if info.exclude_if else info.default)
        for name, info in model.model_fields.items()
    }
    assert found == expected
    assert list(found) == list(expected)
    assert struct.kind == model.kind


# ---- the same refusals
@every_model
@settings(max_examples=100, deadline=None)
@given(data=st.data())
def test_both_codecs_refuse_the_same_bodies(model: type[Event], data: st.DataObject) -> None:
    body = example(model)
    for name in data.draw(st.lists(st.sampled_from(list(model.model_fields)), min_size=1, max_size=2, unique=True)):
        if data.draw(st.booleans(), label=f"drop {name}"):
            del body[name]
        else:
            body[name] = data.draw(WRONG, label=name)
    raw = json.dumps(body).encode()
    assert read_fast(model, raw) == read_slow(model, raw)


@every_required_field
def test_missing_required_field_is_refused_by_name(model: type[Event], field: str) -> None:
    body = example(model)
    del body[field]
    raw = json.dumps(body).encode()
    with pytest.raises(ValidationError, match=field):
        model.model_validate_json(raw)
    with pytest.raises(msgspec.ValidationError, match=f"`{field}`"):
        decoder(model).decode(raw)


@every_required_field
def test_wrong_type_is_refused_by_name(model: type[Event], field: str) -> None:
    for wrong in ({}, 1.5, [[5]]):
        raw = json.dumps(example(model) | {field: wrong}).encode()
        with pytest.raises(ValidationError, match=field):
            model.model_validate_json(raw)
        with pytest.raises(msgspec.ValidationError, match=rf"\$\.{field}"):
            decoder(model).decode(raw)


def fields_with(part: str, value: Any) -> Any:
    """List the (model, field) pairs whose schema holds `part: value` (or any `part` where `value` is None)."""
    found = [
        (model, name)
        for model in MODELS
        for name, schema in model.model_json_schema()["properties"].items()
        if any(part in option and (value is None or option[part] == value) for option in schema.get("anyOf", [schema]))
    ]
    return pytest.mark.parametrize(("model", "field"), found, ids=[f"{model.kind}.{name}" for model, name in found])


def refused(model: type[Event], field: str, value: Any) -> bool:
    raw = json.dumps(example(model) | {field: value}).encode()
    return read_slow(model, raw) is None and read_fast(model, raw) is None


@fields_with("pattern", None)
def test_decimal_that_is_no_plain_text_is_refused(model: type[Event], field: str) -> None:
    texts = ["1e5", "1E-7", "01", ".5", "1.", "+1", "NaN", "Infinity", "", "1\n", " 1", "\u0661", "1,5"]
    assert [text for text in texts if not refused(model, field, text)] == []


@fields_with("pattern", None)
def test_decimal_as_a_number_is_refused(model: type[Event], field: str) -> None:
    assert refused(model, field, 91000.1)
    assert refused(model, field, 91000)


@fields_with("maximum", INT64_MAX)
def test_integer_outside_int64_is_refused(model: type[Event], field: str) -> None:
    assert refused(model, field, INT64_MAX + 1)
    assert refused(model, field, INT64_MIN - 1)


@fields_with("enum", None)
def test_unknown_word_is_refused(model: type[Event], field: str) -> None:
    assert refused(model, field, "surprise")


@every_model
@settings(max_examples=20, deadline=None)
@given(extra=st.recursive(st.none() | st.booleans() | st.integers() | st.text(max_size=5), st.lists, max_leaves=5))
def test_unknown_fields_are_ignored(model: type[Event], extra: Any) -> None:
    body = example(model)
    raw = json.dumps(body | {"of_a_later_version": extra}).encode()
    assert read_fast(model, raw) == read_slow(model, raw) == read_slow(model, json.dumps(body).encode())


@every_model
def test_broken_bodies_are_refused(model: type[Event]) -> None:
    good = json.dumps(example(model)).encode()
    broken = [b"", b"{", b"null", b"[]", b"5", b"{}", b'{"id":"\xff"}', good[:-1], good + good, b"\xef\xbb\xbf" + good]
    assert [raw for raw in broken if read_slow(model, raw) or read_fast(model, raw)] == []


@pytest.mark.parametrize("levels", [[["1"]], [["1", "2", "3"]], [["1", 2]], [["1", None]], [{"0": "1"}], {}, "x", None])
@pytest.mark.parametrize("kind", ["book", "delta"])
def test_levels_that_are_no_pairs_of_decimals_are_refused(kind: str, levels: Any) -> None:
    assert refused(EVENTS[kind], "bids", levels)


GOLDEN = Path(__file__).parent / "golden"
TAILS = {"feed": "binance", "candle": "1m.binance.BTC.USDT.spot"} | dict.fromkeys(CONSOLIDATED, "BTC.USDT.spot")
CROSS = "all.BTC.USD.any"


def golden(model: type[Event]) -> tuple[str, dict[str, Any]]:
    """Give a good message of an event and the subject that it belongs to."""
    body = json.loads((GOLDEN / f"{model.kind}.v{model.version}.json").read_text())
    if model.kind in {"cluster", "storm"}:
        return KIND_SUBJECTS[model.kind] + CROSS, body
    prefix = KIND_SUBJECTS[model.kind] + ("price_alert." if model.kind == "alert" else "")
    tail = TAILS.get(model.kind) or make_instrument(body["venue"], body["symbol"], "").tail
    return prefix + tail, body


def fault(subject: str, body: bytes, now: int | None = None) -> str | None:
    """Say why readers refuse; None where they accept. Reading and checking must agree."""
    found: list[str | None] = []
    for read in (decode, check):
        try:
            read(subject, body, now)
        except (msgspec.DecodeError, ValueError, KeyError) as error:
            found.append(f"{type(error).__name__}: {error}")
        else:
            found.append(None)
    assert found[0] == found[1]
    return found[0]


# ---- subjects of events
@every_model
def test_subject_with_other_tokens_than_its_kind_has_is_refused(model: type[Event]) -> None:
    subject, body = golden(model)
    raw, tokens = json.dumps(body).encode(), subject.split(".")
    assert fault(subject, raw) is None
    wrong = [".".join(tokens[:-1]), f"{subject}.more", f"{subject}.", ".".join([*tokens[:-1], "="])]
    wrong += [".".join([*tokens[:3], *tokens[3:-1], "=C3=28"]), subject.replace("BTC", "B=2FC")]
    wrong += [] if model.kind == "feed" else [".".join([*tokens[:-1], "quarter"]), subject.replace("BTC", "ETH")]
    assert [text for text in wrong if text != subject and fault(text, raw) is None] == []
    assert fault(subject.replace(body["venue"], "other"), raw) is not None


@every_model
def test_null_or_another_symbol_is_refused_where_an_event_is_about_one(model: type[Event]) -> None:
    subject, body = golden(model)
    refused_null = fault(subject, json.dumps(body | {"symbol": None}).encode()) is not None
    refused_other = fault(subject, json.dumps(body | {"symbol": "LTC/EUR"}).encode()) is not None
    assert (refused_null, refused_other) == ((False, False) if model.kind == "feed" else (True, True))


def test_candle_of_another_time_frame_is_refused() -> None:
    subject, body = golden(EVENTS["candle"])
    assert "time frame" in str(fault(subject, json.dumps(body | {"timeframe": "5m"}).encode()))
    assert fault(subject.replace(".1m.", ".7m."), json.dumps(body).encode()) is not None


@every_model
def test_times_beyond_a_day_of_receipt_are_refused_but_for_recordings(model: type[Event]) -> None:
    subject, body = golden(model)
    ts = body["ts_recv"]
    for bad in (ts + 86_400 * 10**9 + 1, 0, -5, INT64_MAX):
        raw = json.dumps(body | {"ts_event": bad}).encode()
        assert fault(subject, raw) is not None
        assert fault(f"rp.tuesday.{subject}", raw) is None
    for good in (ts + 86_400 * 10**9, 1, None):
        assert fault(subject, json.dumps(body | {"ts_event": good}).encode()) is None


@every_model
def test_receipt_ahead_of_the_readers_clock_is_refused(model: type[Event]) -> None:
    subject, body = golden(model)
    raw, ts = json.dumps(body).encode(), body["ts_recv"]
    assert fault(subject, raw, ts - MOST_AHEAD_NS) is None
    assert "ahead" in str(fault(subject, raw, ts - MOST_AHEAD_NS - 1))


@every_model
@pytest.mark.parametrize("mark", ["\r\nNats-Rollup: all", "\x00", "\t", "\x7f"])
def test_control_characters_in_names_are_refused(model: type[Event], mark: str) -> None:
    subject, body = golden(model)
    names = [name for name, value in body.items() if isinstance(value, str) and name in {"id", "trade_id", "rule"}]
    lists = [name for name, value in body.items() if isinstance(value, list) and value and isinstance(value[0], str)]
    for name in names:
        for raw in (json.dumps(body | {name: mark}), json.dumps(body | {name: mark}, ensure_ascii=False)):
            assert fault(subject, raw.encode()) is not None
    for name in lists:
        assert fault(subject, json.dumps(body | {name: [mark]}).encode()) is not None


@every_model
def test_hostile_bodies_are_refused_with_a_reason(model: type[Event]) -> None:
    subject, body = golden(model)
    good = json.dumps(body).encode()
    deep = b'{"x":' + b"[" * 20_000 + b"]" * 20_000 + b"," + good[1:]
    lone = json.dumps(body | {"id": "\ud800"}).encode()
    raw = good.replace(b'"id": "', b'"id": "\xed\xa0\x80')
    assert [body for body in (deep, lone, raw, b"[" * 100_000, b"", b"null") if fault(subject, body) is None] == []


@every_model
def test_of_a_field_that_stands_twice_the_last_counts_in_both_codecs(model: type[Event]) -> None:
    subject, body = golden(model)
    good = json.dumps(body).encode()
    for first in (b'"id":"other",', b'"venue":"other",'):
        twice = b"{" + first + good[1:]
        assert read_slow(model, twice) == read_fast(model, twice) == read_fast(model, good)
        assert fault(subject, twice) is None


@pytest.mark.parametrize("kind", ["book", "delta"])
@settings(max_examples=300, deadline=None)
@given(data=st.data())
def test_checking_a_book_gives_the_answer_of_decoding_it(kind: str, data: st.DataObject) -> None:
    subject, body = golden(EVENTS[kind])
    number = st.sampled_from(
        ["0", "0.0", "0.000", "00", "1", "1.50", "0.1", "1.", ".5", "-1", "1e5", "9" * 24, "9" * 25, "1." + "1" * 37]
    )
    side = st.lists(st.lists(number, min_size=2, max_size=2) | st.sampled_from([["1"], ["1", 2], "x"]), max_size=3)
    body |= {"bids": data.draw(side | st.none()), "asks": data.draw(side)}
    separators = data.draw(st.sampled_from([(",", ":"), (", ", ": ")]))
    fault(subject, json.dumps(body, separators=separators).encode())


@every_model
def test_subject_tells_how_to_decode(model: type[Event]) -> None:
    subject, body = golden(model)
    assert kind_of(subject) == model.kind
    shape = model.kind.removeprefix("consolidated_")  # one of all venues has the shape of one venue's
    assert schema_of(model) == f"{shape}/{model.version}"
    for prefix in ("", "rp.tuesday."):
        assert type(decode(prefix + subject, json.dumps(body).encode())) is fast(model)


def test_subject_without_an_event_is_refused() -> None:
    with pytest.raises(KeyError):
        decode("somewhere.else", b"{}")


@every_model
def test_an_event_that_was_read_leaves_nothing_in_memory(model: type[Event]) -> None:
    body = golden(model)[1]
    bodies = [json.dumps(body | {"id": f"{model.kind} with a name of its own, {number}"}) for number in range(3000)]
    model.model_validate_json(bodies[0])
    tracemalloc.start()
    try:
        for read in bodies:
            model.model_validate_json(read)
        left = tracemalloc.get_traced_memory()[0]
    finally:
        tracemalloc.stop()
    assert left < 20_000, "a parser that remembers 16,384 strings would hold 300 kB of these"


def test_no_model_of_a_message_has_its_values_remembered_by_the_parser() -> None:
    modules = [importlib.import_module(found.name) for found in pkgutil.walk_packages(contracts.__path__, "contracts.")]
    models = {one for module in modules for one in vars(module).values() if _is_of_a_message(one)}
    assert len(models) > 100
    assert {model.__name__ for model in models if model.model_config.get("cache_strings") != "keys"} == set()


def _is_of_a_message(one: object) -> bool:
    return isinstance(one, type) and issubclass(one, BaseModel) and bool(one.model_config.get("frozen"))
