"""A test that hangs past its timeout ends the run, with its name and the stacks of its worker."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
ENVIRON = {name: value for name, value in os.environ.items() if not name.startswith(("PYTEST_", "MAKE", "MFLAGS"))}
# The alarm of pytest-timeout is never delivered: nothing but the watch ends these.
HANGING = {
    "setup": "@pytest.fixture\ndef made():\n    hang()\n\ndef test_hangs(made): pass\n",
    "call": "def test_hangs(): hang()\n",
    "teardown": "@pytest.fixture\ndef made():\n    yield\n    hang()\n\ndef test_hangs(made): assert False\n",
}
TEXT = """
import signal, threading, pytest

def hang():
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGALRM})
    threading.Event().wait()

def test_before(): print("what is captured is kept apart")
"""


def make_test() -> list[str]:
    """The command of `make test`."""
    plan = ["make", "--dry-run", "test"]
    said = subprocess.run(plan, cwd=ROOT, env=ENVIRON, capture_output=True, text=True, check=True).stdout
    return [sys.executable, *said.splitlines()[-1].split()[1:]]


@pytest.mark.slow
@pytest.mark.parametrize("phase", HANGING)
def test_a_test_that_hangs_past_its_timeout_ends_the_run(tmp_path, phase):
    (tmp_path / "test_them.py").write_text(TEXT + HANGING[phase] + "def test_after(): pass\n")
    (tmp_path / "pytest.ini").write_text("[pytest]\ntimeout = 1\nhang_grace = 1\n")
    run = subprocess.run(
        [*make_test(), "-p", "tests.hanging", "-p", "no:cacheprovider", "-q", tmp_path],
        cwd=ROOT,
        env=ENVIRON,
        capture_output=True,
        text=True,
        timeout=50,
        check=False,
    )
    assert run.returncode == 1, run.stdout + run.stderr
    assert "crashed while running" in run.stdout
    assert "::test_hangs" in run.stdout
    failed = 2 if phase == "teardown" else 1  # the assertion of the test, and its teardown
    assert f"{failed} failed" in run.stdout
    stacks = run.stderr[run.stderr.index("Timeout (0:00:02)!") :]
    assert "in hang" in stacks


def test_every_run_is_watched(request):
    watch = ROOT / "tests" / "hanging.py"
    assert request.config.pluginmanager.getplugin("tests.hanging").__file__ == str(watch)
