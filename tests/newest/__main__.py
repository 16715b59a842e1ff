"""`python -m tests.newest`: imports every module with this Python, then starts the demo and asks its API (tests.smoke).

The exit code is 0 where all of it worked; what did not is printed. It needs the packages of requirements.lock only.
"""

from __future__ import annotations

import importlib
import json
import os
import pkgutil
import platform
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).parents[2]
PACKAGES = ("contracts", "runtime", "producers", "consumers", "api", "bot", "deploy")
START_SECONDS = 180
CALM = {"HYDROPHONE_VENUES": "binance,kraken", "HYDROPHONE_SYMBOLS": "BTC", "HYDROPHONE_SIMULATOR_RATE": "0.5"}


def import_everything() -> int:
    """Import every module of the packages but commands and what only other tools have; return how many."""
    done = 0
    for package in PACKAGES:
        for module in pkgutil.walk_packages([str(ROOT / package)], f"{package}."):
            if module.name.endswith("__main__") or module.name == "deploy.wheel_hook":  # hatchling's
                continue
            importlib.import_module(module.name)
            done += 1
    return done


def start_demo(data: Path, log: Path) -> subprocess.Popen[bytes]:
    """Start the demo of two exchanges on a directory."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("GPT_API_", "HYDROPHONE_"))}
    command = [sys.executable, "-m", "deploy.launch", "demo"]
    environ = {**kept, **CALM, "HYDROPHONE_DATA": str(data)}
    return subprocess.Popen(command, cwd=ROOT, env=environ, stdout=log.open("wb"), stderr=subprocess.STDOUT)


def smoke(url: str, key: str) -> list[str]:
    """The command that asks an API; a key may begin with a dash, so that it is one word with its option."""
    return [sys.executable, "-m", "tests.smoke", f"--key={key}", url]


def ask_demo(process: subprocess.Popen[bytes], run: Path) -> int:
    """Wait until the demo is ready and ask its API; return 0 where all was answered, else 1."""
    deadline = time.monotonic() + START_SECONDS
    while not run.exists():
        if process.poll() is not None or time.monotonic() > deadline:
            return 1
        time.sleep(0.2)
    facts = json.loads(run.read_text())
    print("documents:", "there" if facts["documents"]["url"] else "none for this Python", flush=True)
    asked = smoke(facts["api"]["url"], facts["api"]["key"])
    for _ in range(3):  # whatever needs a first price has it soon
        if subprocess.run(asked, cwd=ROOT, timeout=120, check=False).returncode == 0:
            return 0
        time.sleep(5)
    return 1


def main() -> int:
    """Return 0 where everything worked."""
    print(f"Python {platform.python_version()}: {import_everything()} modules imported", flush=True)
    with tempfile.TemporaryDirectory() as folder:
        data, log = Path(folder) / "data", Path(folder) / "log"
        process = start_demo(data, log)
        try:
            answered = ask_demo(process, data / "run.json")
        finally:
            process.send_signal(signal.SIGINT)
            ended = process.wait(60)
        if answered or ended:
            print(log.read_text()[-5000:], file=sys.stderr)
            print(f"the demo ended with {ended}, its questions with {answered}", file=sys.stderr)
    return 1 if answered or ended else 0


if __name__ == "__main__":
    sys.exit(main())
