"""How large an operation may be: its depth, its aliases, and the fields that its answer may have. Pure.

Every fragment is measured once, however often it is spread: a document that doubles itself with each fragment costs no
more to refuse than to read.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final, cast

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    InlineFragmentNode,
    IntValueNode,
    Node,
    ObjectValueNode,
    OperationDefinitionNode,
    ValueNode,
    VariableNode,
)

DEPTH: Final = 8
ALIASES: Final = 15
TOKENS: Final = 1000
COST: Final = 20_000
MOST_ITEMS: Final = 1000
_SIZES: Final = {  # how many objects a field has, unless its arguments say so
    "candles": 100,
    "whaleTransactions": 10,
    "liquidations": 20,
    "orderbook": 20,
    "buckets": 80,
    "venues": 16,
    "rates": 8,
    "exchanges": 16,
    "funding": 16,
    "open_interest": 16,
    "openInterest": 16,
}
_ARGUMENTS: Final = ("limit", "depth")
_INTROSPECTION: Final = "__"  # bounded by the library's own rule


@dataclass(frozen=True, slots=True)
class Measure:
    """What a selection amounts to: levels below it, aliases in it, fields of its answer."""

    depth: int = 0
    aliases: int = 0
    cost: int = 0

    def beside(self, other: Measure) -> Measure:
        """Return what two selections of one object amount to."""
        return Measure(max(self.depth, other.depth), self.aliases + other.aliases, self.cost + other.cost)


@dataclass(slots=True)
class Measuring:
    """Measures one document with the variables of its operation."""

    fragments: Mapping[str, FragmentDefinitionNode]
    variables: Mapping[str, Any]
    known: dict[str, Measure] = field(default_factory=dict[str, Measure])

    def measure(self, node: Node) -> Measure:
        """Return what the selections of a node amount to; a fragment within itself counts once."""
        whole = Measure()
        chosen = getattr(node, "selection_set", None)
        for selection in () if chosen is None else chosen.selections:
            whole = whole.beside(self._measure_selection(selection))
        return whole

    def _measure_selection(self, selection: Node) -> Measure:
        if isinstance(selection, FragmentSpreadNode):
            return self._measure_fragment(selection.name.value)
        if isinstance(selection, InlineFragmentNode):
            return self.measure(selection)
        if not isinstance(selection, FieldNode):
            raise TypeError(type(selection))
        aliased = int(selection.alias is not None)
        if selection.name.value.startswith(_INTROSPECTION):
            return Measure(1, aliased, 1)
        within = self.measure(selection)
        return Measure(within.depth + 1, within.aliases + aliased, 1 + self._size(selection) * within.cost)

    def _measure_fragment(self, name: str) -> Measure:
        if name not in self.known:
            self.known[name] = Measure()
            if name in self.fragments:
                self.known[name] = self.measure(self.fragments[name])
        return self.known[name]

    def _size(self, node: FieldNode) -> int:
        size = _SIZES.get(node.name.value, 1)
        given = [self._find_size(argument.value, argument.name.value) for argument in node.arguments or ()]
        return max((one for one in given if one is not None), default=size)

    def _find_size(self, value: ValueNode, name: str) -> int | None:
        """Return the size that an argument, or a member of it, says; None where it says none."""
        if isinstance(value, VariableNode):
            return _size_of(self.variables.get(value.name.value), name)
        if isinstance(value, IntValueNode) and name in _ARGUMENTS:
            return _bounded(int(value.value))
        if isinstance(value, ObjectValueNode):
            found = [self._find_size(member.value, member.name.value) for member in value.fields]
            return max((one for one in found if one is not None), default=None)
        return None


def measure(document: DocumentNode, operation: OperationDefinitionNode, variables: Mapping[str, Any]) -> Measure:
    """Return what an operation of a document amounts to."""
    fragments = {node.name.value: node for node in document.definitions if isinstance(node, FragmentDefinitionNode)}
    return Measuring(fragments, variables).measure(operation)


def find_excess(measured: Measure) -> str | None:
    """Return the sentence that says what is too much; None where nothing is."""
    for name, value, most in (
        ("levels deep", measured.depth, DEPTH),
        ("aliases", measured.aliases, ALIASES),
        ("fields in the answer", measured.cost, COST),
    ):
        if value > most:
            return f"The operation may have at most {most} {name}"
    return None


def _size_of(value: Any, name: str) -> int | None:
    if isinstance(value, dict):
        members = cast("dict[str, Any]", value)
        return max((_bounded(members[key]) for key in _ARGUMENTS if isinstance(members.get(key), int)), default=None)
    return _bounded(value) if name in _ARGUMENTS and isinstance(value, int) else None


def _bounded(size: int) -> int:
    return min(max(size, 1), MOST_ITEMS)
