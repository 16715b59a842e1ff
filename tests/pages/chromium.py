"""Finds a Chromium for the tests: the driver's own, the system's, or Debian's package, installed as root."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path
from typing import Final

from playwright.sync_api import sync_playwright

NAMES: Final = ("chromium", "chromium-browser", "google-chrome")
INSTALL_SECONDS: Final = 600
REFRESH: Final = ("apt-get", "update", "-qq")
INSTALL: Final = ("apt-get", "install", "-y", "-qq", "--no-install-recommends", "chromium")


class NoBrowserError(Exception):
    """There is none, and none could be installed; says why."""


def find_chromium() -> str:
    """Return the path of a Chromium; raises NoBrowserError."""
    return _drivers_own() or _systems() or _installed()


def _drivers_own() -> str | None:
    with sync_playwright() as driver:
        path = driver.chromium.executable_path
    return path if Path(path).is_file() else None


def _systems() -> str | None:
    return next((path for name in NAMES if (path := shutil.which(name))), None)


def _installed() -> str:
    if os.geteuid() != 0 or shutil.which("apt-get") is None:
        raise NoBrowserError("no Chromium: run `python -m playwright install chromium`, or install the system's")
    quiet = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    for command in (REFRESH, INSTALL):
        done = subprocess.run(command, check=False, capture_output=True, env=quiet, timeout=INSTALL_SECONDS)
        if done.returncode:
            last = done.stderr.decode(errors="replace").strip().splitlines()[-1:]
            raise NoBrowserError(f"no Chromium, and {' '.join(command)} failed: {' '.join(last)}")
    found = _systems()
    if found is None:
        raise NoBrowserError("no Chromium, not even after it was installed")
    return found
