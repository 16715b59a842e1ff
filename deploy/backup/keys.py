"""The master keys of an installation: what seals and signs what an archive holds."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from pydantic import SecretStr

from deploy.backup.archive import Draft
from deploy.backup.manifest import ArchiveError, SavedKey
from runtime.config.settings import Settings
from runtime.pepper import APP_SECRET_FILE, FILE, SIGNING_KEY_FILE, sealing_key

_FINGERPRINT_CHARACTERS: Final = 16
_SETTINGS: Final = {
    FILE: "HYDROPHONE_KEY_PEPPER",
    SIGNING_KEY_FILE: "HYDROPHONE_WEBHOOK_SIGNING_KEY",
    APP_SECRET_FILE: "APP_SECRET_KEY",
}


@dataclass(frozen=True, slots=True)
class Key:
    """One key in use; `given` where a setting names it, not a file of the data directory."""

    name: str
    secret: bytes
    given: bool

    @property
    def fingerprint(self) -> str:
        """What tells it from another one and says nothing of it."""
        return sealing_key(self.secret, "backup fingerprint").hex()[:_FINGERPRINT_CHARACTERS]


def find_keys(settings: Settings, data: Path) -> dict[str, Key]:
    """Return the keys that are in use with these settings and this data directory, by file name; makes none."""
    given: Mapping[str, SecretStr | None] = {
        FILE: settings.access.key_pepper,
        SIGNING_KEY_FILE: settings.webhooks.signing_key,
        APP_SECRET_FILE: settings.trading.secret_key,
    }
    found: dict[str, Key] = {}
    for name, secret in given.items():
        if secret is not None:
            found[name] = Key(name, secret.get_secret_value().encode(), given=True)
        elif (data / name).is_file():
            found[name] = Key(name, (data / name).read_bytes(), given=False)
    return found


def save_keys(draft: Draft, keys: Iterable[Key], *, whole: bool) -> tuple[SavedKey, ...]:
    """Write the keys themselves where `whole`, and return what the manifest says of them."""
    saved: list[SavedKey] = []
    for key in keys:
        path = f"keys/{key.name}"
        if whole:
            with draft.writing(path) as file:
                file.write(key.secret)
        saved.append(SavedKey(name=key.name, fingerprint=key.fingerprint, file=draft.written(path) if whole else None))
    return tuple(saved)


def decide_keys(saved: Iterable[SavedKey], present: Mapping[str, Key], *, replace: bool) -> list[SavedKey]:
    """Return the keys that are to be written into the data directory.

    ArchiveError names those without which what is restored does not open, with what to do.
    """
    writing: list[SavedKey] = []
    problems: list[str] = []
    for key in saved:
        here = present.get(key.name)
        if here is not None and here.fingerprint == key.fingerprint:
            continue
        if key.file is not None and (here is None or (replace and not here.given)):
            writing.append(key)
        else:
            problems.append(_describe(key, here))
    if problems:
        raise ArchiveError("\n".join([*problems, "or restore with --other-keys: what they seal or sign is lost then"]))
    return writing


def _describe(key: SavedKey, here: Key | None) -> str:
    setting = _SETTINGS[key.name]
    if here is None:
        return f"key {key.name}: it is not here: put the file into the data directory, or set {setting}"
    if here.given:
        return f"key {key.name}: {setting} is another one than what was saved was sealed with"
    return f"key {key.name}: the data directory has another one than what was saved was sealed with: put it back"


def write_keys(archive: Path, data: Path, keys: Iterable[SavedKey]) -> None:
    """Write keys of the archive into the data directory, for its owner's eyes only."""
    for key in keys:
        if key.file is None:
            continue
        draft = data / f"{key.name}.restoring"
        draft.unlink(missing_ok=True)
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write((archive / key.file.path).read_bytes())
            file.flush()
            os.fsync(file.fileno())
        draft.rename(data / key.name)
