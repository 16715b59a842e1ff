"""Which addresses are public: everything else may lead into somebody's network, and is refused. Pure.

Of IPv6 only global unicast is (2000::/3), without what carries an IPv4 address or a tunnel's end:
https://www.iana.org/assignments/iana-ipv6-special-registry https://www.iana.org/assignments/iana-ipv4-special-registry
"""

from __future__ import annotations

from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network
from typing import Final

Address = IPv4Address | IPv6Address

_V4: Final = tuple(
    (IPv4Network(network), why)
    for network, why in (
        ("0.0.0.0/8", "this network"),
        ("10.0.0.0/8", "private"),
        ("100.64.0.0/10", "carrier-grade NAT"),
        ("127.0.0.0/8", "loopback"),
        ("169.254.0.0/16", "link-local or metadata"),
        ("172.16.0.0/12", "private"),
        ("192.0.0.0/24", "reserved for protocols or metadata"),
        ("192.0.2.0/24", "documentation"),
        ("192.88.99.0/24", "6to4 relay"),
        ("192.168.0.0/16", "private"),
        ("198.18.0.0/15", "benchmarking"),
        ("198.51.100.0/24", "documentation"),
        ("203.0.113.0/24", "documentation"),
        ("224.0.0.0/4", "multicast"),
        ("240.0.0.0/4", "reserved or broadcast"),
        ("168.63.129.16/32", "metadata"),  # Azure's, at an address that is public otherwise
    )
)
_GLOBAL_UNICAST: Final = IPv6Network("2000::/3")
_V6: Final = tuple(
    (IPv6Network(network), why)
    for network, why in (
        ("::1/128", "loopback"),
        ("::ffff:0:0/96", "mapped IPv4"),
        ("64:ff9b::/96", "NAT64"),
        ("64:ff9b:1::/48", "NAT64"),
        ("fc00::/7", "private"),
        ("fe80::/10", "link-local"),
        ("ff00::/8", "multicast"),
        ("2001::/32", "Teredo"),
        ("2001::/23", "reserved for protocols"),
        ("2001:db8::/32", "documentation"),
        ("2002::/16", "6to4"),
        ("3ffe::/16", "reserved"),
        ("3fff::/20", "documentation"),
    )
)
_ISATAP: Final = frozenset({0x00005EFE, 0x02005EFE})  # above the last 32 bits, which are an IPv4 address


def why_refused(address: Address) -> str | None:
    """Return what is wrong with an address in a few words; None for a public one."""
    if isinstance(address, IPv4Address):
        return next((why for network, why in _V4 if address in network), None)
    if address.scope_id is not None:
        return "an address with a zone"
    found = next((why for network, why in _V6 if address in network), None)
    if found is not None:
        return found
    if address not in _GLOBAL_UNICAST:
        return "not global unicast"
    return "ISATAP" if (int(address) >> 32) & 0xFFFFFFFF in _ISATAP else None
