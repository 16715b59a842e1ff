"""Secrets of the installation: each from its setting, else made once in the data directory, for its owner's eyes only.

The pepper is what HMACs of keys are made with, and what the keys that seal documents come from. The signing key is what
webhooks are signed with for receivers that hold no secret. The app's secret is what keys of exchanges are sealed with.
"""

from __future__ import annotations

import base64
import contextlib
import os
import secrets
from collections.abc import Callable
from pathlib import Path
from typing import Final

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from runtime.config.fields import SIGNING_KEY_PREFIX

FILE: Final = "key-pepper"
SIGNING_KEY_FILE: Final = "webhook-signing-key"
APP_SECRET_FILE: Final = "app-secret"  # noqa: S105  # a name
_BYTES: Final = 32


def load_pepper(given: str | None, directory: Path) -> bytes:
    """Return the pepper; processes that share the directory get the same, whichever of them comes first.

    OSError where it can be neither read nor written.
    """
    return given.encode() if given else _load(directory / FILE, lambda: secrets.token_hex(_BYTES))


def load_app_secret(directory: Path) -> str:
    """Return the secret of an installation that keeps its own documents; OSError as `load_pepper`."""
    return _load(directory / APP_SECRET_FILE, lambda: secrets.token_hex(_BYTES)).decode()


def load_signing_key(given: str | None, directory: Path) -> Ed25519PrivateKey:
    """Return the key that webhooks are signed with, as `load_pepper` does; ValueError for a file that holds none."""
    text = given or _load(directory / SIGNING_KEY_FILE, _make_signing_key).decode().strip()
    raw = base64.b64decode(text.removeprefix(SIGNING_KEY_PREFIX), validate=True)
    return Ed25519PrivateKey.from_private_bytes(raw[:_BYTES])


def sealing_key(pepper: bytes, purpose: str) -> bytes:
    """Return the key of AES-256 that seals what is kept for one purpose."""
    return HKDF(hashes.SHA256(), _BYTES, None, f"hydrophone {purpose}".encode()).derive(pepper)


def _make_signing_key() -> str:
    return SIGNING_KEY_PREFIX + base64.b64encode(secrets.token_bytes(_BYTES)).decode()


def _load(path: Path, make: Callable[[], str]) -> bytes:
    path = path.expanduser()
    with contextlib.suppress(FileNotFoundError):
        return path.read_bytes()
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    draft = path.with_name(f"{path.name}.{secrets.token_hex(4)}.new")
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
        file.write(make().encode())
        file.flush()
        os.fsync(file.fileno())
    try:
        with contextlib.suppress(FileExistsError):
            path.hardlink_to(draft)  # in one step, and never over another's
    finally:
        draft.unlink(missing_ok=True)
    return path.read_bytes()
