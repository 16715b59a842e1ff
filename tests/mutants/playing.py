"""Makes one change at a time and runs the tests that reach it, each in a fork of a process that has all of them loaded.

A change inside a function replaces the code of the loaded function. One outside of all functions, or in a function that
ran while the files were loaded, needs them loaded again: its fork loads them with the changed one among them.
"""

from __future__ import annotations

import gc
import importlib.abc
import importlib.machinery
import json
import os
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from types import CodeType, FrameType, FunctionType, ModuleType
from typing import Any, Final

import pytest
from _pytest.runner import runtestprotocol
from hypothesis import settings

from tests.mutants.changes import Change, File
from tests.mutants.forking import RELOAD, SURVIVED, begin_fork, fork, limit_of

EXAMPLES: Final = 20


class Reached:
    """Notes which lines of some files run, under the name that is current."""

    def __init__(self, files: Sequence[File]) -> None:
        self._paths = {str(one.absolute): one.path for one in files}
        self.current = ""
        self.lines: dict[tuple[str, int], set[str]] = {}

    def begin(self) -> None:
        """Note from now on, in every thread."""
        threading.settrace(self._call)
        sys.settrace(self._call)

    @staticmethod
    def end() -> None:
        """Note nothing any more."""
        threading.settrace(None)  # type: ignore[arg-type]
        sys.settrace(None)

    def _call(self, frame: FrameType, event: str, argument: Any) -> Callable[..., Any] | None:
        path = self._paths.get(frame.f_code.co_filename)
        if path is None:
            return None

        def line(frame: FrameType, event: str, argument: Any) -> Callable[..., Any]:
            self.lines.setdefault((path, frame.f_lineno), set()).add(self.current)
            return line

        return line(frame, event, argument)


class FewerExamples:
    """A pytest plugin: properties are tried with few examples, the same each time."""

    @staticmethod
    def pytest_sessionstart() -> None:
        """Come after the profile of conftest."""
        settings.register_profile("mutants", settings(), max_examples=EXAMPLES, derandomize=True, database=None)
        settings.load_profile("mutants")


class Play:
    """A pytest plugin: in place of running the tests once it runs them for each change, and says what became of it."""

    def __init__(self, files: Sequence[File], say: Callable[[str, str], None], only: str) -> None:
        self._files, self._say, self._only = files, say, only
        self.loading = Reached(files)

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        """Take the place of pytest's own loop."""
        Reached.end()
        gc.unfreeze()
        items = {item.nodeid: item for item in session.items}
        reached, seconds = _measure(self._files, list(items.values()))
        functions = [one for one in gc.get_objects() if isinstance(one, FunctionType)]
        for file in self._files:
            loaded = {line for path, line in self.loading.lines if path == file.path}
            for change in file.changes:
                if self._only not in change.key:
                    continue
                if change.function is None or (loaded & _body(file, change)):
                    self._say(change.key, RELOAD)
                    continue
                names = set[str]().union(*(reached.get((file.path, line), ()) for line in change.lines))
                chosen = [items[name] for name in sorted(names, key=seconds.__getitem__)]
                limit = limit_of(sum(seconds[name] for name in names))
                self._say(change.key, self._try(file, change, functions, (chosen, limit)) if chosen else SURVIVED)
        return True

    @staticmethod
    def _try(file: File, change: Change, functions: list[FunctionType], run: tuple[list[pytest.Item], float]) -> str:
        chosen, limit = run

        def child() -> int:
            return _run(chosen) if _replace(file, change, functions) else 3

        return fork(child, limit)[0]


def _body(file: File, change: Change) -> set[int]:
    """The lines of the function that a change is in, without its first, which runs where it is defined."""
    mates = [
        one.lines for one in file.changes if (one.function, one.first_line) == (change.function, change.first_line)
    ]
    return {line for lines in mates for line in lines}


def _measure(
    files: Sequence[File], items: list[pytest.Item]
) -> tuple[dict[tuple[str, int], set[str]], dict[str, float]]:
    """Run every test once, in a fork; return which of them reach a line, and the processor seconds of each.

    Raises RuntimeError where one of them fails.
    """
    reading, writing = os.pipe()

    def child() -> int:
        reached, seconds = Reached(files), dict[str, float]()
        for item, following in zip(items, [*items[1:], None], strict=True):
            began, reached.current = time.process_time(), item.nodeid
            reached.begin()
            reports = runtestprotocol(item, nextitem=following, log=False)
            reached.end()
            seconds[item.nodeid] = time.process_time() - began
            if bad := [report.longreprtext for report in reports if report.failed]:
                raise RuntimeError(f"{item.nodeid} fails without any change: {bad[0]}")
        lines = [[path, line, sorted(names)] for (path, line), names in reached.lines.items()]
        with os.fdopen(writing, "w") as pipe:
            json.dump([lines, seconds], pipe)
        return 0

    with os.fdopen(reading) as pipe:
        pid = begin_fork(child)
        os.close(writing)
        text = pipe.read()
    os.waitpid(pid, 0)
    if not text:
        raise RuntimeError("the tests do not pass without any change")
    lines, seconds = json.loads(text)
    return {(path, line): set(names) for path, line, names in lines}, seconds


def _run(items: list[pytest.Item]) -> int:
    for item, following in zip(items, [*items[1:], None], strict=True):
        if any(report.failed for report in runtestprotocol(item, nextitem=following, log=False)):
            return 1
    return 0


def _codes(code: CodeType) -> Iterator[CodeType]:
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield constant
            yield from _codes(constant)


def _replace(file: File, change: Change, functions: list[FunctionType]) -> bool:
    """Give the loaded functions of a file the changed code; False where that cannot be done."""
    changed = {(one.co_qualname, one.co_firstlineno): one for one in _codes(file.compile(change))}
    found = False
    for function in functions:
        code = function.__code__
        if code.co_filename == str(file.absolute):
            instead = changed.get((code.co_qualname, code.co_firstlineno))
            if instead is None or instead.co_freevars != code.co_freevars:
                return False
            function.__code__ = instead
            found = found or code.co_qualname == change.function
    return found


class Changed(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Loads one file as it is with a change."""

    def __init__(self, file: File, change: Change) -> None:
        name = file.path.removesuffix(".py").removesuffix("/__init__").replace("/", ".")
        self._name, self._file, self._change = name, file, change

    def find_spec(self, fullname: str, path: Any, target: Any = None) -> importlib.machinery.ModuleSpec | None:
        """Answer for that file only."""
        if fullname != self._name:
            return None
        return importlib.machinery.ModuleSpec(fullname, self, origin=str(self._file.absolute))

    def exec_module(self, module: ModuleType) -> None:
        """Run the changed code."""
        module.__file__ = str(self._file.absolute)
        exec(self._file.compile(self._change), module.__dict__)


def reload(file: File, change: Change | None, tests: Sequence[str], seconds: float) -> tuple[str, float]:
    """Return what became of a change with which every file is loaded again, and its processor seconds."""

    def child() -> int:
        if change is not None:
            sys.meta_path.insert(0, Changed(file, change))
        return int(pytest.main([*OPTIONS, "-x", *tests], plugins=[FewerExamples()]) != 0)

    return fork(child, seconds)


OPTIONS: Final = (
    "-q",
    "-p",
    "no:cacheprovider",
    "-p",
    "no:xdist",
    "--no-header",
    "--timeout=0",
    "-m",
    "not long and not nats and not slow",
)


def root() -> Path:
    """The project's folder."""
    return Path(__file__).parents[2]
