"""docs/WEBHOOKS.md: its examples validate, its table has the fields of the models, its signatures are the vectors'."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from contracts.services.webhooks.endpoints import RegisterEndpoint
from contracts.services.webhooks.events import DATA, schema_of

ROOT = Path(__file__).parents[3]
PAGE = (ROOT / "docs/WEBHOOKS.md").read_text()
EXAMPLES: list[dict[str, Any]] = [
    json.loads(text) for text in re.findall(r"^```json\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
]
VECTORS = json.loads((ROOT / "examples/webhooks/vectors.json").read_text())["vectors"]


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: example["event_type"])
def test_examples_are_what_their_schemas_say_and_no_more(example: dict[str, Any]) -> None:
    schema = schema_of(example["event_type"])
    jsonschema.validate(example, schema, jsonschema.Draft202012Validator)
    assert set(example["data"]) == set(schema["properties"]["data"]["properties"])


def test_every_type_of_event_has_an_example_and_a_row() -> None:
    assert {example["event_type"] for example in EXAMPLES} == set(DATA)
    for event_type, model in DATA.items():
        names = ", ".join(f"`{field.alias or name}`" for name, field in model.model_fields.items())
        assert f"| `{event_type}` | {names} |" in PAGE


def test_its_signatures_are_those_of_the_vectors() -> None:
    for vector in VECTORS[:2]:
        headers = vector["headers"]
        signature = headers["webhook-signature"].split(" ")[0]
        assert f"| `{vector['secrets'][0]}` | `{signature}` | `{headers['X-Webhook-Signature']}` |" in PAGE


def test_the_registration_of_the_page_is_one() -> None:
    body = re.search(r"-d '(\{.*?\})'", PAGE)
    assert body is not None
    caller = {"actor": "a"}
    assert (
        RegisterEndpoint.model_validate({"owner": "alice", "caller": caller, **json.loads(body[1])}).min_usd == 250_000
    )
