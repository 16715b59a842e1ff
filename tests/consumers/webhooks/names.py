"""A DNS server of the tests' own, on loopback, and a resolver that asks it."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import Any

import dns.asyncresolver
import dns.flags
import dns.message
import dns.rcode
import dns.rdatatype
import dns.resolver
import dns.rrset

Records = dict[str, list[str]]  # by type: `A`, `AAAA`, `CNAME`


@dataclass
class Names:
    """The zone; a list of records is what is answered first, next, and so on, the last one for ever."""

    zone: dict[str, list[Records]]
    lookups: Counter[str] = field(default_factory=Counter[str])
    port: int = 0

    def answer(self, wire: bytes) -> bytes:
        query = dns.message.from_wire(wire)
        reply = dns.message.make_response(query)
        reply.flags |= dns.flags.RA
        question = query.question[0]
        name, kind = question.name.to_text(omit_final_dot=True).lower(), dns.rdatatype.to_text(question.rdtype)
        known = self.zone.get(name)
        if known is None:
            reply.set_rcode(dns.rcode.NXDOMAIN)
            return reply.to_wire()
        records = known[min(self.lookups[name], len(known) - 1)]
        if kind == "AAAA":  # asked for last
            self.lookups[name] += 1
        while "CNAME" in records:
            alias = records["CNAME"][0]
            reply.answer.append(dns.rrset.from_text(f"{name}.", 0, "IN", "CNAME", f"{alias}."))
            name, records = alias, self.zone.get(alias, [{}])[0]
        if found := records.get(kind):
            reply.answer.append(dns.rrset.from_text(f"{name}.", 0, "IN", kind, *found))
        return reply.to_wire()

    async def resolve(self, name: str) -> list[IPv4Address | IPv6Address]:
        resolver = dns.asyncresolver.Resolver(configure=False)
        resolver.nameservers, resolver.port = ["127.0.0.1"], self.port
        found: list[IPv4Address | IPv6Address] = []
        for kind in ("A", "AAAA"):
            try:
                answer = await resolver.resolve(name, kind, search=False)
            except dns.resolver.NoAnswer:
                continue
            except dns.resolver.NXDOMAIN as error:
                raise OSError(str(error)) from None
            found += [ip_address(record.to_text()) for record in answer]
        return found


@asynccontextmanager
async def serving_names(zone: dict[str, list[Records]]) -> AsyncGenerator[Names]:
    names = Names(zone)

    class Server(asyncio.DatagramProtocol):
        def connection_made(self, transport: Any) -> None:
            self.send: Callable[..., None] = transport.sendto

        def datagram_received(self, data: bytes, addr: Any) -> None:
            self.send(names.answer(data), addr)

    transport, _ = await asyncio.get_running_loop().create_datagram_endpoint(Server, ("127.0.0.1", 0))
    names.port = transport.get_extra_info("sockname")[1]
    try:
        yield names
    finally:
        transport.close()
