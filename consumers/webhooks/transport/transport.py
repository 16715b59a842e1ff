"""Posts bodies to receivers over kept connections, each dialled at an address that was checked."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Mapping
from functools import lru_cache, partial
from typing import Final

from consumers.webhooks.transport.answer import Answer, DeliveryError, Failing
from consumers.webhooks.transport.connection import BrokenError, Connection
from consumers.webhooks.transport.pool import Pool, Slots
from consumers.webhooks.transport.resolving import Network, SystemResolver
from consumers.webhooks.transport.target import Target, TransportRules, read_target

MOST_DIALLED: Final = 4  # addresses of a name, one after the other
DIAL_SECONDS: Final = 3.0  # for each of them but the last, which has what is left
_KNOWN_URLS: Final = 4096


class Transport:
    """One for a process. No proxy of the environment is used, no redirect is followed, no cookie is kept."""

    def __init__(
        self, rules: TransportRules | None = None, network: Network | None = None, tls: ssl.SSLContext | None = None
    ) -> None:
        self._rules = rules or TransportRules()
        self._network = network or Network()
        self._tls = tls or _tls_context()
        self._pool = Pool()
        self._slots = Slots(self._rules.at_once)
        self._read = lru_cache(_KNOWN_URLS)(partial(read_target, rules=self._rules))

    async def check(self, url: str) -> None:
        """Raise RefusedAddressError where the URL may not be posted to.

        Returns where its name cannot be resolved within the time: that may pass, and each post checks again.
        """
        target = self._read(url)
        try:
            async with asyncio.timeout(self._rules.seconds / 2):
                await self._network.find(target)
        except OSError:  # a TimeoutError is one
            return

    async def post(self, url: str, body: bytes, headers: Mapping[str, str]) -> Answer:
        """Return the answer, whatever its status. Raises RefusedAddressError, which is final, and DeliveryError."""
        target = self._read(url)
        lines = "".join([f"{name}: {value}\r\n" for name, value in headers.items()])
        request = b"%s%sContent-Length: %d\r\n\r\n%s" % (target.head, lines.encode("ascii"), len(body), body)
        async with self._slots.of(url):
            loop = asyncio.get_running_loop()
            began = loop.time()
            try:
                async with asyncio.timeout(self._rules.seconds):
                    connection = await self._exchange(target, request)
            except DeliveryError as error:
                error.seconds = loop.time() - began
                raise
            except TimeoutError:
                message = f"no answer within {self._rules.seconds:g} s"
                raise DeliveryError("timeout", message, loop.time() - began) from None
            answer = Answer(connection.status, connection.headers, connection.body, loop.time() - began)
            if connection.reusable:
                self._pool.put(target.key, connection)
            return answer

    async def close(self) -> None:
        """Close every kept connection."""
        self._pool.close()
        if isinstance(self._network.resolve, SystemResolver):
            self._network.resolve.close()

    async def _exchange(self, target: Target, request: bytes) -> Connection:
        """Return the connection with its answer.

        A kept one that its receiver has closed meanwhile is no failure: the request goes over a new one.
        """
        connection = self._pool.take(target.key)
        if connection is not None:
            try:
                await connection.post(request)
            except BrokenError as error:
                if error.answering:
                    raise _failed(error) from None
            else:
                return connection
        connection = await self._dial(target)
        try:
            await connection.post(request)
        except BrokenError as error:
            raise _failed(error) from None
        return connection

    async def _dial(self, target: Target) -> Connection:
        try:
            addresses = await self._network.find(target)
        except TimeoutError:
            raise
        except OSError as error:
            raise DeliveryError("dns", f"the name is not resolved: {error}"[:200], 0.0) from None
        candidates = addresses[:MOST_DIALLED]
        failed: DeliveryError | None = None
        for address in candidates:
            seconds = None if address is candidates[-1] else DIAL_SECONDS
            try:
                async with asyncio.timeout(seconds):
                    return await self._connect(target, str(address))
            except TimeoutError:
                if seconds is None:
                    raise
                failed = DeliveryError("connect", f"nobody answers within {seconds:g} s", 0.0)
            except (ssl.SSLError, ssl.CertificateError) as error:
                raise DeliveryError("tls", _words(error), 0.0) from None
            except OSError as error:
                failed = DeliveryError("connect", _words(error), 0.0)
        assert failed is not None  # noqa: S101  # there is at least one address
        raise failed

    async def _connect(self, target: Target, address: str) -> Connection:
        loop = asyncio.get_running_loop()
        _, connection = await loop.create_connection(
            Connection,
            address,
            target.port,
            ssl=self._tls if target.tls else None,
            server_hostname=target.host if target.tls else None,
        )
        connection.opened = loop.time()
        return connection


def _tls_context() -> ssl.SSLContext:
    """Return the context of clients that check the name; without a log of keys, which the environment could ask for."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.load_default_certs()
    return context


def _failed(error: BrokenError) -> DeliveryError:
    kind: Failing = "protocol" if error.protocol else "reset"
    return DeliveryError(kind, str(error), 0.0)


def _words(error: Exception) -> str:
    return (str(error) or type(error).__name__)[:200]
