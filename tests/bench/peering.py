"""The peers' environment: made once into `.bench/peers` from the pins beside this file, never mixed with ours."""

from __future__ import annotations

import asyncio
import hashlib
import os
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path

PINS = Path(__file__).resolve().parent / "peers.txt"
WANTED = (3, 13)  # cryptofeed 3 needs it
SECONDS = 240


@dataclass(frozen=True, slots=True)
class Peers:
    """The interpreter of the peers, who of them is there, and what is to be said about that."""

    python: Path | None
    names: tuple[str, ...]
    note: str


def find_python() -> tuple[Path, bool]:
    """A Python 3.13 (True), or this one (False). A shim that starts nothing does not count: pyenv has such."""
    version = ".".join(map(str, WANTED))
    places = sorted((Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv")) / "versions").glob(f"{version}*"))
    candidates = [*(place / "bin" / "python" for place in reversed(places)), shutil.which(f"python{version}")]
    for candidate in candidates:
        if candidate and Path(candidate).exists():
            return Path(candidate), True
    return Path(sys.executable), sys.version_info[:2] >= WANTED


async def _run(*command: str, log: Path) -> bool:
    with log.open("ab") as out:
        child = await asyncio.create_subprocess_exec(*command, stdin=asyncio.subprocess.DEVNULL, stdout=out, stderr=out)
        try:
            async with asyncio.timeout(SECONDS):
                return await child.wait() == 0
        except TimeoutError:
            child.kill()
            await child.wait()
            return False


async def prepare(work: Path) -> Peers:
    """Make the environment where it is not there, or where its pins changed."""
    base, full = find_python()
    names = ("cryptofeed", "ccxt") if full else ("ccxt",)
    note = "" if full else f"cryptofeed 3 needs Python {WANTED[0]}.{WANTED[1]}, which was not found: CCXT Pro only"
    home, log = work / "peers", work / "peers.log"
    python, stamp = home / "bin" / "python", home / "pins"
    pins = hashlib.sha256(PINS.read_bytes() + str(base).encode()).hexdigest()
    if stamp.exists() and stamp.read_text() == pins:
        return Peers(python, names, note)
    shutil.rmtree(home, ignore_errors=True)
    install = ("-m", "pip", "install", "-q", "--disable-pip-version-check", "--require-hashes", "-r", str(PINS))
    made = await _run(str(base), "-m", "venv", str(home), log=log) and await _run(str(python), *install, log=log)
    if not made:
        return Peers(None, (), f"the peers' environment could not be made (see {log.name} in .bench): our side only")
    stamp.write_text(pins)
    return Peers(python, names, note)
