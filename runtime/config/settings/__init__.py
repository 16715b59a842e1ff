"""Settings: what the environment and `.env` may say, read here only and handed on as values by composition roots.

`load()` returns every group or raises SettingsError with every wrong name at once. `python -m runtime.settings --check`
does the same from a shell. A group is a class in a file of this package: it is named in `Settings`.
"""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final, get_type_hints

from dotenv import dotenv_values
from pydantic_settings import BaseSettings

from runtime.config.check import (
    ALIASES,
    FILE_SUFFIX,
    URL_TEMPLATES,
    GroupReader,
    SettingsError,
    describe,
    find_warnings,
    secret_names,
    secret_values,
    venue_urls,
)
from runtime.config.settings.access import AccessSettings
from runtime.config.settings.alerts import AlertSettings
from runtime.config.settings.analytics import AnalyticsSettings
from runtime.config.settings.api import ApiSettings, CacheSettings
from runtime.config.settings.bot import BotSettings
from runtime.config.settings.bus import BusSettings
from runtime.config.settings.detectors import DetectorSettings
from runtime.config.settings.processes import LogSettings, PartSettings, TraceSettings
from runtime.config.settings.retention import RetentionSettings
from runtime.config.settings.store import StoreSettings, data_home
from runtime.config.settings.telegram import TelegramSettings
from runtime.config.settings.trading import TradingSettings
from runtime.config.settings.venues import DEFAULT_VENUES, VenueSettings
from runtime.config.settings.webhooks import WebhookSettings

__all__ = [
    "DEFAULT_VENUES",
    "GROUPS",
    "AccessSettings",
    "AlertSettings",
    "AnalyticsSettings",
    "ApiSettings",
    "BotSettings",
    "BusSettings",
    "CacheSettings",
    "DetectorSettings",
    "LogSettings",
    "PartSettings",
    "RetentionSettings",
    "Settings",
    "SettingsError",
    "StoreSettings",
    "TelegramSettings",
    "TraceSettings",
    "TradingSettings",
    "VenueSettings",
    "WebhookSettings",
    "data_home",
    "environment",
    "load",
    "main",
    "names",
]

ENV_FILE = Path(".env")


@dataclass(frozen=True)
class Settings:
    """Every group, validated; `warnings` are lines to log about names that nobody reads."""

    api: ApiSettings
    access: AccessSettings
    cache: CacheSettings
    analytics: AnalyticsSettings
    webhooks: WebhookSettings
    venues: VenueSettings
    bus: BusSettings
    store: StoreSettings
    retention: RetentionSettings
    alerts: AlertSettings
    detectors: DetectorSettings
    telegram: TelegramSettings
    bot: BotSettings
    trading: TradingSettings
    parts: PartSettings
    logs: LogSettings
    traces: TraceSettings
    warnings: tuple[str, ...] = ()

    def groups(self) -> list[BaseSettings]:
        """The groups, in order."""
        return [getattr(self, name) for name in _GROUP_BY_NAME]

    def secrets(self) -> tuple[str, ...]:
        """Every secret value, for `LogConfig.secrets`."""
        return secret_values(self.groups())


_GROUP_BY_NAME: Final[dict[str, type[BaseSettings]]] = {
    name: kind for name, kind in get_type_hints(Settings).items() if name != "warnings"
}
GROUPS: Final = tuple(_GROUP_BY_NAME.values())


def names() -> tuple[str, ...]:
    """Every setting's name, in the order of the groups, the venue addresses as their two templates, aliases last."""
    aliases = (info.validation_alias for group in GROUPS for info in group.model_fields.values())
    return (*(alias for alias in aliases if isinstance(alias, str)), *URL_TEMPLATES, *ALIASES)


def environment(env_file: Path = ENV_FILE) -> dict[str, str]:
    """The process environment over `.env`; for the composition roots that start other processes."""
    written = dotenv_values(env_file) if env_file.is_file() else {}
    return {**{name: value for name, value in written.items() if value is not None}, **os.environ}


def load(env_file: Path = ENV_FILE) -> Settings:
    """Read and check everything; raises SettingsError that names every wrong setting with its rule."""
    environ = environment(env_file)
    reader = GroupReader(env_file, environ)
    urls = {"ws_urls": venue_urls(environ, "WS_URL"), "rest_urls": venue_urls(environ, "REST_URL")}
    read = {name: reader.read(kind, **(urls if kind is VenueSettings else {})) for name, kind in _GROUP_BY_NAME.items()}
    if reader.problems:
        raise SettingsError(reader.problems)
    settings = Settings(**read)  # type: ignore[arg-type]  # each name has the kind that the class declares
    followed = {*DEFAULT_VENUES, *settings.venues.venues}
    in_files = [name + FILE_SUFFIX for name in secret_names(GROUPS)]
    return replace(settings, warnings=find_warnings(environ, (*names(), *in_files), followed))


def main(arguments: list[str]) -> int:
    """`--check`: print every value (secrets masked) and every warning, or every problem; 1 when there is one."""
    if arguments != ["--check"]:
        print("usage: python -m runtime.settings --check", file=sys.stderr)  # noqa: T201
        return 2
    try:
        settings = load()
    except SettingsError as error:
        print(error, file=sys.stderr)  # noqa: T201
        return 1
    lines = describe(settings.groups())
    print("\n".join([*lines, *(f"warning: {line}" for line in settings.warnings), "settings: all right"]))  # noqa: T201
    return 0
