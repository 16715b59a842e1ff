"""From the settings of the bus to the options of a connection."""

from __future__ import annotations

import ssl

from pydantic import SecretStr

from runtime.config.settings import BusSettings
from runtime.nats.bus import BusOptions


def bus_options(settings: BusSettings, name: str) -> BusOptions:
    """The options of a process called `name`; ValueError when no bus is named."""
    if settings.url is None:
        raise ValueError("NATS_URL is not set: name the bus, or start everything with `make demo` or `make run`")
    return BusOptions(
        servers=tuple(url.strip() for url in settings.url.get_secret_value().split(",")),
        name=name,
        token=_plain(settings.token),
        user=settings.user,
        password=_plain(settings.password),
        credentials=settings.creds_file,
        nkey_seed=settings.nkey_seed_file,
        tls=_tls(settings),
    )


def _plain(secret: SecretStr | None) -> str | None:
    return None if secret is None else secret.get_secret_value()


def _tls(settings: BusSettings) -> ssl.SSLContext | None:
    if settings.tls_ca is None and settings.tls_cert is None:
        return None
    context = ssl.create_default_context(cafile=None if settings.tls_ca is None else str(settings.tls_ca))
    if settings.tls_cert is not None and settings.tls_key is not None:
        context.load_cert_chain(settings.tls_cert, settings.tls_key)
    return context
