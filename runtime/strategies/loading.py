"""Finds kinds of strategies by their names: those that come with the product, and a user's own in a directory.

An own strategy is trusted like the rest of the program: it runs in its process. What is checked here keeps honest
mistakes out: a file that is no strategy, or one that could decide differently over the same events.
"""

from __future__ import annotations

import ast
import importlib
import importlib.util
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any, Final, get_args

from pydantic import BaseModel, PydanticUserError

from contracts.errors import InvalidParameterError
from runtime.strategies import kinds as ours
from runtime.strategies.protocol import Kind, Reads, State

ALLOWED: Final = frozenset({
    *("__future__", "collections", "dataclasses", "decimal", "enum", "functools", "itertools", "math", "operator"),
    *("json", "re", "typing", "pydantic", "contracts", "runtime.strategies"),
})  # fmt: skip
"""What a strategy may import: nothing of it reads a clock, draws a number at random, or does I/O."""
_NAME: Final = re.compile(r"[a-z][a-z0-9_]{0,31}")
_READS: Final = frozenset(get_args(Reads))
_BUILTINS: Final = frozenset({"open", "exec", "eval", "compile", "input", "__import__", "float"})


class BadStrategyError(Exception):
    """A file is no strategy that can be run; the text says why."""


class Kinds:
    """Every kind by its name; `refused` has the reason of each file that is none."""

    def __init__(self, directory: Path | None = None) -> None:
        self._kinds = {kind.name: kind for kind in _list_ours()}
        self.refused: dict[str, str] = {}
        for path in [] if directory is None else sorted(directory.glob("*.py")):
            self._load(path)

    @property
    def names(self) -> list[str]:
        """The names of those that can be run."""
        return sorted(self._kinds)

    def find(self, name: str) -> Kind:
        """Return a kind; InvalidParameterError names those that there are, and why one is none."""
        kind = self._kinds.get(name)
        if kind is not None:
            return kind
        reason = self.refused.get(name)
        raise InvalidParameterError(
            f"There is no strategy {name}" if reason is None else f"The strategy {name} cannot be run: {reason}",
            parameter="kind",
            supported_kinds=self.names,
        )

    def _load(self, path: Path) -> None:
        try:
            kind = load(path)
            if kind.name in self._kinds:
                raise BadStrategyError("there is one of this name already")
        except BadStrategyError as error:
            self.refused[path.stem] = str(error)
        else:
            self._kinds[kind.name] = kind


def load(path: Path) -> Kind:
    """Return the kind of a file; BadStrategyError says what is wrong with it."""
    if not _NAME.fullmatch(path.stem):
        raise BadStrategyError("its name is not lower case letters, digits and _")
    try:
        tree = ast.parse(path.read_text(encoding="utf-8"), filename=path.name)
    except (OSError, SyntaxError, ValueError) as error:
        raise BadStrategyError(f"it cannot be read: {error}") from error
    for fault in _find_faults(tree):
        raise BadStrategyError(fault)
    return _checked(_executed(path), path.stem)


def _list_ours() -> Iterator[Kind]:
    for path in sorted(Path(ours.__path__[0]).glob("[a-z]*.py")):
        yield _checked(importlib.import_module(f"{ours.__name__}.{path.stem}"), path.stem)


def _find_faults(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
        if isinstance(node, ast.ImportFrom):
            names = [node.module or "." * node.level]
        for name in names:
            if not any(name == allowed or name.startswith(f"{allowed}.") for allowed in ALLOWED):
                yield f"line {getattr(node, 'lineno', 0)}: it may not import {name}: only {', '.join(sorted(ALLOWED))}"
        if isinstance(node, ast.Name) and node.id in _BUILTINS:
            yield f"line {node.lineno}: it may not use {node.id}: a strategy counts in Decimal and does no I/O"
        if isinstance(node, ast.Constant) and isinstance(node.value, float):
            yield f'line {node.lineno}: {node.value} is a float: write Decimal("{node.value}")'


def _executed(path: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location(f"own_strategy_{path.stem}", path)
    if spec is None or spec.loader is None:
        raise BadStrategyError("it cannot be loaded")
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # where pydantic looks the names of its annotations up
    try:
        spec.loader.exec_module(module)
    except Exception as error:
        raise BadStrategyError(f"it fails when it is loaded: {type(error).__name__}: {error}") from error
    return module


def _checked(module: ModuleType, name: str) -> Kind:
    kind: Any = getattr(module, "KIND", None)
    if not isinstance(kind, Kind):
        raise BadStrategyError("it has no KIND = Kind(…)")
    if kind.name != name:
        raise BadStrategyError(f"KIND is called {kind.name!r}, the file {name!r}")
    if not _is_model(kind.params, BaseModel):
        raise BadStrategyError("its params are no pydantic model")
    if not _is_model(kind.state, State):
        raise BadStrategyError("its state is no model that is derived from State")
    try:
        kind.params.model_rebuild()
        kind.state.model_rebuild()
    except PydanticUserError as error:
        raise BadStrategyError(f"a model of it is not whole: {error.message}") from error
    missing = [name for name in ("begin", "decide") if not callable(getattr(kind.make, name, None))]
    if missing:
        raise BadStrategyError(f"its class has no {' and no '.join(missing)}")
    unknown = sorted(set(kind.reads) - _READS)
    if unknown or not kind.reads:
        raise BadStrategyError(f"it reads {', '.join(unknown) or 'nothing'}: only {', '.join(sorted(_READS))}")
    return kind


def _is_model(model: Any, base: type[BaseModel]) -> bool:
    return isinstance(model, type) and issubclass(model, base)
