"""One connection to a receiver: HTTP/1.1, one request at a time, kept for the next where the receiver allows it.

https://www.rfc-editor.org/rfc/rfc9112
"""

from __future__ import annotations

import asyncio
from typing import Any, Final, cast

import httptools

KEPT_BYTES: Final = 1024  # of an answer's body
MOST_BYTES: Final = 64 * 1024  # of an answer that are read, headers and all
_FINAL: Final = 200  # statuses below come before the answer


class BrokenError(Exception):
    """The connection ended before the answer; `answering` says whether any byte of it came."""

    def __init__(self, message: str, *, answering: bool, protocol: bool = False) -> None:
        super().__init__(message)
        self.answering, self.protocol = answering, protocol


class Connection(asyncio.Protocol):
    """A connection that was dialled at a checked address. `reusable` says whether it may have another request."""

    def __init__(self) -> None:
        self.reusable = False
        self.posts = 0
        self.opened = 0.0  # both by the loop's clock
        self.idle_since = 0.0
        self._transport: asyncio.Transport | None = None
        self._waiting: asyncio.Future[None] | None = None
        self._begin()

    def _begin(self) -> None:
        self.status = 0
        self.headers: dict[str, str] = {}
        self.body = b""
        self._read = 0
        self._complete = False
        self._parser: Any = httptools.HttpResponseParser(self)

    async def post(self, request: bytes) -> None:
        """Send a request and return when its answer is complete, or as much of it as is read. Raises BrokenError."""
        transport = self._transport
        if transport is None or transport.is_closing():
            raise BrokenError("the connection was closed", answering=False)
        if self.posts:
            self._begin()
        self.posts += 1
        self.reusable = False
        self._waiting = asyncio.get_running_loop().create_future()
        transport.write(request)
        try:
            await self._waiting
        finally:
            self._waiting = None
            if not self.reusable:
                self.close()

    def close(self) -> None:
        """Close at once: what was not sent is not waited for."""
        self.reusable = False
        if self._transport is not None:
            self._transport.abort()

    # ---- what asyncio calls

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the transport."""
        self._transport = cast("asyncio.Transport", transport)  # of a stream; uvloop's is no subclass

    def data_received(self, data: bytes) -> None:
        """Read a part of the answer."""
        if self._waiting is None:  # nobody asked for it
            self.close()
            return
        self._read += len(data)
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserUpgrade:
            self._end(BrokenError("the receiver changed the protocol", answering=True, protocol=True))
        except httptools.HttpParserError as error:
            self.reusable = False
            self._end(BrokenError(f"not an HTTP answer: {error}"[:200], answering=True, protocol=True))
        else:
            if self._read > MOST_BYTES and not self._complete:
                self._cut()

    def eof_received(self) -> None:
        """Take the end of the connection as the end of an answer that has no other."""
        if self.status >= _FINAL and self._waiting is not None and not self._complete and self._until_end():
            self._end()

    def connection_lost(self, exc: Exception | None) -> None:
        """Say so to who waits."""
        self.reusable = False
        self._transport = None
        message = "the connection was closed" if exc is None else f"{type(exc).__name__}: {exc}"[:200]
        self._end(BrokenError(message, answering=self._read > 0))

    # ---- what the parser calls

    def on_message_begin(self) -> None:
        """Use the connection no more where a second answer follows, which nobody asked for."""
        if self._complete:
            self.reusable = False

    def on_header(self, name: bytes, value: bytes) -> None:
        """Keep a header; of one that comes again the last counts."""
        if not self._complete:
            self.headers[name.decode("latin-1").lower()] = value.decode("latin-1")

    def on_headers_complete(self) -> None:
        """Take the status."""
        if self._complete:
            return
        self.status = self._parser.get_status_code()
        if self.status < _FINAL:
            self.headers = {}

    def on_body(self, body: bytes) -> None:
        """Keep the first bytes."""
        missing = KEPT_BYTES - len(self.body)
        if missing > 0 and not self._complete:
            self.body += body[:missing]

    def on_message_complete(self) -> None:
        """Answer who waits, unless another answer follows this one."""
        if self.status >= _FINAL and not self._complete:
            self._complete = True
            self.reusable = bool(self._parser.should_keep_alive())
            self._end()

    def _until_end(self) -> bool:
        return "content-length" not in self.headers and "transfer-encoding" not in self.headers

    def _cut(self) -> None:
        """Leave an answer that is too long: its status is known, or it has none."""
        if self.status >= _FINAL:
            self._end()
        else:
            message = f"the answer's headers are longer than {MOST_BYTES} bytes"
            self._end(BrokenError(message, answering=True, protocol=True))

    def _end(self, error: BrokenError | None = None) -> None:
        waiting = self._waiting
        if waiting is None or waiting.done():
            return
        if error is None:
            waiting.set_result(None)
        else:
            waiting.set_exception(error)
