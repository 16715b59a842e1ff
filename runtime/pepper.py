"""The pepper of the key store: from its setting, else made once in the data directory, for its owner's eyes only."""

from __future__ import annotations

import contextlib
import os
import secrets
from pathlib import Path
from typing import Final

FILE: Final = "key-pepper"
_BYTES: Final = 32


def load_pepper(given: str | None, directory: Path) -> bytes:
    """Return the pepper; processes that share the directory get the same, whichever of them comes first.

    OSError where it can be neither read nor written.
    """
    if given:
        return given.encode()
    path = directory.expanduser() / FILE
    with contextlib.suppress(FileNotFoundError):
        return path.read_bytes()
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    draft = path.with_name(f"{FILE}.{secrets.token_hex(4)}.new")
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
        file.write(secrets.token_hex(_BYTES).encode())
        file.flush()
        os.fsync(file.fileno())
    try:
        with contextlib.suppress(FileExistsError):
            path.hardlink_to(draft)  # in one step, and never over another's
    finally:
        draft.unlink(missing_ok=True)
    return path.read_bytes()
