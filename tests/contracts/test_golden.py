"""Golden messages: a message of every released version of every event, which both codecs must read for ever."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from contracts.codec import EVENTS, decoder, encode

GOLDEN = sorted((Path(__file__).parent / "golden").glob("*.json"))
NAMES = {path: path.name.split(".") for path in GOLDEN}  # <kind>.v<version>.json, .<form>.json of further forms
EARLIER = "before_"  # how a form begins that is not written any more


@pytest.mark.parametrize("kind", sorted(EVENTS))
def test_every_version_of_an_event_has_a_golden_message(kind: str) -> None:
    found = {version for name, version, *_ in NAMES.values() if name == kind}
    assert found == {f"v{number}" for number in range(1, EVENTS[kind].version + 1)}


def test_no_golden_message_is_of_an_event_that_is_gone() -> None:
    assert {kind for kind, *_ in NAMES.values()} <= set(EVENTS)


@pytest.mark.parametrize("path", GOLDEN, ids=lambda path: path.stem)
def test_golden_message_is_read_by_both_codecs(path: Path) -> None:
    model = EVENTS[NAMES[path][0]]
    raw = path.read_bytes().rstrip(b"\n")
    slow, fast = model.model_validate_json(raw), decoder(model).decode(raw)
    for name, value in json.loads(raw).items():
        assert json.loads(slow.model_dump_json())[name] == value
        assert json.loads(encode(fast))[name] == value


def is_current(path: Path) -> bool:
    """Whether a message has the newest version and form of its event."""
    kind, version, form, *_ = NAMES[path]
    return version == f"v{EVENTS[kind].version}" and not form.startswith(EARLIER)


@pytest.mark.parametrize("path", list(filter(is_current, GOLDEN)), ids=lambda path: path.stem)
def test_golden_message_of_the_current_version_is_written_alike(path: Path) -> None:
    model = EVENTS[NAMES[path][0]]
    raw = path.read_bytes().rstrip(b"\n")
    assert model.model_validate_json(raw).model_dump_json().encode() == raw
    assert encode(decoder(model).decode(raw)) == raw
