"""Whose address a request comes from: the peer's, or what trusted proxies say; and which addresses are allowed."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable
from functools import lru_cache
from typing import Final

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network
_SUBSCRIBER_BITS: Final = 64  # what one IPv6 subscriber is given


class Networks:
    """Addresses and networks, IPv4 and IPv6 alike; an IPv4 address written as IPv6 (`::ffff:…`) counts as IPv4."""

    def __init__(self, texts: Iterable[str]) -> None:
        self._networks: tuple[Network, ...] = tuple(ipaddress.ip_network(text, strict=False) for text in texts)

    def __bool__(self) -> bool:
        return bool(self._networks)

    def __contains__(self, address: Address | None) -> bool:
        return address is not None and any(address in network for network in self._networks)


@lru_cache(maxsize=4096)
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


@lru_cache(maxsize=4096)
def counting_name(address: Address | None) -> str:
    """What an address is counted under: itself, or its /64 where it is IPv6."""
    if isinstance(address, ipaddress.IPv6Address):
        return str(ipaddress.ip_network((int(address) >> _SUBSCRIBER_BITS << _SUBSCRIBER_BITS, _SUBSCRIBER_BITS)))
    return str(address)
