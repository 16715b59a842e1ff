"""One contract, two codecs: for every event pydantic and the fast codec read and write the same bytes, refuse alike."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from contracts.codec import EVENTS, KIND_SUBJECTS, decode, decoder, encode, fast, kind_of, schema_of
from contracts.market import INT64_MAX, INT64_MIN, Event
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
    """Read and write a body with the fast codec; None where it refuses."""
    try:
        return encode(decoder(model).decode(body))
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None


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
        name: (info.is_required(), None if info.is_required() else info.default)
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


# ---- subjects of events
@every_model
def test_subject_tells_how_to_decode(model: type[Event]) -> None:
    subject = f"{KIND_SUBJECTS[model.kind]}binance.BTC.USDT.spot"
    assert kind_of(subject) == model.kind
    assert schema_of(model) == f"{model.kind}/{model.version}"
    assert type(decode(subject, json.dumps(example(model)).encode())) is fast(model)


def test_subject_without_an_event_is_refused() -> None:
    with pytest.raises(KeyError):
        decode("somewhere.else", b"{}")
