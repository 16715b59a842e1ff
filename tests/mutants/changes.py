"""The small changes that a test should notice: where in a file each can be made, and the file's code with one of them.

Left alone is what decides nothing: annotations, docstrings, decorators, what is raised.
"""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from types import CodeType
from typing import Any, Final

Function = ast.FunctionDef | ast.AsyncFunctionDef
_COMPARED: Final[dict[type[ast.cmpop], type[ast.cmpop]]] = {
    ast.Lt: ast.LtE,
    ast.LtE: ast.Lt,
    ast.Gt: ast.GtE,
    ast.GtE: ast.Gt,
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
    ast.Is: ast.IsNot,
    ast.IsNot: ast.Is,
    ast.In: ast.NotIn,
    ast.NotIn: ast.In,
}
_COMPUTED: Final[dict[type[ast.operator], type[ast.operator]]] = {
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.Add,
    ast.Div: ast.Mult,
    ast.FloorDiv: ast.Mult,
    ast.Mod: ast.Mult,
    ast.Pow: ast.Mult,
    ast.BitOr: ast.BitAnd,
    ast.BitAnd: ast.BitOr,
    ast.LShift: ast.RShift,
    ast.RShift: ast.LShift,
}
_CALLED: Final = {"min": "max", "max": "min", "any": "all", "all": "any"}


@dataclass(slots=True)
class Change:
    """One change: where it is, as which text it is known, and how it is made in the tree and taken back.

    `lines` are those of the changed part; `function` is the outermost function that it is in, None outside of all.
    `key` stays the same when lines above are added: path, function, text, and which of several alike it is.
    """

    path: str
    function: str | None
    first_line: int  # of that function, with its decorators
    lines: range
    text: str
    key: str
    make: Callable[[], None]
    undo: Callable[[], None]


class File:
    """A parsed file with all changes that can be made to it."""

    def __init__(self, root: Path, path: str) -> None:
        self.path, self.absolute = path, root / path
        self._tree = ast.parse(self.absolute.read_text())
        self.changes = list(self._number(_visit(self._tree, path, None)))

    def compile(self, change: Change) -> CodeType:
        """Return the file's code with that change."""
        change.make()
        try:
            return compile(ast.fix_missing_locations(self._tree), str(self.absolute), "exec", dont_inherit=True)
        finally:
            change.undo()

    @staticmethod
    def _number(changes: Iterator[Change]) -> Iterator[Change]:
        seen: Counter[str] = Counter()
        for change in changes:
            seen[change.key] += 1
            change.key += f" #{seen[change.key]}" if seen[change.key] > 1 else ""
            yield change


def _visit(node: ast.AST, path: str, owner: Function | None, name: str = "") -> Iterator[Change]:
    for field, value in ast.iter_fields(node):
        if field in {"annotation", "returns", "decorator_list", "format_spec", "keywords"} and not isinstance(
            node, ast.Call
        ):
            continue
        if isinstance(node, ast.Raise):
            continue
        for place, child in enumerate(value if isinstance(value, list) else [value]):
            if not isinstance(child, ast.AST) or _decides_nothing(node, child, place):
                continue
            inner, inner_name = owner, name
            if owner is None and isinstance(child, Function | ast.ClassDef):
                inner_name = f"{name}.{child.name}".lstrip(".")
                inner = child if isinstance(child, Function) else None
            holder = (value, place) if isinstance(value, list) else (node, field)
            for was, becomes, make, undo in _changes_of(child, holder):
                yield _describe(path, (inner, inner_name), child, (was, becomes), (make, undo))
            yield from _visit(child, path, inner, inner_name)


def _describe(
    path: str,
    owner: tuple[Function | None, str],
    node: Any,
    texts: tuple[str, str],
    acts: tuple[Callable[[], None], ...],
) -> Change:
    function, name = owner
    text = " -> ".join(" ".join(one.split())[:90] for one in texts)
    first = 0 if function is None else min([function.lineno, *(one.lineno for one in function.decorator_list)])
    where = name if function is not None else name or "module"
    last = getattr(node, "end_lineno", None) or node.lineno
    return Change(
        path=path,
        function=None if function is None else name,
        first_line=first,
        lines=range(node.lineno, last + 1),
        text=text,
        key=f"{path} {where}: {text}",
        make=acts[0],
        undo=acts[1],
    )


