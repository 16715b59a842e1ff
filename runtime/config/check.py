"""What is wrong with the settings, in words: every problem at once, names that nobody reads, values without secrets."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final, TypeVar, cast
from urllib.parse import urlsplit

from pydantic import SecretStr, ValidationError
from pydantic_settings import BaseSettings

URL_TEMPLATES: Final = ("HYDROPHONE_<VENUE>_WS_URL", "HYDROPHONE_<VENUE>_REST_URL")
FILE_SUFFIX: Final = "_FILE"
_OURS: Final = ("GPT_API_", "HYDROPHONE_")
_UNUSED: Final = {
    "GPT_API_REDIS_URL": "the cache lives on the bus",
    "REDIS_URL": "the cache lives on the bus",
}
_URL_NAME: Final = re.compile(r"^HYDROPHONE_([A-Z0-9]+)_(WS_URL|REST_URL)$")
_URL_FIELDS: Final = {"ws_urls": "WS_URL", "rest_urls": "REST_URL"}
Group = TypeVar("Group", bound=BaseSettings)


class SettingsError(ValueError):
    """One or more settings are wrong; the text names each with its rule and shows no value."""

    def __init__(self, problems: Sequence[str]) -> None:
        super().__init__("\n".join(["wrong settings:", *(f"  {problem}" for problem in problems)]))
        self.problems = tuple(problems)


class GroupReader:
    """Reads one group after another and remembers what was wrong, so that it can be said at once.

    A secret `NAME` that is not set is read from the file that `NAME_FILE` names; an empty file is none.
    """

    def __init__(self, env_file: Path, environ: Mapping[str, str]) -> None:
        self._env_file = env_file
        self._environ = environ
        self.problems: list[str] = []

    def read(self, kind: type[Group], **values: Any) -> Group:  # pydantic checks them
        """The group; after a problem one with defaults, which nobody may use."""
        try:
            return kind(_env_file=self._env_file, **values, **self._secrets(kind))
        except ValidationError as error:
            self.problems.extend(explain(error, kind))
            return kind.model_construct()

    def _secrets(self, kind: type[BaseSettings]) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for name in secret_names([kind]):
            path = self._environ.get(name + FILE_SUFFIX)
            if not path or self._environ.get(name):
                continue
            try:
                text = Path(path).read_text(encoding="utf-8").strip()
            except (OSError, UnicodeDecodeError):
                self.problems.append(f"{name}{FILE_SUFFIX}: must name a file that can be read")
                continue
            if text:
                found[name] = text
        return found


def secret_names(groups: Iterable[type[BaseSettings]]) -> tuple[str, ...]:
    """The settings that are secret: each may be in a file that `NAME_FILE` names."""
    fields = [info for group in groups for info in group.model_fields.values()]
    return tuple(str(info.validation_alias) for info in fields if "SecretStr" in repr(info.annotation))


def explain(error: ValidationError, kind: type[BaseSettings]) -> list[str]:
    """A line for each problem: the setting's name, then its rule; never the value."""
    lines: list[str] = []
    for problem in error.errors(include_input=False, include_url=False, include_context=False):
        rule = (
            problem["msg"].removeprefix("Value error, ").replace("Input should", "must").replace("Value should", "must")
        )
        lines.append(f"{_named([*problem['loc']], kind)}: {rule}")
    return lines


def _named(where: list[int | str], kind: type[BaseSettings]) -> str:
    match where:
        case ["ws_urls" | "rest_urls" as field, venue, *_]:
            return f"HYDROPHONE_{str(venue).upper()}_{_URL_FIELDS[field]}"
        case [name, int(entry), *_]:
            return f"{name} (entry {entry + 1})"
        case [str(field), *_] if field in kind.model_fields:  # a default, which pydantic names by its field
            return str(kind.model_fields[field].validation_alias)
        case _:
            return ".".join(str(part) for part in where)


def venue_urls(environ: Mapping[str, str], ending: str) -> dict[str, str]:
    """Venue id -> address, for the venues whose own address is replaced; empty values count as not set."""
    found = ((_URL_NAME.match(name), value) for name, value in environ.items())
    return {match[1].lower(): value for match, value in found if match and match[2] == ending and value}


def find_warnings(environ: Mapping[str, str], known: Iterable[str], venues: Iterable[str]) -> tuple[str, ...]:
    """A line for each name that looks like ours and that nobody reads, with the nearest one that somebody does."""
    templates = {template.replace("<VENUE>", venue.upper()) for template in URL_TEMPLATES for venue in venues}
    readable = {*known, *templates}
    lines = [f"{name} is accepted and not used: {why}" for name, why in _UNUSED.items() if environ.get(name)]
    for name in sorted(environ):
        if not name.startswith(_OURS) or name in readable or name in _UNUSED:
            continue
        near = difflib.get_close_matches(name, sorted(readable), n=1, cutoff=0.6)
        lines.append(f"{name} is no setting" + (f"; did you mean {near[0]}?" if near else ""))
    return tuple(lines)


def describe(groups: Iterable[BaseSettings]) -> list[str]:
    """`NAME=value` for every setting; secrets are masked."""
    lines: list[str] = []
    for group in groups:
        for field, info in type(group).model_fields.items():
            value = getattr(group, field)
            if isinstance(info.validation_alias, str):
                lines.append(f"{info.validation_alias}={_shown(value)}")
            else:
                lines.extend(
                    f"HYDROPHONE_{venue.upper()}_{_URL_FIELDS[field]}={address}" for venue, address in value.items()
                )
    return lines


def secret_values(groups: Iterable[BaseSettings]) -> tuple[str, ...]:
    """Every secret among the settings, credentials inside URLs on their own, for a log to know what to hide."""
    found: list[str] = []
    for group in groups:
        for value in group.__dict__.values():
            entries = cast("tuple[object, ...]", value) if isinstance(value, tuple) else (value,)
            found.extend(entry.get_secret_value() for entry in entries if isinstance(entry, SecretStr))
    urls = [part for text in found if "://" in text for part in text.split(",")]
    parts = [urlsplit(url) for url in urls]
    hidden = [
        secret for part in parts if (secret := part.password or part.username)
    ]  # a name beside a password is none
    return (*(text for text in found if "://" not in text), *hidden)


def _shown(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, SecretStr):
        return "***"
    if isinstance(value, tuple):
        return ",".join(_shown(part) for part in value)  # pyright: ignore[reportUnknownVariableType,reportUnknownArgumentType]
    return str(value).lower() if isinstance(value, bool) else str(value)
