"""What a change of the bus would break for its readers: compares two AsyncAPI documents, names each break. Pure."""

from __future__ import annotations

import json
from typing import Any, Final, cast

Json = dict[str, Any]

_WORDS: Final = frozenset({"title", "description", "examples", "default"})  # they say something; they bind nobody


def list_breaks(released: Json, current: Json) -> list[str]:
    """List what readers of the released document would miss in the current one.

    Within a version no event may go, lose a field, change a type or add a required field, and no subject may go or
    carry something else. What is new and optional breaks nobody.
    """
    found: list[str] = []
    for name, channel in released["channels"].items():
        found += _subject_breaks(name, channel, current)
    for name, message in released["components"]["messages"].items():
        other = current["components"]["messages"].get(name)
        if other is None:
            found.append(f"message {name} is gone")
            continue
        for part in ("headers", "payload"):
            if part not in message:
                continue  # a command has no headers of its own
            where = name if part == "payload" else f"{name} headers"
            if part not in other:
                found.append(f"{where} are gone")
                continue
            found += _schema_breaks(where, (message[part], released), (other[part], current))
    return found


def _subject_breaks(name: str, channel: Json, current: Json) -> list[str]:
    address = channel["address"]
    same = [other for other in current["channels"].values() if other["address"] == address]
    if not same:
        return [f"subject {address} of {name} is gone"]
    kept = _carried(same[0])
    return [f"subject {address} carries {message} no more" for message in _carried(channel) if message not in kept]


def _carried(channel: Json) -> list[str]:
    """Name the messages of a channel as the components do."""
    return [str(message["$ref"]).rpartition("/")[2] for message in channel["messages"].values()]


def _schema_breaks(where: str, old: tuple[Json, Json], new: tuple[Json, Json]) -> list[str]:
    """Compare two schemas, each with the document that its references point into."""
    before, after = _resolve(*old), _resolve(*new)
    if "properties" in before and "properties" in after:
        return _object_breaks(where, (before, old[1]), (after, new[1]))
    if isinstance(before.get("items"), dict) and isinstance(after.get("items"), dict):
        outer = [{key: value for key, value in side.items() if key != "items"} for side in (before, after)]
        inner = _schema_breaks(f"{where}[]", (before["items"], old[1]), (after["items"], new[1]))
        return (
            inner if _binding(outer[0], old[1]) == _binding(outer[1], new[1]) else [*inner, _changed(where, old, new)]
        )
    return [] if _binding(before, old[1]) == _binding(after, new[1]) else [_changed(where, old, new)]


def _object_breaks(where: str, old: tuple[Json, Json], new: tuple[Json, Json]) -> list[str]:
    (before, released), (after, current) = old, new
    found = [f"{where}: field {field} is gone" for field in before["properties"] if field not in after["properties"]]
    needed = [field for field in after.get("required", ()) if field not in before.get("required", ())]
    found += [f"{where}: field {field} is required now" for field in needed]
    for field, schema in before["properties"].items():
        if field in after["properties"]:
            inner = ((schema, released), (after["properties"][field], current))
            found += _schema_breaks(f"{where}.{field}", *inner)
    return found


def _changed(where: str, old: tuple[Json, Json], new: tuple[Json, Json]) -> str:
    return f"{where}: type changed from {_binding(*old)} to {_binding(*new)}"


def _resolve(schema: Json, document: Json) -> Json:
    while "$ref" in schema:
        target: Any = document
        for step in cast("str", schema["$ref"]).removeprefix("#/").split("/"):
            target = target[step]
        schema = target
    return schema


def _binding(schema: Json, document: Json) -> str:
    """Write what binds in a schema, references followed, as one line."""
    return json.dumps(_plain(schema, document), sort_keys=True, ensure_ascii=False)


def _plain(node: Any, document: Json) -> Any:
    if isinstance(node, list):
        return [_plain(item, document) for item in cast("list[Any]", node)]
    if not isinstance(node, dict):
        return node
    schema = _resolve(cast("Json", node), document)
    return {key: _plain(value, document) for key, value in schema.items() if key not in _WORDS}
