"""The AsyncAPI document: complete, up to date, and the guard that nothing released of a version breaks."""

from __future__ import annotations

import copy
import json
import re
import shutil
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel, create_model

from contracts import subjects
from contracts.codec import EVENTS, KIND_SUBJECTS
from contracts.commands import every_command
from contracts.market import BookDelta, DecimalText, Event, InstrumentEvent, Trade
from contracts.schema.asyncapi import OTHERS, as_draft7
from contracts.schema.compatibility import list_breaks
from contracts.subjects import KINDS_WITHOUT_HEADERS
from runtime.app import asyncapi
from runtime.app.asyncapi import DOCUMENT, GOLDEN, RELEASED, ROOT, make_document, read_examples, render
from tests.runtime.asyncapi.valid import list_faults

EXAMPLES = read_examples(ROOT / GOLDEN)
COMMANDS = every_command()
CURRENT = make_document(EVENTS, EXAMPLES, COMMANDS)
Json = dict[str, Any]


def document_of(model: type[Event]) -> Json:
    return make_document({model.kind: model}, EXAMPLES)


def changed(drop: str = "", **fields: Any) -> type[Event]:
    """Make a Trade without one field, or with others in place of or beside its own; required ones are `(type, ...)`."""
    own = {name: (info.rebuild_annotation(), info) for name, info in Trade.model_fields.items() if name != drop}
    kept: Any = {name: value for name, value in own.items() if name not in Event.model_fields} | fields
    model = create_model("Trade", __base__=InstrumentEvent, __doc__=Trade.__doc__, **kept)
    model.kind = "trade"
    return model


# ---- the document
def test_committed_document_is_up_to_date_and_breaks_nothing() -> None:
    assert asyncapi.main(["--check"]) == 0, "run `make asyncapi`"


def test_document_is_the_same_each_time() -> None:
    assert render(make_document(EVENTS, read_examples(ROOT / GOLDEN), COMMANDS)) == render(CURRENT)


def test_every_event_has_a_channel_a_message_and_an_example() -> None:
    names = {f"{model.kind}.v{model.version}" for model in EVENTS.values()}
    commands = {command.name for command in COMMANDS}
    messages = CURRENT["components"]["messages"]
    assert set(CURRENT["channels"]) == names | commands | set(OTHERS)
    both = {f"{name}:{part}" for name in commands for part in ("SubscribeMessage", "Reply")}
    assert set(messages) == {f"{name}:Message" for name in names} | both
    for name in names:
        assert messages[f"{name}:Message"]["examples"][0]["payload"] == EXAMPLES[name]


def test_the_document_is_valid_asyncapi() -> None:
    assert list_faults(CURRENT) == []


@pytest.mark.parametrize(
    "spoil",
    [
        lambda document: document["channels"]["trade.v1"].update(adress="md.v1.trade"),
        lambda document: document["operations"]["trade.v1"].update(action="sends"),
        lambda document: document["components"]["schemas"]["Trade"].update(type="objct"),
        lambda document: document.pop("info"),
    ],
)
def test_what_is_no_asyncapi_is_refused(spoil: Callable[[Json], Any]) -> None:
    document = copy.deepcopy(CURRENT)
    spoil(document)
    assert list_faults(document)


NO_SUBJECTS = re.compile("KINDS_|STATE_|LEASE_[A-Z]+$|HEADER_|BUS$|ALL_VENUES$")  # keys of buckets, headers, tokens


def test_the_document_names_every_subject_of_the_bus() -> None:
    addresses = [channel["address"] for channel in CURRENT["channels"].values()]
    named = {name: text for name, text in vars(subjects).items() if name.isupper() and not NO_SUBJECTS.match(name)}
    assert len(named) > 40
    for name, text in named.items():
        prefix = text.removesuffix(">")
        assert any(address.startswith(prefix) for address in addresses), f"{name}: {text}"
    for command in COMMANDS:
        assert command.subject in addresses


def test_a_name_stands_for_one_body() -> None:
    schemas = CURRENT["components"]["schemas"]
    bodies: list[type[BaseModel]] = [*EVENTS.values()]
    bodies += [body for command in COMMANDS for body in (command.request, command.reply)]
    for body in bodies:
        said = body.model_json_schema(ref_template="#/components/schemas/{model}")
        for name, schema in {body.__name__: said, **said.pop("$defs", {})}.items():
            assert schemas[name] == as_draft7(schema), name


