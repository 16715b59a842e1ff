"""What a change of the HTTP API would break for its clients: compares two OpenAPI documents, names each break. Pure.

Clients keep working where everything that they send is still taken as it was, and everything that they read is still
there and of the same type. New routes, optional parameters, fields, and values of what is listed break nobody.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, cast

Json = dict[str, Any]
METHODS: Final = ("get", "put", "post", "delete", "patch")
_UPPER: Final = ("maximum", "exclusiveMaximum", "maxLength", "maxItems")
_LOWER: Final = ("minimum", "exclusiveMinimum", "minLength", "minItems")
_EXACT: Final = ("type", "format", "const")


def list_breaks(released: Json, current: Json) -> list[str]:
    """List what clients of the released document would miss in the current one."""
    return list(_routes(released, current))


def major(document: Json) -> str:
    """Return the major version of a document."""
    return str(document["info"]["version"]).partition(".")[0]


def _routes(released: Json, current: Json) -> Iterator[str]:
    for path, methods in released["paths"].items():
        for method in METHODS:
            if method not in methods:
                continue
            name = f"{method.upper()} {path}"
            other = current["paths"].get(path, {}).get(method)
            if other is None:
                yield f"{name} is gone"
                continue
            yield from _operation(name, (methods[method], released), (other, current))


def _operation(name: str, old: tuple[Json, Json], new: tuple[Json, Json]) -> Iterator[str]:
    (before, released), (after, current) = old, new
    for label in ("operationId", "x-scope"):
        if before.get(label) != after.get(label):
            yield f"{name}: {label} changed from {before.get(label)} to {after.get(label)}"
    yield from _parameters(name, old, new)
    sent: Json = before.get("requestBody", {})
    taken: Json = after.get("requestBody", {})
    if taken.get("required") and not sent.get("required"):
        yield f"{name}: a body is required now"
    sides = Sides(released, current, is_sent=True)
    yield from _contents(f"{name} body", sent.get("content", {}), taken.get("content", {}), sides)
    for status, response in before["responses"].items():
        if status.startswith("2"):
            answer = after["responses"].get(status)
            if answer is None:
                yield f"{name}: status {status} is gone"
                continue
            sides = Sides(released, current, is_sent=False)
            yield from _contents(f"{name} {status}", response.get("content", {}), answer.get("content", {}), sides)


def _parameters(name: str, old: tuple[Json, Json], new: tuple[Json, Json]) -> Iterator[str]:
    known = {(item["in"], item["name"]): item for item in old[0].get("parameters", ())}
    taken = {(item["in"], item["name"]): item for item in new[0].get("parameters", ())}
    sides = Sides(old[1], new[1], is_sent=True)
    for key, item in taken.items():
        where = f"{name}: parameter {key[1]}"
        if item.get("required") and not known.get(key, {}).get("required"):
            yield f"{where} is required now"
        if key in known:
            yield from sides.compare(where, known[key]["schema"], item["schema"])
            if known[key]["schema"].get("default") != item["schema"].get("default"):
                yield f"{where}: default changed"
    yield from (f"{name}: parameter {key[1]} is gone" for key in known if key not in taken)


def _contents(where: str, before: Json, after: Json, sides: Sides) -> Iterator[str]:
    for kind, content in before.items():
        if kind not in after:
            yield f"{where}: {kind} is gone"
        elif "schema" in content:
            yield from sides.compare(where, content["schema"], after[kind].get("schema", {}))


@dataclass(frozen=True, slots=True)
class Sides:
    """Two documents whose schemas are compared: of what clients send, or of what they read."""

    released: Json
    current: Json
    is_sent: bool
    seen: set[tuple[str, str]] = field(default_factory=set[tuple[str, str]])

    def compare(self, where: str, old: Json, new: Json) -> Iterator[str]:
        """Yield each break from one schema to the other; a pair of named ones is compared once."""
        names = (str(old.get("$ref", "")), str(new.get("$ref", "")))
        if all(names):
            if names in self.seen:
                return
            self.seen.add(names)
        before, after = _resolve(old, self.released), _resolve(new, self.current)
        if "anyOf" in before or "anyOf" in after:
            yield from self._compare_alternatives(where, before, after)
            return
        yield from (f"{where}: {word} changed" for word in _EXACT if before.get(word) != after.get(word))
        yield from self._compare_fields(where, before, after)
        for inner in ("items", "additionalProperties"):
            if isinstance(before.get(inner), dict) and isinstance(after.get(inner), dict):
                yield from self.compare(f"{where}[]", before[inner], after[inner])
        if self.is_sent:
            yield from (f"{where}: {word} is narrower" for word in _narrowed(before, after))

    def _compare_alternatives(self, where: str, before: Json, after: Json) -> Iterator[str]:
        """What is sent must still be taken in each of its forms; what is read must have a form that was there."""
        old = cast("list[Json]", before.get("anyOf", [before]))
        new = cast("list[Json]", after.get("anyOf", [after]))
        if self.is_sent:
            missing = [one for one in old if not any(self._fits(one, other) for other in new)]
        else:
            missing = [one for one in new if not any(self._fits(other, one) for other in old)]
        if missing:
            yield f"{where}: of its forms {'some are taken no more' if self.is_sent else 'some are new'}"

    def _fits(self, old: Json, new: Json) -> bool:
        return not any(Sides(self.released, self.current, self.is_sent).compare("", old, new))

    def _compare_fields(self, where: str, before: Json, after: Json) -> Iterator[str]:
        known: Mapping[str, Json] = before.get("properties", {})
        fields: Mapping[str, Json] = after.get("properties", {})
        yield from (f"{where}: field {name} is gone" for name in known if name not in fields)
        was, now = set(before.get("required", ())), set(after.get("required", ()))
        if self.is_sent:
            yield from (f"{where}: field {name} is required now" for name in sorted(now - was))
        else:
            yield from (f"{where}: field {name} may be absent now" for name in sorted(was - now) if name in fields)
        for name in known.keys() & fields.keys():
            yield from self.compare(f"{where}.{name}", known[name], fields[name])


def _narrowed(before: Json, after: Json) -> Iterator[str]:
    """Yield the words by which less is taken than before."""
    if "enum" in after and not set(map(repr, before.get("enum", ("anything",)))) <= set(map(repr, after["enum"])):
        yield "enum"
    if "pattern" in after and before.get("pattern") != after["pattern"]:
        yield "pattern"
    yield from (word for word in _bounds(_UPPER, after) if word not in before or after[word] < before[word])
    yield from (word for word in _bounds(_LOWER, after) if word not in before or after[word] > before[word])


def _bounds(words: Iterable[str], schema: Json) -> Iterator[str]:
    return (word for word in words if word in schema)


def _resolve(schema: Json, document: Json) -> Json:
    while "$ref" in schema:
        target: Any = document
        for step in str(schema["$ref"]).removeprefix("#/").split("/"):
            target = target[step]
        schema = target
    return schema
