"""Posting over real sockets: answers, failures, time, size, connections that are kept, TLS that checks the name."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncGenerator
from pathlib import Path

import pytest
import pytest_asyncio

from consumers.webhooks.transport import DeliveryError, RefusedAddressError, Transport, TransportRules
from consumers.webhooks.transport.target import read_target
from tests.consumers.webhooks.certificates import make_contexts
from tests.consumers.webhooks.receiver import OK, Request, answering, receiving

RULES = TransportRules(allow=frozenset({"127.0.0.1", "localhost"}), seconds=5)


@pytest_asyncio.fixture
async def transport() -> AsyncGenerator[Transport]:
    made = Transport(RULES)
    yield made
    await made.close()


async def test_the_exact_bytes_arrive_with_the_headers(transport: Transport) -> None:
    body = '{"text":"grüße €"}'.encode()
    async with receiving() as receiver:
        answer = await transport.post(receiver.url + "?a=1&b=%20ü#top", body, {"webhook-id": "evt_1"})
        assert (answer.status, answer.headers, answer.body) == (200, {"content-length": "2"}, b"ok")
        assert answer.seconds > 0
        request = receiver.requests[0]
        assert request.line == "POST /hook?a=1&b=%20%C3%BC HTTP/1.1"
        assert request.body == body
        assert request.headers == {
            "host": f"127.0.0.1:{receiver.port}",
            "user-agent": "Hydrophone-Webhooks/1",
            "accept": "*/*",
            "content-type": "application/json",
            "webhook-id": "evt_1",
            "content-length": str(len(body)),
        }


async def test_connections_are_kept_and_closed_ones_are_replaced(transport: Transport) -> None:
    async with receiving() as receiver:
        for _ in range(20):
            await transport.post(receiver.url, b"{}", {})
        assert (receiver.connections, len(receiver.requests)) == (1, 20)
    async with receiving(port=receiver.port) as again:  # it closed the kept one: no failure, and not sent twice
        assert (await transport.post(again.url, b"{}", {})).status == 200
        assert (again.connections, len(again.requests)) == (1, 1)


@pytest.mark.parametrize(
    "reply",
    [
        b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok",
        b"HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok",
    ],
)
async def test_a_connection_that_the_receiver_ends_is_not_used_again(transport: Transport, reply: bytes) -> None:
    async with receiving(answering(reply)) as receiver:
        for _ in range(3):
            assert (await transport.post(receiver.url, b"{}", {})).body == b"ok"
        assert receiver.connections == 3


@pytest.mark.parametrize(
    ("reply", "close", "status", "body"),
    [
        (b"HTTP/1.1 204 No Content\r\n\r\n", False, 204, b""),
        (
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n",
            False,
            200,
            b"abcde",
        ),
        (b"HTTP/1.1 500 Oops\r\n\r\nuntil the end", True, 500, b"until the end"),
        (b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early\r\nA: b\r\n\r\n" + OK, False, 200, b"ok"),
        (b"HTTP/1.1 429 Slow\r\nRetry-After: 7\r\nContent-Length: 0\r\n\r\n", False, 429, b""),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 3000\r\n\r\n" + b"x" * 3000, False, 200, b"x" * 1024),
        (OK + b"HTTP/1.1 500 Another\r\nContent-Length: 0\r\n\r\n", False, 200, b"ok"),
    ],
)
async def test_answers(transport: Transport, reply: bytes, close: bool, status: int, body: bytes) -> None:
    async with receiving(answering(reply, close=close)) as receiver:
        answer = await transport.post(receiver.url, b"{}", {})
        assert (answer.status, answer.body) == (status, body)


async def test_a_second_answer_is_not_the_next_requests(transport: Transport) -> None:
    async with receiving(answering(OK + OK.replace(b"ok", b"no"))) as receiver:
        for _ in range(3):
            assert (await transport.post(receiver.url, b"{}", {})).body == b"ok"
        assert receiver.connections == 3


async def test_an_answer_is_read_up_to_64_kb_and_left(transport: Transport) -> None:
    sent = 0

    async def endless(_request: Request, writer: asyncio.StreamWriter) -> None:
        nonlocal sent
        writer.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        while True:
            writer.write(b"1000\r\n" + b"x" * 4096 + b"\r\n")
            await writer.drain()
            sent += 4096

    async with receiving(endless) as receiver:
        answer = await transport.post(receiver.url, b"{}", {})
        assert (answer.status, len(answer.body)) == (200, 1024)
    assert sent < 16 * 1024 * 1024  # what the sockets hold, not what it would send


async def test_a_compressed_answer_is_not_unpacked(transport: Transport) -> None:
    reply = b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 4\r\n\r\n\x1f\x8b\x08\x00"
    async with receiving(answering(reply)) as receiver:
        assert (await transport.post(receiver.url, b"{}", {})).body == b"\x1f\x8b\x08\x00"
        assert "accept-encoding" not in receiver.requests[0].headers


@pytest.mark.parametrize(
    ("reply", "kind"),
    [
        (b"", "reset"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf", "reset"),
        (b"SSH-2.0-OpenSSH_9.6\r\n", "protocol"),
        (b"HTTP/1.1 101 Switching\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n", "protocol"),
        (b"HTTP/1.1 200 OK\r\nA: " + b"x" * 70_000, "protocol"),
    ],
)
async def test_failures_say_what_happened(transport: Transport, reply: bytes, kind: str) -> None:
    async with receiving(answering(reply, close=True)) as receiver:
        with pytest.raises(DeliveryError) as raised:
            await transport.post(receiver.url, b"{}", {})
        assert raised.value.kind == kind
        assert len(receiver.requests) == 1  # a new connection's failure is not tried again here


async def test_nobody_listens(transport: Transport) -> None:
    async with receiving() as receiver:
        pass
    with pytest.raises(DeliveryError) as raised:
        await transport.post(receiver.url, b"{}", {})
    assert raised.value.kind == "connect"


async def test_ten_seconds_are_for_all_of_it() -> None:
    async def drip(_request: Request, writer: asyncio.StreamWriter) -> None:
        for byte in OK:
            writer.write(bytes([byte]))
            await asyncio.sleep(0.05)

    transport = Transport(TransportRules(allow=RULES.allow, seconds=0.3))
    async with receiving(drip) as receiver:
        with pytest.raises(DeliveryError) as raised:
            await transport.post(receiver.url, b"{}", {})
        assert raised.value.kind == "timeout"
        assert 0.3 <= raised.value.seconds < 1.5
    await transport.close()


async def test_at_most_four_at_once_to_one_url_and_others_do_not_wait(transport: Transport) -> None:
    blocked = asyncio.Event()

    async def wait(_request: Request, writer: asyncio.StreamWriter) -> None:
        await blocked.wait()
        writer.write(OK)

    async with receiving(wait) as slow, receiving() as quick:
        posts = [asyncio.create_task(transport.post(slow.url, b"{}", {})) for _ in range(10)]
        async with asyncio.timeout(5):
            while slow.at_once < 4:  # noqa: ASYNC110
                await asyncio.sleep(0.01)
        assert (await transport.post(quick.url, b"{}", {})).status == 200
        blocked.set()
        assert {answer.status for answer in await asyncio.gather(*posts)} == {200}
        assert slow.most_at_once == 4


async def test_a_post_that_is_cancelled_leaves_no_connection_to_another(transport: Transport) -> None:
    started = asyncio.Event()

    async def late(request: Request, writer: asyncio.StreamWriter) -> None:
        if request.body == b"first":
            started.set()
            await asyncio.sleep(0.2)
            writer.write(OK.replace(b"ok", b"no"))
        else:
            writer.write(OK)

    async with receiving(late) as receiver:
        first = asyncio.create_task(transport.post(receiver.url, b"first", {}))
        await started.wait()
        first.cancel()
        assert (await transport.post(receiver.url, b"second", {})).body == b"ok"


async def test_tls_checks_the_certificate_of_the_name(tmp_path: Path) -> None:
    server, client = make_contexts(tmp_path, "localhost")
    async with receiving(tls=server) as receiver:
        trusting = Transport(RULES, tls=client)
        assert (await trusting.post(f"https://localhost:{receiver.port}/", b"{}", {})).status == 200
        for transport, host in ((trusting, "127.0.0.1"), (Transport(RULES), "localhost")):
            with pytest.raises(DeliveryError) as raised:
                await transport.post(f"https://{host}:{receiver.port}/", b"{}", {})
            assert raised.value.kind == "tls"
            await transport.close()


def test_no_key_log_is_written_for_the_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SSLKEYLOGFILE", str(tmp_path / "keys"))
    context: ssl.SSLContext = Transport(RULES)._tls  # pyright: ignore[reportPrivateUsage]
    assert not context.keylog_filename
    assert context.verify_mode is ssl.CERT_REQUIRED


@pytest.mark.parametrize(
    ("allow", "url", "allowed"),
    [
        ("127.0.0.1:9000", "http://127.0.0.1:9000/x", True),
        ("127.0.0.1:9000", "http://127.0.0.1:9001/x", False),
        ("127.0.0.1", "http://127.0.0.1:9001/x", True),
        ("receiver.internal", "http://receiver.internal/x", True),
        ("receiver.internal", "https://RECEIVER.internal.:8080/x", True),
        ("receiver.internal", "http://sub.receiver.internal/x", False),
        ("receiver.internal:80", "http://receiver.internal/x", True),
        ("[::1]:9000", "http://[::1]:9000/", True),
        ("[::1]:9000", "http://[0:0:0:0:0:0:0:1]:9000/", True),
        ("::1", "http://[::1]:9000/", True),
        ("127.0.0.1", "http://user@127.0.0.1/x", False),
    ],
)
def test_what_is_exempt(allow: str, url: str, allowed: bool) -> None:
    rules = TransportRules(allow=frozenset({allow}))
    if allowed:
        assert read_target(url, rules).exempt
    else:
        with pytest.raises(RefusedAddressError):
            read_target(url, rules)
