"""A test that hangs past its timeout ends the run, with its name and the stacks of its worker."""

from __future__ import annotations

import subprocess
import sys

import pytest

from tests.planned import ALONE, ROOT, plan

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


@pytest.mark.slow
@pytest.mark.parametrize("phase", HANGING)
def test_a_test_that_hangs_past_its_timeout_ends_the_run(tmp_path, phase):
    (tmp_path / "test_them.py").write_text(TEXT + HANGING[phase] + "def test_after(): pass\n")
    (tmp_path / "pytest.ini").write_text("[pytest]\ntimeout = 1\nhang_grace = 1\n")
    run = subprocess.run(
        [sys.executable, *plan("test"), "-p", "tests.hanging", "-p", "no:cacheprovider", "-q", tmp_path],
        cwd=ROOT,
        env=ALONE,
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
