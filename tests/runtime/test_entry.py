"""How a process of ours begins: what it imported is left out of collections, what it never calls is not imported."""

from __future__ import annotations

import importlib
import importlib.util
import os
import subprocess
import sys

import pytest

from runtime.app import entry

# In place of its loop each process says what it carries that it never calls, and how much the collector leaves out.
CODE = """
import gc, runpy, sys
sys.modules["watchfiles"] = None  # uvicorn's own, which is here before
import uvicorn, uvloop
del sys.modules["watchfiles"]
EXTRAS = {"rich", "pygments", "tornado", "aiohttp", "nacl", "watchfiles", "matplotlib", "numpy"}
def say(*_, **__): print(*sorted(EXTRAS & {*sys.modules}), gc.get_freeze_count(), flush=True); sys.exit(0)
uvloop.run = uvicorn.Server.run = say
sys.argv = [sys.argv[1]]
runpy.run_module(sys.argv[0], run_name="__main__")
"""


@pytest.mark.parametrize("module", ["producers", "consumers", "api"])
def test_what_was_imported_is_needed_and_left_out_of_collections(module: str) -> None:
    environ = {**os.environ, "NATS_URL": "nats://127.0.0.1:1", "PYTHONWARNINGS": "ignore"}
    done = subprocess.run(
        [sys.executable, "-c", CODE, module], capture_output=True, text=True, check=False, env=environ, timeout=120
    )
    *extras, left_out = done.stdout.splitlines()[-1].split()
    assert int(left_out) > 50_000, done.stderr[-2000:]
    assert extras == []


def test_what_is_left_out_can_be_imported_afterwards() -> None:
    with entry.importing(without={"this", "sys"}):
        with pytest.raises(ModuleNotFoundError, match="this"):
            importlib.import_module("this")
        assert importlib.import_module("sys") is sys  # it was there before
    assert importlib.util.find_spec("this") is not None
