"""OpenAPI as committed, as a GPT takes it, and what counts as a break of it."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from api import describe
from api.http.openapi import ANSWERS
from api.pages.compatibility import list_breaks
from api.pages.gpt import LONGEST_DESCRIPTION, LONGEST_PARAMETER, MOST_OPERATIONS, gpt_document, shorten

Json = dict[str, Any]
Change = Callable[[Json], None]
COMMITTED = describe.ROOT / describe.DOCUMENT
RAW, OHLC = "/gpt/raw", "/api/market/ohlc"


@cache
def made() -> str:
    return json.dumps(describe.make_document())


def document() -> Json:
    return json.loads(made())


def gpt() -> Json:
    return gpt_document(document(), "https://api.example.org")


def operations(of: Json) -> list[Json]:
    return [operation for methods in of["paths"].values() for operation in methods.values()]


def nodes(node: Any) -> Iterator[Json]:
    if isinstance(node, list):
        for item in node:
            yield from nodes(item)
    elif isinstance(node, dict):
        yield node
        for item in node.values():
            yield from nodes(item)


def test_the_committed_document_only_grew() -> None:
    assert describe.find_problems(COMMITTED.read_text(), document()) == []


def test_the_committed_document_is_what_the_routes_say() -> None:
    assert COMMITTED.read_text() == describe.render(document()), "run `make openapi`"


def test_every_route_says_what_it_is_what_it_gives_and_how_it_fails() -> None:
    found = operations(document())
    assert len({operation["operationId"] for operation in found}) == len(found)
    for operation in found:
        assert operation["summary"], operation["operationId"]
        assert any(status.startswith("2") for status in operation["responses"]), operation["operationId"]
        assert {status for status in operation["responses"] if status >= "4"}, operation["operationId"]
        for parameter in operation["parameters"]:
            assert parameter["schema"], (operation["operationId"], parameter["name"])


def test_every_parameter_has_an_example_or_a_value_of_its_own() -> None:
    known = {"example", "default", "enum", "examples"}
    for operation in operations(document()):
        for parameter in operation["parameters"]:
            if parameter["in"] != "header":
                found = known & (parameter.keys() | parameter["schema"].keys())
                assert found, (operation["operationId"], parameter["name"])


def answers(given: Json) -> Iterator[tuple[str, Json]]:
    """What each operation answers in JSON when all is well."""
    for operation in operations(given):
        for status, response in operation["responses"].items():
            if status.startswith("2") and "application/json" in response.get("content", {}):
                yield operation["operationId"], response["content"]["application/json"]


def test_every_answer_of_a_model_has_an_example() -> None:
    given = document()
    for name, content in answers(given):
        model = content["schema"].get("$ref", "").rpartition("/")[2]
        of_model = given["components"]["schemas"].get(model, {}).keys() & {"example", "examples"}
        assert "example" in content or of_model or not model, f"{name} has no example: add it to api/http/examples.json"


def test_every_example_is_of_its_model() -> None:
    given = document()
    assert set(ANSWERS) <= {name for name, _ in answers(given)}
    for name, content in answers(given):
        if "example" in content:
            schema = {**content["schema"], "components": given["components"]}
            found = [error.message for error in Draft202012Validator(schema).iter_errors(content["example"])]
            assert found == [], name


def test_a_gpt_takes_its_document() -> None:
    found = gpt()
    assert found["servers"] == [{"url": "https://api.example.org"}]
    assert 1 <= len(operations(found)) <= MOST_OPERATIONS
    assert RAW in found["paths"]
    assert set().union(*(methods for methods in found["paths"].values())) == {"get"}
    assert found["components"]["securitySchemes"]["bearer"]["scheme"] == "bearer"
    for operation in operations(found):
        assert operation["security"] == [{"bearer": []}]
        assert operation["x-openai-isConsequential"] is False
        for parameter in operation["parameters"]:
            assert all(len(node.get("description", "")) <= LONGEST_PARAMETER for node in nodes(parameter))
        assert len(operation["description"]) <= LONGEST_DESCRIPTION
    texts = [
        node[name] for node in nodes({**found, "paths": {}}) for name in ("description", "summary") if name in node
    ]
    assert all(len(text) <= LONGEST_DESCRIPTION for text in texts if isinstance(text, str))


def test_a_gpts_document_lacks_nothing_that_it_refers_to() -> None:
    found = gpt()
    schemas = found["components"]["schemas"]
    wanted = {node["$ref"].rpartition("/")[2] for node in nodes(found) if "$ref" in node}
    assert wanted == set(schemas)
    for schema in schemas.values():
        Draft202012Validator.check_schema(schema)


def test_long_texts_are_cut_for_a_gpt() -> None:
    given = document()
    operation = given["paths"][RAW]["get"]
    operation["description"] = "One sentence. " * 60
    operation["parameters"][0]["description"] = "word " * 400
    found = gpt_document(given, "https://x.example")["paths"][RAW]["get"]
    assert len(found["description"]) <= LONGEST_DESCRIPTION
    assert found["description"].endswith("sentence.")
    assert LONGEST_DESCRIPTION < len(found["parameters"][0]["description"]) <= LONGEST_PARAMETER


def test_more_operations_than_a_gpt_takes_are_refused() -> None:
    given = document()
    for number in range(MOST_OPERATIONS):
        given["paths"][f"/gpt/{number}"] = given["paths"][RAW]
    with pytest.raises(ValueError, match="at most 30"):
        gpt_document(given, "https://x.example")


@pytest.mark.parametrize(
    ("text", "longest", "short"),
    [
        ("as it is", 20, "as it is"),
        ("One. Two. Three.", 10, "One. Two."),
        ("One. Two. Three.", 9, "One. Two."),
        ("a very long sentence without an end", 12, "a very long…"),
    ],
)
def test_texts_are_cut_between_sentences(text: str, longest: int, short: str) -> None:
    assert shorten(text, longest) == short
    assert len(short) <= longest


def schema_of(given: Json, name: str) -> Json:
    return given["components"]["schemas"][name]


def parameter(given: Json, name: str) -> Json:
    return next(item for item in given["paths"][OHLC]["get"]["parameters"] if item["name"] == name)


def drop_route(given: Json) -> None:
    del given["paths"][RAW]


def rename_operation(given: Json) -> None:
    given["paths"][RAW]["get"]["operationId"] = "other"


def drop_parameter(given: Json) -> None:
    given["paths"][OHLC]["get"]["parameters"] = [parameter(given, "symbol")]


def require_parameter(given: Json) -> None:
    parameter(given, "limit")["required"] = True


def narrow_parameter(given: Json) -> None:
    parameter(given, "limit")["schema"]["maximum"] = 10


def drop_choice(given: Json) -> None:
    parameter(given, "timeframe")["schema"]["enum"].remove("1w")


def change_default(given: Json) -> None:
    parameter(given, "limit")["schema"]["default"] = 5


def drop_field(given: Json) -> None:
    del schema_of(given, "Whale")["properties"]["price"]


def change_type(given: Json) -> None:
    schema_of(given, "Whale")["properties"]["price"]["type"] = "string"


def make_field_optional(given: Json) -> None:
    schema_of(given, "Whale")["required"].remove("price")


def make_field_nullable(given: Json) -> None:
    schema_of(given, "Whale")["properties"]["price"] = {"anyOf": [{"type": "number"}, {"type": "null"}]}


def need_another_scope(given: Json) -> None:
    given["paths"][RAW]["get"]["x-scope"] = "admin"


BREAKS = (
    *(drop_route, rename_operation, drop_parameter, require_parameter, narrow_parameter, drop_choice, change_default),
    *(drop_field, change_type, make_field_optional, make_field_nullable, need_another_scope),
)


@pytest.mark.parametrize("change", BREAKS, ids=lambda change: change.__name__)
def test_what_breaks_a_client_is_named(change: Change) -> None:
    changed = document()
    change(changed)
    assert list_breaks(document(), changed)


def add_route(given: Json) -> None:
    given["paths"]["/new"] = given["paths"][RAW]


def add_parameter(given: Json) -> None:
    given["paths"][OHLC]["get"]["parameters"].append({"name": "new", "in": "query", "schema": {"type": "string"}})


def widen_parameter(given: Json) -> None:
    parameter(given, "limit")["schema"]["maximum"] = 5000
    parameter(given, "timeframe")["schema"]["enum"].append("1M")


def add_field(given: Json) -> None:
    whale = schema_of(given, "Whale")
    whale["properties"]["new"] = {"type": "string"}
    whale["required"].append("new")


def reword(given: Json) -> None:
    given["paths"][RAW]["get"]["summary"] = "Other words"
    schema_of(given, "Whale")["description"] = "Other words"


@pytest.mark.parametrize(
    "change", [add_route, add_parameter, widen_parameter, add_field, reword], ids=lambda change: change.__name__
)
def test_growth_breaks_nobody(change: Change) -> None:
    changed = document()
    change(changed)
    assert list_breaks(document(), changed) == []


def test_a_document_that_breaks_the_committed_one_is_not_written(tmp_path: Path) -> None:
    (tmp_path / "docs").mkdir()
    assert describe.main([], tmp_path) == 0
    path = tmp_path / describe.DOCUMENT
    richer = copy.deepcopy(document())
    richer["paths"]["/gone"] = richer["paths"][RAW]
    path.write_text(describe.render(richer))
    assert describe.main([], tmp_path) == 1
    assert describe.main(["--check"], tmp_path) == 1
    richer["info"]["version"] = "0.9.0"
    path.write_text(describe.render(richer))
    assert describe.main([], tmp_path) == 0
    assert describe.main(["--check"], tmp_path) == 0
    assert describe.main(["--wrong"], tmp_path) == 2
