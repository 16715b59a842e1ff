"""No URL leads a post into a private network: every spelling, every resolution, nothing of the environment."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncGenerator, Callable, Generator
from contextlib import asynccontextmanager, contextmanager, suppress
from functools import partial
from ipaddress import IPv4Address, IPv6Address, ip_address
from pathlib import Path
from typing import Any

import pytest

from consumers.webhooks.transport import DeliveryError, Network, RefusedAddressError, Transport, TransportRules
from consumers.webhooks.transport.addresses import why_refused
from consumers.webhooks.transport.target import read_target
from tests.consumers.webhooks.names import Names, serving_names
from tests.consumers.webhooks.receiver import answering, receiving

PUBLIC = "8.8.8.8"
ZONE: dict[str, list[dict[str, list[str]]]] = {
    "loopback.example": [{"A": ["127.0.0.1"]}],
    "private.example": [{"A": ["10.1.2.3"]}],
    "mixed.example": [{"A": [PUBLIC, "192.168.0.7"]}],
    "mixed6.example": [{"A": [PUBLIC], "AAAA": ["fd00::1"]}],
    "six.example": [{"AAAA": ["::1"]}],
    "six-local.example": [{"AAAA": ["fe80::1"]}],
    "mapped.example": [{"AAAA": ["::ffff:127.0.0.1"]}],
    "nat64.example": [{"AAAA": ["64:ff9b::7f00:1"]}],
    "six-to-four.example": [{"AAAA": ["2002:7f00:1::"]}],
    "teredo.example": [{"AAAA": ["2001:0:4136:e378:8000:63bf:80ff:fffe"]}],
    "alias.example": [{"CNAME": ["loopback.example"]}],
    "alias-of-alias.example": [{"CNAME": ["alias.example"]}],
    "metadata.example": [{"A": ["169.254.169.254"]}],
    "cgnat.example": [{"A": ["100.100.100.200"]}],
    "azure.example": [{"A": ["168.63.129.16"]}],
    "zero.example": [{"A": ["0.0.0.0"]}],
    "broadcast.example": [{"A": ["255.255.255.255"]}],
    "multicast.example": [{"A": ["224.0.0.1"]}],
    "127.0.0.1.nip.example": [{"A": ["127.0.0.1"]}],
    "xn--bcher-kva.example": [{"A": ["127.0.0.1"]}],
    "\u029focalhost".encode("idna").decode(): [{"A": ["127.0.0.1"]}],
}
LITERALS = (Path(__file__).parent / "ssrf_urls.txt").read_text().splitlines()
BLANKS = ["https://127.0.0.1:{port}/\r\nX: y", "https://127.0.0.1 :{port}/", "\thttps://127.0.0.1:{port}/", "", " "]
URLS = [*LITERALS, *BLANKS]


@contextmanager
def listening(port: int = 0) -> Generator[tuple[int, list[socket.socket]]]:
    """Sockets on every local address of both kinds; the kernel keeps each connection for `count`."""
    four = socket.create_server(("0.0.0.0", port), backlog=500)
    chosen = four.getsockname()[1]
    sockets = [four]
    with suppress(OSError):  # no IPv6 here
        sockets.append(socket.create_server(("::", chosen), family=socket.AF_INET6, backlog=500))
    try:
        yield chosen, sockets
    finally:
        for one in sockets:
            one.close()


def count(sockets: list[socket.socket]) -> int:
    """How many connections came."""
    accepted = 0
    for one in sockets:
        one.setblocking(False)
        with suppress(BlockingIOError):
            while True:
                one.accept()[0].close()
                accepted += 1
    return accepted


@asynccontextmanager
async def made(rules: TransportRules, names: Names | None = None, **network: Any) -> AsyncGenerator[Transport]:
    transport = Transport(rules, Network(names.resolve, **network) if names else Network(**network))
    try:
        yield transport
    finally:
        await transport.close()


async def is_refused(transport: Transport, url: str) -> bool:
    """Whether both refuse it, at registration and at delivery."""
    for act in (transport.check, partial(transport.post, body=b"{}", headers={})):
        try:
            await act(url)
        except RefusedAddressError:
            continue
        except DeliveryError:
            pass
        return False
    return True


async def test_no_url_of_the_corpus_connects_to_anything(
    monkeypatch: pytest.MonkeyPatch, record_property: Callable[[str, object], None]
) -> None:
    assert len(set(URLS)) >= 170
    with listening() as (port, sockets):
        for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "all_proxy"):
            monkeypatch.setenv(name, f"http://127.0.0.1:{port}")
        rules = TransportRules(ports=frozenset({443, 8443, port}), seconds=5)
        async with serving_names(ZONE) as names, made(rules, names) as transport:
            passed = [url for url in URLS if not await is_refused(transport, url.replace("{port}", str(port)))]
        record_property("figure", f"{len(set(URLS))} URLs: {len(passed)} not refused, {count(sockets)} connections")
        assert passed == []
        assert count(sockets) == 0


async def test_the_sockets_would_have_counted() -> None:
    with listening() as (port, sockets):
        rules = TransportRules(allow=frozenset({"127.0.0.1"}), seconds=0.2)
        async with made(rules) as transport:
            with pytest.raises(DeliveryError):
                await transport.post(f"http://127.0.0.1:{port}/", b"{}", {})
        assert count(sockets) == 1


async def test_a_name_that_is_refused_is_looked_up_once_and_never_tried_again() -> None:
    async with serving_names(ZONE) as names, made(TransportRules(), names) as transport:
        with pytest.raises(RefusedAddressError):
            await transport.post("https://loopback.example/", b"{}", {})
        assert names.lookups == {"loopback.example": 1}


def refuses_but(public: str) -> Any:
    def why(address: IPv4Address | IPv6Address) -> str | None:
        return None if address == ip_address(public) else why_refused(address)

    return why


async def test_a_name_that_changes_between_check_and_dial_is_dialled_where_it_was_checked() -> None:
    """127.0.0.2 stands for a public address: everything after the first lookup would be the private one."""
    zone = {"rebind.example": [{"A": ["127.0.0.2"]}, {"A": ["127.0.0.1"]}]}
    with listening() as (port, sockets):
        rules = TransportRules(ports=frozenset({port}), seconds=0.5)
        async with serving_names(zone) as names, made(rules, names, why_refused=refuses_but("127.0.0.2")) as transport:
            with pytest.raises(DeliveryError, match="no answer"):  # dialled, at the address that was checked
                await transport.post(f"https://rebind.example:{port}/", b"{}", {})
            assert names.lookups["rebind.example"] == 1
            connected, _ = sockets[0].accept()
            assert connected.getsockname()[0] == "127.0.0.2"
            connected.close()
            for _ in range(3):
                with pytest.raises(RefusedAddressError):
                    await transport.post(f"https://rebind.example:{port}/", b"{}", {})
        assert count(sockets) == 0


async def test_a_name_that_was_public_at_registration_is_refused_at_delivery() -> None:
    zone = {"turning.example": [{"A": [PUBLIC]}, {"A": ["127.0.0.1"]}]}
    with listening() as (port, sockets):
        rules = TransportRules(ports=frozenset({port}))
        async with serving_names(zone) as names, made(rules, names) as transport:
            await transport.check(f"https://turning.example:{port}/")
            with pytest.raises(RefusedAddressError):
                await transport.post(f"https://turning.example:{port}/", b"{}", {})
        assert count(sockets) == 0


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_a_redirect_is_an_answer_and_is_not_followed(status: int) -> None:
    async with receiving() as inside:
        reply = f"HTTP/1.1 {status} Moved\r\nLocation: {inside.url}\r\nContent-Length: 0\r\n\r\n".encode()
        async with receiving(answering(reply)) as receiver:
            rules = TransportRules(allow=frozenset({f"127.0.0.1:{receiver.port}"}))
            async with made(rules) as transport:
                answer = await transport.post(receiver.url, b"{}", {})
                assert answer.status == status
                with pytest.raises(RefusedAddressError):  # another port of the same host is not exempt
                    await transport.check(inside.url)
        assert inside.connections == 0


async def test_a_name_that_cannot_be_resolved_may_be_registered_and_fails_at_delivery() -> None:
    async with serving_names({}) as names, made(TransportRules(), names) as transport:
        await transport.check("https://nobody.example/")
        with pytest.raises(DeliveryError) as raised:
            await transport.post("https://nobody.example/", b"{}", {})
        assert raised.value.kind == "dns"


@pytest.mark.parametrize(
    "text",
    [
        *("8.8.8.8", "1.1.1.1", "100.63.255.255", "100.128.0.0", "172.15.255.255", "172.32.0.0", "169.253.255.255"),
        *("192.0.1.1", "198.17.255.255", "198.20.0.0", "223.255.255.255", "2606:4700:4700::1111", "2a00:1450::1"),
        *("2001:4860:4860::8888", "2003::1"),
    ],
)
def test_public_addresses_are_not_refused(text: str) -> None:
    assert why_refused(ip_address(text)) is None


async def test_the_system_resolver_is_asked_for_a_name_once_at_a_time() -> None:
    async with made(TransportRules(ports=frozenset({443}))) as transport:
        found = await asyncio.gather(
            *(transport.check("https://ip6-localhost/") for _ in range(8)), return_exceptions=True
        )
    assert {type(one) for one in found} <= {RefusedAddressError, type(None)}


@pytest.mark.parametrize(
    ("written", "host"),
    [
        ("B\u00fccher.example", "xn--bcher-kva.example"),
        ("\u043f\u0440\u0438\u043c\u0435\u0440.example", "xn--e1afmkfd.example"),
        ("fa\u00df.example", None),
        ("\uff45xample.com", None),
        ("xn--fa-hia.example", "xn--fa-hia.example"),
    ],
)
def test_a_name_beyond_ascii_has_one_reading_or_is_refused(written: str, host: str | None) -> None:
    if host is None:
        with pytest.raises(RefusedAddressError):
            read_target(f"https://{written}/", TransportRules())
    else:
        assert read_target(f"https://{written}/", TransportRules()).host == host
