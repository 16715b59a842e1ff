"""What is wrong with the settings, in words: every problem at once, names that nobody reads, values without secrets."""

from __future__ import annotations

import difflib
import re
from collections.abc import Container, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final, TypeVar, cast
from urllib.parse import urlsplit

from pydantic import SecretStr, ValidationError
from pydantic_settings import BaseSettings

from contracts.instrument import VENUE_ALIASES

URL_TEMPLATES: Final = ("HYDROPHONE_<VENUE>_WS_URL", "HYDROPHONE_<VENUE>_REST_URL")
FILE_SUFFIX: Final = "_FILE"
_OURS: Final = ("GPT_API_", "HYDROPHONE_")
ALIASES: Final = {
    "PORT": ("GPT_API_PORT",),
    "PRICE_FEED_WS_URL": ("HYDROPHONE_INDODAX_WS_URL",),
    "LOG_LEVEL": ("HYDROPHONE_LOG_LEVEL", "GPT_API_LOG_LEVEL"),
}
"""Names that platforms and older systems have for settings of ours; ours wins where both are set."""
UNUSED: Final = {
    "GPT_API_REDIS_URL": "the cache lives on the bus",
    "REDIS_URL": "the cache lives on the bus",
    "DATABASE_URL": "state lives on the bus and in documents (MONGO_URL)",
}
_VENUE_KEY: Final = re.compile(r"^GPT_API_([A-Z0-9]+)_(?:API_KEY|(?:API_)?SECRET|(?:API_)?PASSPHRASE)(?:_FILE)?$")
_KEYLESS: Final = "market data needs no key; to trade, link an account (/link, POST /api/trading/accounts)"
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

    A secret `NAME` that is not set is read from the file that `NAME_FILE` names; an empty file is none. A setting that
    is not set is read from its alias.
    """

    def __init__(self, env_file: Path, environ: Mapping[str, str]) -> None:
        self._env_file = env_file
        self._environ = environ
        self._alias_of = {name: alias for alias, name in _set_aliases(environ) if not environ.get(name)}
        self.problems: list[str] = []

    def read(self, kind: type[Group], **values: Any) -> Group:  # pydantic checks them
        """The group; after a problem one with defaults, which nobody may use."""
        try:
            return kind(_env_file=self._env_file, **values, **self._aliased(kind), **self._secrets(kind))
        except ValidationError as error:
            self.problems.extend(self._as_it_was_set(line) for line in explain(error, kind))
            return kind.model_construct()

    def _aliased(self, kind: type[BaseSettings]) -> dict[str, str]:
        named = {str(info.validation_alias) for info in kind.model_fields.values()}
        return {name: self._environ[alias] for name, alias in self._alias_of.items() if name in named}

    def _as_it_was_set(self, problem: str) -> str:
        name, separator, rule = problem.partition(": ")
        return self._alias_of.get(name, name) + separator + rule

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
    aliased = {name: environ[alias] for alias, name in _set_aliases(environ)}
    named = {name: value for name, value in environ.items() if value}
    found = ((_URL_NAME.match(name), value) for name, value in {**aliased, **named}.items())
    return {match[1].lower(): value for match, value in found if match and match[2] == ending}


def find_warnings(environ: Mapping[str, str], known: Iterable[str], venues: Iterable[str]) -> tuple[str, ...]:
    """A line for each name that looks like ours and that nobody reads, with the nearest one that somebody does."""
    followed = {venue.upper() for venue in venues}
    templates = {template.replace("<VENUE>", venue) for template in URL_TEMPLATES for venue in followed}
    readable = {*known, *templates}
    lines = [f"{name} is accepted and not used: {why}" for name, why in UNUSED.items() if environ.get(name)]
    for alias, name in _set_aliases(environ):
        if environ.get(name) and environ[alias] != environ[name]:
            lines.append(f"{alias} is not used for {name}, which is set")
    ours = (name for name in sorted(environ) if name.startswith(_OURS))
    lines += [_unknown(name, readable, followed) for name in ours if name not in readable and name not in UNUSED]
    return tuple(lines)


def _set_aliases(environ: Mapping[str, str]) -> list[tuple[str, str]]:
    """Return the aliases that are set, each with a setting that it stands for."""
    return [(alias, name) for alias, named in ALIASES.items() if environ.get(alias) for name in named]


def _unknown(name: str, readable: Iterable[str], followed: Container[str]) -> str:
    key = _VENUE_KEY.match(name)
    if key is not None and VENUE_ALIASES.get(key[1].lower(), key[1]).upper() in followed:
        return f"{name} is accepted and not used: {_KEYLESS}"
    near = difflib.get_close_matches(name, sorted(readable), n=1, cutoff=0.6)
    return f"{name} is no setting" + (f"; did you mean {near[0]}?" if near else "")


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
