"""Where the running copy is: from the environment, or from `run.json` in its data directory."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path


def run_facts() -> dict[str, dict[str, str]]:
    """Return what the copy on this machine says of itself; empty where there is none."""
    home = Path(os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share") / "hydrophone"
    data = Path(os.environ.get("HYDROPHONE_DATA") or home)
    for path in (data / "run.json", data / "demo" / "run.json", data / "run" / "run.json"):
        if path.exists():
            return json.loads(path.read_text())
    return {}


def api() -> tuple[str, str]:
    """Return the API's URL and a key; ends the program where they are not known."""
    found = run_facts().get("api", {})
    url = os.environ.get("HYDROPHONE_URL") or found.get("url")
    key = os.environ.get("HYDROPHONE_KEY") or found.get("key") or found.get("admin_key")
    if not url or not key:
        sys.exit("No running copy was found: start `make demo`, or set HYDROPHONE_URL and HYDROPHONE_KEY")
    return url, key


def bus() -> str:
    """Return the bus's URL for subscribers; ends the program where it is not known."""
    url = os.environ.get("NATS_URL") or run_facts().get("nats", {}).get("url")
    if not url:
        sys.exit("No running copy was found: start `make demo`, or set NATS_URL")
    return url
