"""The data directory of one running copy: its lock, and run.json, which says where everything is."""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from runtime.pepper import APP_SECRET_FILE, FILE, SIGNING_KEY_FILE

COPIES: Final = 20
FOLDERS: Final = frozenset({"demo", "run", "logs"})
OURS: Final = FOLDERS | {"lock", "run.json", "run.json.new", "lost+found", FILE, SIGNING_KEY_FILE, APP_SECRET_FILE}


class NoDirectoryError(RuntimeError):
    """Every data directory that may be used belongs to a running copy already."""


@contextmanager
def claimed(wanted: Path) -> Generator[Path]:
    """This directory, or `<name>-2` and so on beside it while another copy holds it; ours for as long as the block."""
    for number in range(1, COPIES + 1):
        path = wanted if number == 1 else wanted.with_name(f"{wanted.name}-{number}")
        lock = _try_lock(path)
        if lock is None:
            continue
        try:
            remove_run(path)  # a killed copy may have left its own
            yield path
        finally:
            remove_run(path)
            os.close(lock)
        return
    raise NoDirectoryError(f"{wanted} and {COPIES - 1} directories beside it are all in use")


@contextmanager
def held(path: Path) -> Generator[None]:
    """Keep every copy out of this directory for as long as the block lasts; NoDirectoryError where one is in it."""
    lock = _try_lock(path)
    if lock is None:
        raise NoDirectoryError(f"{path} is in use: stop what runs there first")
    try:
        yield
    finally:
        os.close(lock)


def _make_private(path: Path) -> None:
    """Create the directory for its owner's eyes only; one that exists is made so, what we keep in it in any case.

    A directory that holds other things too is somebody's own: only our folders in it are closed.
    """
    path.mkdir(parents=True, exist_ok=True, mode=0o700)
    entries = {entry.name for entry in path.iterdir()}
    for folder in (*([path] if entries <= OURS else []), *(path / name for name in FOLDERS & entries)):
        if folder.stat().st_mode & 0o077:
            folder.chmod(0o700)


def _try_lock(path: Path) -> int | None:
    _make_private(path)
    lock = os.open(path / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(lock)
        return None
    return lock


def save_run(directory: Path, run: Mapping[str, object]) -> Path:
    """Write run.json in one step, readable by its owner only, and return its path.

    OSError where the disk takes it not; the file that was there stays.
    """
    draft = directory / "run.json.new"
    draft.unlink(missing_ok=True)
    try:
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
            json.dump(run, file, indent=2)
            file.write("\n")
        return draft.replace(directory / "run.json")
    except OSError:
        draft.unlink(missing_ok=True)
        raise


def read_run(directory: Path) -> Mapping[str, Any] | None:
    """Return what run.json says, None where there is none; OSError, ValueError where it cannot be read."""
    path = directory / "run.json"
    return json.loads(path.read_text()) if path.is_file() else None


def remove_run(directory: Path) -> None:
    """Remove run.json if it is there."""
    (directory / "run.json").unlink(missing_ok=True)
