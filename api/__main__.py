"""`python -m api`: the HTTP and WebSocket face as one process, with the settings of the environment."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Final

from runtime.app import entry

if __name__ == "__main__":
    entry.begin(without=entry.EXTRAS - entry.HTTP_SERVER)

from api.app import ApiOptions, compose, connection_limits
from api.http.server import make_server
from runtime.config import settings
from runtime.config.options import bus_options
from runtime.config.settings import Settings
from runtime.logging import logs
from runtime.pepper import load_pepper
from runtime.tracing.exporting import make_tracing

ASYNCAPI_FILE: Final = Path(__file__).resolve().parent.parent / "docs" / "asyncapi.json"


def main(arguments: list[str]) -> int:
    """Serve until a signal; 2 when the settings or the command line are wrong."""
    if arguments:
        print("usage: python -m api (everything is a setting: docs/settings.md)", file=sys.stderr)
        return 2
    try:
        found = settings.load()
        bus = bus_options(found.bus, "api")
    except (settings.SettingsError, ValueError) as error:
        print(error, file=sys.stderr)
        return 2
    logs.configure(log_config(found))
    for warning in found.warnings:
        logs.get().warning("settings.unused", text=warning)
    options = ApiOptions(
        settings=found.api,
        bus=bus,
        pepper=find_pepper(found),
        asyncapi=read_asyncapi,
        cache=found.cache.enabled,
        analytics=found.analytics,
        webhooks=found.webhooks.enabled,
        secrets=found.trading.secrets,
        tracing=make_tracing(found.traces, "api"),
        internal_token=internal_token(found),
        cache_ttl=found.cache.ttl,
        warm=found.venues.symbols,
    )
    server = make_server(compose(options), found.api.host, found.api.port, connection_limits(found.api))
    server.run()
    return 0 if server.started else 1


def log_config(found: Settings) -> logs.LogConfig:
    """How this process logs: at the level that `GPT_API_LOG_LEVEL` says, with every key taken out."""
    pepper, own = found.access.key_pepper, found.webhooks.signing_key
    single = (pepper, own, found.bot.internal_token, found.bot.core_token)
    keys = (*found.api.api_keys, *found.api.admin_keys, *(key for key in single if key is not None))
    return logs.LogConfig(
        part="api",
        level="DEBUG" if found.api.debug else found.api.log_level,
        directory=found.logs.directory,
        secrets=(*(key.get_secret_value() for key in keys), *found.trading.secrets),
    )


def find_pepper(found: Settings) -> bytes | None:
    """What the keys of the store are checked with; None, with a line in the log, where it can be had from nowhere."""
    given = found.access.key_pepper
    try:
        return load_pepper(None if given is None else given.get_secret_value(), found.store.data)
    except OSError as error:
        logs.get().error("api.no_pepper", error=str(error), hint="set HYDROPHONE_KEY_PEPPER: keys of the store are off")
        return None


def internal_token(found: Settings) -> str | None:
    """What programs beside the API prove themselves with; None where none is set."""
    given = found.bot.internal_token or found.bot.core_token
    return None if given is None else given.get_secret_value()


def read_asyncapi() -> bytes | None:
    """The bus's document as it was generated; None where it was not."""
    return ASYNCAPI_FILE.read_bytes() if ASYNCAPI_FILE.is_file() else None


if __name__ == "__main__":
    sys.exit(entry.run(main))
