"""Whose address a request comes from: the peer's, or what trusted proxies say; and which addresses are allowed."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable
from functools import lru_cache
from typing import Final, NamedTuple

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network
_SUBSCRIBER_BITS: Final = 64  # what one IPv6 subscriber is given
_MOST_KNOWN: Final = 4096  # addresses whose texts are kept


class Networks:
    """Addresses and networks, IPv4 and IPv6 alike; an IPv4 address written as IPv6 (`::ffff:…`) counts as IPv4."""

    def __init__(self, texts: Iterable[str]) -> None:
        self._networks: tuple[Network, ...] = tuple(ipaddress.ip_network(text, strict=False) for text in texts)

    def __bool__(self) -> bool:
        return bool(self._networks)

    def __contains__(self, address: Address | None) -> bool:
        return address is not None and any(address in network for network in self._networks)


@lru_cache(maxsize=_MOST_KNOWN)
def find_address(text: str) -> Address | None:
    """Read one address, bare or in brackets, with or without a port; None where it is none."""
    text = text.strip()
    if text.startswith("["):
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        text = text.partition(":")[0]
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return None
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return mapped or address


def client_address(peer: str | None, forwarded: bytes | None, trusted: Networks) -> Address | None:
    """Return who requests. `X-Forwarded-For` counts only from trusted proxies, read from its right end.

    The first hop that is no trusted proxy is the client; what stands left of it, anybody may have written.
    """
    address = find_address(peer or "")
    if forwarded is None or address not in trusted:
        return address
    for hop in reversed(forwarded.decode("latin-1").split(",")):
        found = find_address(hop)
        if found is None:
            return address
        address = found
        if address not in trusted:
            return address
    return address


class _Names(NamedTuple):
    """The texts of an address, which is kept so that its `id` stays its own."""

    address: Address | None
    text: str
    counting: str


_names: Final[dict[int, _Names]] = {}  # by `id`: the hash of an address costs as much as its text


def address_text(address: Address | None) -> str:
    """Return how an address is written."""
    return _names_of(address).text


def counting_name(address: Address | None) -> str:
    """Return what an address is counted under: itself, or its /64 where it is IPv6."""
    return _names_of(address).counting


def _names_of(address: Address | None) -> _Names:
    found = _names.get(id(address))
    if found is not None:
        return found
    if len(_names) >= _MOST_KNOWN:
        _names.clear()
    text = counting = str(address)
    if isinstance(address, ipaddress.IPv6Address):
        subscriber = int(address) >> _SUBSCRIBER_BITS << _SUBSCRIBER_BITS
        counting = str(ipaddress.ip_network((subscriber, _SUBSCRIBER_BITS)))
    found = _names[id(address)] = _Names(address, text, counting)
    return found
