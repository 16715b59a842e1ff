"""Every module that calls itself pure is one: neither it nor anything that it imports does I/O or reads a clock."""

from __future__ import annotations

import ast
import re
from functools import cache
from pathlib import Path

import grimp
import pytest

ROOT = Path(__file__).parents[1]
ROOMS = ("contracts", "runtime", "producers", "consumers", "api", "bot", "deploy")
FOREIGN = frozenset({
    *("asyncio", "nats", "faststream", "fastapi", "starlette", "uvicorn", "httpx", "websockets", "picows"),
    *("motor", "pymongo", "structlog", "logging", "socket", "subprocess", "threading", "time", "prometheus_client"),
})  # fmt: skip
OURS = ("runtime.clock", "runtime.nats", "runtime.logging", "runtime.config", "runtime.store", "runtime.servers")
PURE = re.compile(r"\bpure\b(?! but)", re.IGNORECASE)


def modules() -> list[str]:
    """List the modules whose docstring says that they are pure, in its first paragraph."""
    found: list[str] = []
    for room in ROOMS:
        for path in sorted(ROOT.joinpath(room).rglob("*.py")):
            words = ast.get_docstring(ast.parse(path.read_text())) or ""
            if PURE.search(words.split("\n\n")[0]):
                parts = path.relative_to(ROOT).with_suffix("").parts
                found.append(".".join(parts[:-1] if parts[-1] == "__init__" else parts))
    return found


@cache
def declared() -> frozenset[str]:
    return frozenset(modules())


@cache
def graph() -> grimp.ImportGraph:
    return grimp.build_graph(*ROOMS, include_external_packages=True, exclude_type_checking_imports=True, cache_dir=None)


def impure(module: str) -> bool:
    """Say whether it does I/O; one of ours that calls itself pure is held to it by a case of its own."""
    ours = any(module == room or module.startswith(f"{room}.") for room in OURS)
    return module in FOREIGN or (ours and module not in declared())


@pytest.mark.parametrize("module", modules())
def test_a_module_that_calls_itself_pure_reaches_no_io(module: str) -> None:
    reached = {found for found in graph().find_upstream_modules(module) if impure(found)}
    chains = [" -> ".join(graph().find_shortest_chain(module, found) or ()) for found in sorted(reached)]
    assert not chains


def test_cores_say_that_they_are_pure() -> None:
    """Where the word is missing the rule would not hold."""
    cores = {f"consumers.{path.parent.name}.core" for path in ROOT.glob("consumers/*/core.py")}
    assert cores <= set(modules())


def test_the_rule_finds_a_module_that_is_not_pure() -> None:
    assert any(map(impure, graph().find_upstream_modules("consumers.candles.handlers")))