def test_two_bodies_of_one_name_are_refused() -> None:
    other = create_model("Trade", kept=(int, ...))
    with pytest.raises(ValueError, match="two bodies are called Trade"):
        make_document(EVENTS, EXAMPLES, [replace(COMMANDS[0], reply=other)])


def test_every_command_has_a_subject_of_its_own_a_request_and_a_reply() -> None:
    assert len({command.subject for command in COMMANDS}) == len(COMMANDS)
    for command in COMMANDS:
        operation = CURRENT["operations"][command.name]
        assert CURRENT["channels"][command.name]["address"] == command.subject == f"cmd.v1.{command.name}"
        assert operation["action"] == "receive"
        assert operation["messages"] != operation["reply"]["messages"]
        schemas = CURRENT["components"]["schemas"]
        reply = CURRENT["components"]["messages"][f"{command.name}:Reply"]["payload"]
        ways = [schemas[way["$ref"].rpartition("/")[2]] for way in reply.get("oneOf", [reply])]
        assert any("error" in way.get("properties", {}) for way in ways)


def test_a_command_that_loses_a_field_is_named() -> None:
    after = copy.deepcopy(CURRENT)
    del after["components"]["schemas"]["CandlesReply"]["properties"]["since_ts"]
    assert list_breaks(CURRENT, after) == ["candles.list:Reply: field since_ts is gone"]


def test_channels_name_their_parameters_and_delivery() -> None:
    for name, channel in CURRENT["channels"].items():
        assert set(re.findall(r"{(\w+)}", channel["address"])) == set(channel.get("parameters", ())), name
        assert name in OTHERS or channel["x-delivery"]
    assert CURRENT["channels"]["candle.v1"]["address"] == "md.v1.candle.{timeframe}.{venue}.{base}.{quote}.{contract}"
    assert CURRENT["channels"]["feed.v1"]["address"] == "feed.v1.{venue}"
    streams = {name: channel.get("x-stream") for name, channel in CURRENT["channels"].items()}
    assert [streams[name] for name in ("trade.v1", "book.v1", "delta.v1", "whale.v1", "feed.v1")] == [
        "MARKET", "BOOKS", None, "SIGNALS", "FEEDS"
    ]  # fmt: skip


def references(node: Any) -> Iterator[str]:
    if isinstance(node, dict):
        for key, value in node.items():
            if key == "$ref":
                yield value
            else:
                yield from references(value)
    elif isinstance(node, list):
        for value in node:
            yield from references(value)


def test_every_reference_leads_somewhere() -> None:
    found = set(references(CURRENT))
    assert found
    for reference in found:
        target: Any = CURRENT
        for step in reference.removeprefix("#/").split("/"):
            target = target[step]
        assert target


def test_schema_has_the_models_fields_and_says_which_are_required() -> None:
    for model in EVENTS.values():
        schema = CURRENT["components"]["schemas"][model.__name__]
        assert set(schema["properties"]) == set(model.model_fields)
        assert set(schema["required"]) == {name for name, info in model.model_fields.items() if info.is_required()}


# ---- what breaks
def test_unchanged_document_breaks_nothing() -> None:
    assert list_breaks(CURRENT, copy.deepcopy(CURRENT)) == []
    assert list_breaks(document_of(Trade), document_of(changed())) == []


def test_new_event_and_new_optional_field_break_nothing() -> None:
    assert list_breaks(document_of(Trade), make_document({"trade": Trade, "delta": BookDelta}, EXAMPLES)) == []
    assert list_breaks(document_of(Trade), document_of(changed(liquidity=(str | None, None)))) == []


