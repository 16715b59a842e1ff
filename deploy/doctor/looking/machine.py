"""Facts of this machine: the data directory, ports, processes, certificates."""

from __future__ import annotations

import asyncio
import getpass
import os
import shutil
import ssl
import tempfile
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from cryptography import x509

from deploy.disk import needed_bytes
from deploy.doctor.facts import CertificateFact, CopyFact, DataFact, PortFact
from deploy.doctor.target import Target
from deploy.parts import BOOKS, METRICS_AFTER
from deploy.ready import is_free
from runtime.config.settings import Settings
from runtime.config.settings.retention import RetentionSettings

SECOND_NS: Final = 1_000_000_000
TLS_SECONDS: Final = 4.0
_PROBE: Final = b"0" * 4096


def look_at_data(data: Path, kept: RetentionSettings | None) -> DataFact:
    """Return what the data directory is like; `kept` where a copy would start there. Writes a file, and removes it."""
    place = next(path for path in (data, *data.parents) if path.exists())
    usage = shutil.disk_usage(place)
    files = (path for mode in ("demo", "run") for path in (data / mode / "nats").rglob("*"))
    return DataFact(
        path=str(data),
        user=getpass.getuser(),
        problem=_find_write_problem(data, place),
        free=usage.free,
        total=usage.total,
        needed=None if kept is None else needed_bytes(kept),
        held=0 if kept is None else sum(path.stat().st_size for path in files if path.is_file()),
    )


def _find_write_problem(data: Path, place: Path) -> str | None:
    if not place.is_dir():
        return f"{place} is no directory"
    if place != data:  # not there yet: it is made at the start
        return None if os.access(place, os.W_OK | os.X_OK) else f"it is not there, and {place} cannot be written"
    try:
        with tempfile.TemporaryFile(dir=data) as file:
            file.write(_PROBE)
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        return f"a file in it cannot be written ({error.strerror})"
    return None


def look_at_ports(settings: Settings) -> list[PortFact]:
    """Return the ports that the settings insist on; the others are chosen free at the start."""
    api, bot, metrics = settings.api, settings.bot, settings.logs.metrics_port
    named: list[tuple[str, str, int]] = []
    if "port" in api.model_fields_set:
        named.append(("GPT_API_PORT", api.host, api.port))
    if settings.telegram.token is not None and "internal_port" in bot.model_fields_set:
        named.append(("BOT_INTERNAL_PORT", bot.internal_host, bot.internal_port))
    if settings.telegram.token is not None and bot.webhook_url is not None:
        named.append(("TELEGRAM_WEBHOOK_LISTEN", *bot.webhook_place))
    if metrics:
        after = {part: place for part, place in METRICS_AFTER.items() if part != BOOKS or _has_books(settings)}
        named += [("HYDROPHONE_METRICS_PORT", "", metrics + place) for place in (0, *after.values())]
    return [PortFact(setting, host, port, is_free(host, port)) for setting, host, port in named if port]


def _has_books(settings: Settings) -> bool:
    return settings.venues.books == "elsewhere"


def look_at_copy(target: Target) -> CopyFact:
    """Return which parts of a running copy live."""
    parts = {name: _lives(pid) for name, pid in target.pids.items()}
    return CopyFact(str(target.data / "run.json"), target.mode or "run", str(target.data / "logs"), parts)


def _lives(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


async def look_at_certificates(settings: Settings) -> list[CertificateFact]:
    """Return the certificates that files of the settings hold, and those that HTTPS and TLS addresses of ours show."""
    files = {"NATS_TLS_CERT": settings.bus.tls_cert, "NATS_TLS_CA": settings.bus.tls_ca}
    found = [_read_file(name, path) for name, path in files.items() if path is not None]
    shown = {"GPT_API_PUBLIC_URL": settings.api.public_url, "TELEGRAM_WEBHOOK_URL": settings.bot.webhook_url}
    asked = [_ask(name, url) for name, url in shown.items() if url is not None and url.startswith("https:")]
    if settings.bus.url is not None:
        urls = (url.strip() for url in settings.bus.url.get_secret_value().split(","))
        asked += [_ask_bus(url) for url in urls if url.startswith("tls:")]
    return found + [fact for fact in await asyncio.gather(*asked) if fact is not None]


def _read_file(setting: str, path: Path) -> CertificateFact:
    """Return the times of a chain's first certificate, or of the one of some authorities that holds longest."""
    try:
        read = x509.load_pem_x509_certificates(path.read_bytes())
    except (OSError, ValueError) as error:
        return CertificateFact(setting, str(path), problem=str(error) or type(error).__name__)
    authorities = setting == "NATS_TLS_CA"
    return _describe(setting, str(path), max(read, key=lambda one: one.not_valid_after_utc) if authorities else read[0])


def _describe(setting: str, where: str, one: x509.Certificate) -> CertificateFact:
    begin, end = (int(when.timestamp()) * SECOND_NS for when in (one.not_valid_before_utc, one.not_valid_after_utc))
    return CertificateFact(setting, where, begin, end)


async def _ask(setting: str, url: str) -> CertificateFact | None:
    """Return the certificate that an address shows; None where it cannot be reached, which is another check's."""
    parts = urlsplit(url)
    host, port = parts.hostname or "", parts.port or 443
    try:
        async with asyncio.timeout(TLS_SECONDS):
            _, writer = await asyncio.open_connection(host, port, ssl=_any_certificate(), server_hostname=host)
    except (OSError, TimeoutError):
        return None
    return _read_shown(setting, f"{host}:{port}", writer)


async def _ask_bus(url: str) -> CertificateFact | None:
    """Return the certificate that a bus server shows behind its first line, as `_ask`."""
    parts = urlsplit(url)
    host, port = parts.hostname or "", parts.port or 4222
    try:
        async with asyncio.timeout(TLS_SECONDS):
            reader, writer = await asyncio.open_connection(host, port)
            await reader.readline()
            await writer.start_tls(_any_certificate(), server_hostname=host)
    except (OSError, TimeoutError):
        return None
    return _read_shown("the bus server", f"{host}:{port}", writer)


def _any_certificate() -> ssl.SSLContext:
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE  # an expired one is what is looked for
    return context


def _read_shown(setting: str, where: str, writer: asyncio.StreamWriter) -> CertificateFact | None:
    shown = writer.get_extra_info("ssl_object").getpeercert(binary_form=True)
    writer.transport.abort()
    return None if shown is None else _describe(setting, where, x509.load_der_x509_certificate(shown))
