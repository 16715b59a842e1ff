"""How a process of ours begins: what it imported is not looked through by garbage collections while it runs."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

# In place of its loop each process says how much the collector leaves out.
CODE = """
import gc, runpy, sys, uvicorn, uvloop
def say(*_, **__): print(gc.get_freeze_count(), flush=True); sys.exit(0)
uvloop.run = uvicorn.Server.run = say
sys.argv = [sys.argv[1]]
runpy.run_module(sys.argv[0], run_name="__main__")
"""


@pytest.mark.parametrize("module", ["producers", "consumers", "api"])
def test_what_was_imported_is_left_out_of_collections(module: str) -> None:
    environ = {**os.environ, "NATS_URL": "nats://127.0.0.1:1", "PYTHONWARNINGS": "ignore"}
    done = subprocess.run(
        [sys.executable, "-c", CODE, module], capture_output=True, text=True, check=False, env=environ, timeout=120
    )
    assert int(done.stdout.split()[-1]) > 50_000, done.stderr[-2000:]
