"""A URL as it may be posted to: read once and strictly, so that no other reader can take it for another one. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import Final
from urllib.parse import quote

from consumers.webhooks.transport.answer import RefusedAddressError

PORTS: Final = (443, 8443)
LONGEST_URL: Final = 2048
USER_AGENT: Final = "Hydrophone-Webhooks/1"
_URL: Final = re.compile(
    r"(?P<scheme>https?)://(?:(?P<user>[^/?#]*)@)?(?P<host>\[[^\]/?#@]*\]|[^\[\]:/?#@]*)(?::(?P<port>[0-9]{0,5}))?"
    r"(?P<path>[/?][^#]*)?(?:#.*)?",
    re.IGNORECASE | re.DOTALL,
)
_UNSAFE: Final = re.compile(r"[\x00-\x20\x7f\\]")
_LABELS: Final = re.compile(
    r"(?=.{1,253}\Z)(?:[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?\.)*[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?"
)
_NUMERIC: Final = re.compile(r"(?:.*\.)?(?:[0-9]+|0x[0-9a-f]*)")  # the last label: such a host is read as an address
_PATH_SAFE: Final = "/?:@!$&'()*+,;=-._~%[]|^`{}\"<>"
# Names that stand for no public host: RFC 6761, RFC 6762 (and its appendix G), RFC 8375, ICANN's `internal`.
_PRIVATE_NAMES: Final = frozenset(
    {"localhost", "localdomain", "local", "internal", "intranet", "private", "corp", "home", "lan", "home.arpa"}
)


@dataclass(frozen=True, slots=True, kw_only=True)
class TransportRules:
    """What may be posted to, and for how long.

    `allow` are `host` or `host:port` that are exempt from every rule about addresses, names, ports and TLS.
    """

    allow: frozenset[str] = frozenset()
    ports: frozenset[int] = frozenset(PORTS)
    seconds: float = 10.0  # in all, from resolving to the last byte of the answer
    at_once: int = 4  # posts to one URL; others wait, which is not in `seconds`


@dataclass(frozen=True)
class Target:
    """Where a URL leads: `host` is a name in ASCII or an address, `path` begins with a slash."""

    host: str
    port: int
    tls: bool
    path: str
    exempt: bool

    @property
    def address(self) -> IPv4Address | IPv6Address | None:
        """The address, where the host is one."""
        return _address_of(self.host)

    @property
    def key(self) -> tuple[str, int, bool, bool]:
        """What connections are shared by."""
        return (self.host, self.port, self.tls, self.exempt)

    @cached_property
    def head(self) -> bytes:
        """The request's first bytes, up to the headers that each post has of its own."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        port = "" if self.port == (443 if self.tls else 80) else f":{self.port}"
        lines = (
            f"POST {self.path} HTTP/1.1",
            f"Host: {host}{port}",
            f"User-Agent: {USER_AGENT}",
            "Accept: */*",
            "Content-Type: application/json",
            "",
        )
        return "\r\n".join(lines).encode("ascii")


def read_target(url: str, rules: TransportRules) -> Target:
    """Return where a URL leads; RefusedAddressError where it may not be posted to, whatever its name resolves to."""
    found = _URL.fullmatch(url) if len(url) <= LONGEST_URL and not _UNSAFE.search(url) else None
    if found is None:
        raise RefusedAddressError("not a URL like https://receiver.example/path")
    if found["user"] is not None:
        raise RefusedAddressError("a URL may hold no credentials")
    tls, host = found["scheme"].lower() == "https", _host(found["host"])
    port = int(found["port"] or (443 if tls else 80))
    exempt = is_allowed(host, port, rules.allow)
    if not exempt:
        _check(host, port, tls=tls, ports=rules.ports)
    if not 0 < port < 1 << 16:
        raise RefusedAddressError(f"there is no port {port}")
    path = found["path"] or "/"
    return Target(host, port, tls, quote(path if path[0] == "/" else f"/{path}", safe=_PATH_SAFE), exempt)


def is_allowed(host: str, port: int, allow: Iterable[str]) -> bool:
    """Return whether a host, or this port of it, is exempt."""
    shown = f"[{host}]" if ":" in host else host
    return not {host, shown, f"{shown}:{port}"}.isdisjoint(allow)


def _check(host: str, port: int, *, tls: bool, ports: frozenset[int]) -> None:
    if not tls:
        raise RefusedAddressError("only https is posted to")
    if port not in ports:
        raise RefusedAddressError(f"only the ports {', '.join(map(str, sorted(ports)))} are posted to")
    if any(host == name or host.endswith(f".{name}") for name in _PRIVATE_NAMES):
        raise RefusedAddressError("a name of private networks")


def _host(text: str) -> str:
    """Return a host as it is resolved: a name in ASCII and lower case without the last dot, or an address."""
    if text.startswith("["):
        address = _address_of(text[1:-1])
        if not isinstance(address, IPv6Address) or "%" in text:
            raise RefusedAddressError("not an IPv6 address without a zone")
        return str(address)
    name = text.lower() if text.isascii() else _in_ascii(text)
    name = name.removesuffix(".")
    if _NUMERIC.fullmatch(name):
        address = _address_of(name)
        if not isinstance(address, IPv4Address):
            raise RefusedAddressError("an IPv4 address is written as four decimal numbers")
        return str(address)
    if not _LABELS.fullmatch(name):
        raise RefusedAddressError("not the name of a host")
    return name


def _in_ascii(text: str) -> str:
    """Return a name beyond ASCII in ASCII, where there is one reading of it: a sharp s is `ss` to some only."""
    name = text.lower()
    try:
        encoded = name.encode("idna")
        same = encoded.decode("idna") == name
    except UnicodeError:
        same, encoded = False, b""
    if not same:
        raise RefusedAddressError("not the name of a host, or one to be written in ASCII (xn--...)")
    return encoded.decode("ascii").lower()


def _address_of(text: str) -> IPv4Address | IPv6Address | None:
    try:
        return ip_address(text)
    except ValueError:
        return None
