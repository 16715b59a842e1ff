"""The OpenAPI document that a GPT's Action takes: the read-only market routes, within a GPT's limits. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any, Final, cast

MOST_OPERATIONS: Final = 30
LONGEST_DESCRIPTION: Final = 300
LONGEST_PARAMETER: Final = 700
SCOPE: Final = "market:read"
DESCRIPTION: Final = (
    "Live crypto market data of many exchanges, read-only. Symbols are coins (BTC) or pairs (BTC/USDT)."
)
Json = dict[str, Any]
_REFERENCE: Final = "#/components/schemas/"
_SENTENCE: Final = re.compile(r"(?<=[.!?:;])\s")


def gpt_document(document: Mapping[str, Any], server: str) -> Json:
    """Return what of an OpenAPI document a GPT may take, with this server; ValueError where that is too much."""
    paths = {path: {"get": _operation(operation)} for path, operation in _readable(document["paths"])}
    if len(paths) > MOST_OPERATIONS:
        raise ValueError(f"a GPT takes at most {MOST_OPERATIONS} operations, these are {len(paths)}")
    components = cast("Json", document["components"])
    schemas = _referenced(paths, components.get("schemas", {}))
    kept: Json = {
        "openapi": document["openapi"],
        "info": {**document["info"], "description": DESCRIPTION},
        "servers": [{"url": server}],
        "security": [{"bearer": []}],
        "paths": paths,
        "components": {"schemas": schemas, "securitySchemes": components["securitySchemes"]},
    }
    return _shortened(kept, LONGEST_DESCRIPTION)


def _readable(paths: Mapping[str, Json]) -> Iterable[tuple[str, Json]]:
    """Yield the reads of the market that answer in JSON, all at once."""
    for path, methods in paths.items():
        operation = methods.get("get")
        if operation is not None and operation.get("x-scope") == SCOPE and "application/json" in _content(operation):
            yield path, operation


def _content(operation: Json) -> Json:
    content: Json = operation["responses"].get("200", {}).get("content", {})
    return content


def _operation(operation: Json) -> Json:
    parameters = [_shortened(parameter, LONGEST_PARAMETER) for parameter in operation.get("parameters", ())]
    texts = (operation["summary"], operation.get("description"))
    return {
        "operationId": operation["operationId"],
        "summary": operation["summary"],
        "description": ". ".join(filter(None, texts)),
        "parameters": [_Parameter(parameter) for parameter in parameters],
        "responses": operation["responses"],
        "security": operation["security"],
        "x-openai-isConsequential": False,
    }


class _Parameter(dict[str, Any]):
    """A parameter: its texts may be longer than those of the rest."""


def _shortened(node: Any, longest: int) -> Any:
    """Return the same with every description and summary within the limit."""
    if isinstance(node, _Parameter):
        return dict(node)
    if isinstance(node, list):
        return [_shortened(item, longest) for item in cast("list[Any]", node)]
    if not isinstance(node, Mapping):
        return node
    fields = cast("Json", node)
    return {
        name: shorten(value, longest)
        if name in {"description", "summary"} and isinstance(value, str)
        else _shortened(value, longest)
        for name, value in fields.items()
    }


def shorten(text: str, longest: int) -> str:
    """Return a text's first sentences, as many as fit; its first words where not even one does."""
    text = " ".join(text.split())
    if len(text) <= longest:
        return text
    kept = ""
    for sentence in _SENTENCE.split(text):
        if len(kept) + len(sentence) + 1 > longest:
            break
        kept = f"{kept} {sentence}".strip()
    return kept or f"{text[:longest].rpartition(' ')[0] or text[: longest - 1]}…"


def _referenced(paths: Json, schemas: Mapping[str, Json]) -> Json:
    """Return the schemas that are reached from the paths."""
    found: Json = {}
    waiting: list[Any] = [paths]
    while waiting:
        node = waiting.pop()
        if isinstance(node, list):
            waiting += cast("list[Any]", node)
        elif isinstance(node, Mapping):
            fields = cast("Json", node)
            waiting += fields.values()
            name = str(fields.get("$ref", "")).removeprefix(_REFERENCE)
            if name in schemas and name not in found:
                found[name] = schemas[name]
                waiting.append(schemas[name])
    return dict(sorted(found.items()))