def _decides_nothing(parent: ast.AST, child: ast.AST, place: int) -> bool:
    """Whether no change is made in a part of the tree: a docstring, what is raised when a promise is broken."""
    if isinstance(child, ast.Expr) and isinstance(child.value, ast.Constant):
        return True
    if isinstance(child, ast.Raise):
        return True
    if isinstance(parent, ast.Call) and isinstance(parent.func, ast.Name) and parent.func.id == "cast":
        return place == 0
    return isinstance(parent, ast.Assign | ast.AnnAssign) and _is_type(parent)


def _is_type(node: ast.Assign | ast.AnnAssign) -> bool:
    """Whether a statement names a type: `Levels = list[str] | None`."""
    targets = node.targets if isinstance(node, ast.Assign) else [node.target]
    (name,) = (one.id if isinstance(one, ast.Name) else "" for one in targets[:1])
    return name[:1].isupper() and not name.isupper()


Made = tuple[str, str, Callable[[], None], Callable[[], None]]


def _set(target: Any, field: Any, value: Any) -> Callable[[], None]:
    if isinstance(target, list):
        return lambda: target.__setitem__(field, value)
    return lambda: setattr(target, field, value)


def _swap(node: ast.AST, holder: tuple[Any, Any], instead: ast.AST) -> Made:
    """Replace a whole node by another one."""
    ast.copy_location(instead, node)
    return ast.unparse(node), ast.unparse(instead), _set(*holder, instead), _set(*holder, node)


def _field(node: ast.AST, target: Any, field: Any, value: Any) -> Made:
    """Replace a field (of `target`, which is the node or a list of it)."""
    before = target[field] if isinstance(target, list) else getattr(target, field)
    make, undo = _set(target, field, value), _set(target, field, before)
    was = ast.unparse(node)
    make()
    becomes = ast.unparse(node)
    undo()
    return was, becomes, make, undo


def _changes_of(node: ast.AST, holder: tuple[Any, Any]) -> Iterator[Made]:
    if isinstance(node, ast.Compare):
        for place, operator in enumerate(node.ops):
            yield _field(node, node.ops, place, _COMPARED[type(operator)]())
    elif isinstance(node, ast.BinOp | ast.AugAssign) and type(node.op) in _COMPUTED:
        yield _field(node, node, "op", _COMPUTED[type(node.op)]())
    elif isinstance(node, ast.BoolOp):
        yield _field(node, node, "op", ast.Or() if isinstance(node.op, ast.And) else ast.And())
    elif isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not | ast.USub):
        yield _swap(node, holder, node.operand)
    elif isinstance(node, ast.Constant):
        yield from _constant(node, holder)
    elif isinstance(node, ast.Call):
        if isinstance(node.func, ast.Name) and node.func.id in _CALLED:
            yield _field(node, node.func, "id", _CALLED[node.func.id])
    else:
        yield from _statement(node, holder)
    if isinstance(node, ast.If | ast.While | ast.IfExp) and not isinstance(
        node.test, ast.Compare | ast.UnaryOp | ast.BoolOp
    ):
        negated = ast.copy_location(ast.UnaryOp(ast.Not(), node.test), node.test)
        yield _swap(node.test, (node, "test"), negated)


def _constant(node: ast.Constant, holder: tuple[Any, Any]) -> Iterator[Made]:
    value = node.value
    if isinstance(value, bool):
        yield _swap(node, holder, ast.Constant(not value))
    elif isinstance(value, int | float):
        yield _swap(node, holder, ast.Constant(value + 1))
    elif isinstance(value, str):
        yield _swap(node, holder, ast.Constant(value + "XX"))
    elif isinstance(value, bytes):
        yield _swap(node, holder, ast.Constant(value + b"XX"))


def _statement(node: ast.AST, holder: tuple[Any, Any]) -> Iterator[Made]:
    if isinstance(node, ast.Return) and node.value is not None and not _is_none(node.value):
        yield _field(node, node, "value", ast.Constant(None))
    elif isinstance(node, ast.Expr) and isinstance(node.value, ast.Call):
        yield _swap(node, holder, ast.Pass())
    elif isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Attribute) and not _is_none(node.value):
        yield _field(node, node, "value", ast.Constant(None))
    elif isinstance(node, ast.Break):
        yield _swap(node, holder, ast.Continue())
    elif isinstance(node, ast.Continue):
        yield _swap(node, holder, ast.Break())


def _is_none(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and node.value is None