@pytest.mark.parametrize(
    ("model", "named"),
    [
        (lambda: changed(drop="side"), "trade.v1:Message: field side is gone"),
        (lambda: changed(liquidity=(str | None, ...)), "trade.v1:Message: field liquidity is required now"),
        (lambda: changed(seq=(int | None, ...)), "trade.v1:Message: field seq is required now"),
        (lambda: changed(trade_id=(int, ...)), "trade.v1:Message.trade_id: type changed from"),
        (lambda: changed(price=(DecimalText | None, ...)), "trade.v1:Message.price: type changed from"),
        (lambda: changed(price=(float, ...)), "trade.v1:Message.price: type changed from"),
    ],
)
def test_change_that_breaks_readers_is_named(model: Callable[[], type[Event]], named: str) -> None:
    assert any(line.startswith(named) for line in list_breaks(document_of(Trade), document_of(model())))


def test_lost_headers_are_named() -> None:
    after = copy.deepcopy(CURRENT)
    del after["components"]["messages"]["trade.v1:Message"]["headers"]
    assert list_breaks(CURRENT, after) == ["trade.v1:Message headers are gone"]


def test_kinds_without_headers_have_none_in_the_document() -> None:
    messages = CURRENT["components"]["messages"]
    without = {kind for kind in KIND_SUBJECTS if "headers" not in messages.get(f"{kind}.v1:Message", {"headers": 0})}
    assert without == KINDS_WITHOUT_HEADERS


def test_lost_event_is_named() -> None:
    both = make_document({"trade": Trade, "delta": BookDelta}, EXAMPLES)
    assert list_breaks(both, document_of(Trade)) == [
        "subject md.v1.delta.{venue}.{base}.{quote}.{contract} of delta.v1 is gone",
        "message delta.v1:Message is gone",
    ]


def test_renamed_subject_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    before = document_of(Trade)
    monkeypatch.setitem(KIND_SUBJECTS, "trade", "md.v1.print.")
    assert list_breaks(before, document_of(Trade)) == [
        "subject md.v1.trade.{venue}.{base}.{quote}.{contract} of trade.v1 is gone"
    ]


def test_subject_that_carries_another_event_is_named() -> None:
    after = copy.deepcopy(CURRENT)
    channel = after["channels"]["trade.v1"]
    channel["messages"] = {"Message": {"$ref": "#/components/messages/trade.v2:Message"}}
    assert list_breaks(CURRENT, after) == [f"subject {channel['address']} carries trade.v1:Message no more"]


def test_lost_header_and_changed_levels_are_named() -> None:
    after = copy.deepcopy(CURRENT)
    del after["components"]["schemas"]["EventHeaders"]["properties"]["Nats-Msg-Id"]
    after["components"]["schemas"]["BookDelta"]["properties"]["bids"]["items"]["maxItems"] = 3
    found = list_breaks(CURRENT, after)
    assert "trade.v1:Message headers: field Nats-Msg-Id is gone" in found
    assert any(line.startswith("delta.v1:Message.bids[]: type changed from") for line in found)


# ---- the command
@pytest.fixture
def project(tmp_path: Path) -> Path:
    shutil.copytree(ROOT / GOLDEN, tmp_path / GOLDEN)
    (tmp_path / RELEASED).mkdir(parents=True)
    return tmp_path


def test_command_writes_and_releases_the_document(project: Path) -> None:
    assert asyncapi.main(["--check"], project) == 1
    assert asyncapi.main([], project) == 0
    assert asyncapi.main(["--check"], project) == 0
    assert not list((project / RELEASED).iterdir())
    assert asyncapi.main(["--release"], project) == 0
    assert (project / RELEASED / "v1.json").read_text() == (project / DOCUMENT).read_text() == render(CURRENT)


def test_stale_document_is_reported(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    asyncapi.main([], project)
    (project / DOCUMENT).write_text("{}")
    assert asyncapi.main(["--check"], project) == 1
    assert "make asyncapi" in capsys.readouterr().err


def test_command_refuses_what_breaks_a_release(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    released = copy.deepcopy(CURRENT)
    released["components"]["schemas"]["Trade"]["properties"]["gone"] = {"type": "string"}
    (project / RELEASED / "v1.json").write_text(json.dumps(released))
    for arguments in ([], ["--check"], ["--release"]):
        assert asyncapi.main(arguments, project) == 1
        assert "docs/asyncapi/v1.json: trade.v1:Message: field gone is gone" in capsys.readouterr().err
    assert not (project / DOCUMENT).exists()


def test_unknown_flag_is_refused(project: Path) -> None:
    assert asyncapi.main(["--force"], project) == 2
