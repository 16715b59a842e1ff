"""Ends a run in which a test hangs past its own timeout: its worker says where it stood and dies.

pytest-timeout raises an exception in the main thread, once. Where that lands in a callback of an event loop it is
swallowed; and with a test's first failure its alarm ends, so that what hangs in the teardown has no limit at all. Each
phase of a test therefore has its timeout and a grace period, after which faulthandler writes the stack of every thread
and ends the process, by a thread of its own that needs no interpreter lock. pytest-xdist names the test and ends the
run (`--max-worker-restart 0`: it would try the test again, and its scheduler waits for ever for a worker with one
test).
"""

from __future__ import annotations

import faulthandler
import os
from collections.abc import Generator
from contextlib import contextmanager, nullcontext
from typing import Any

import pytest

GRACE = "hang_grace"
_STDERR = pytest.StashKey[int]()


def pytest_addoption(parser: pytest.Parser) -> None:
    """The grace period is a setting of pytest's."""
    parser.addini(GRACE, "seconds that a phase of a test may take beyond the test's timeout", default="60")


@pytest.hookimpl(trylast=True)
def pytest_sessionstart(session: pytest.Session) -> None:
    """Keep the terminal's standard error: while tests run, the usual one is a file of the capture's."""
    capture: Any = session.config.pluginmanager.getplugin("capturemanager")
    with nullcontext() if capture is None else capture.global_and_fixture_disabled():
        session.config.stash[_STDERR] = os.dup(2)


def _seconds(item: pytest.Item) -> float:
    marker = item.get_closest_marker("timeout")
    if marker is None:
        return float(item.config.getini("timeout") or 0)
    return float(marker.args[0] if marker.args else marker.kwargs["timeout"])


@contextmanager
def _watched(item: pytest.Item) -> Generator[None]:
    if seconds := _seconds(item):
        after = seconds + float(item.config.getini(GRACE))
        faulthandler.dump_traceback_later(after, file=item.config.stash[_STDERR], exit=True)
    try:
        yield
    finally:
        faulthandler.cancel_dump_traceback_later()


# A phase each: pytest itself ends the watch of a test that has failed, and its teardown may hang all the same.
@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> Generator[None, object, object]:
    """Watch what a test needs while it is made."""
    with _watched(item):
        return (yield)


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_call(item: pytest.Item) -> Generator[None, object, object]:
    """Watch the test."""
    with _watched(item):
        return (yield)


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_teardown(item: pytest.Item) -> Generator[None, object, object]:
    """Watch what ends what the test needed."""
    with _watched(item):
        return (yield)
