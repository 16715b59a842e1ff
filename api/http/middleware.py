"""Every HTTP request, in plain ASGI: time, size, access, errors as answers, metrics, access log.

`shortcut` answers what it knows from path and query without routing; everything else goes on to FastAPI. Access is
decided once, before either. A connection may take an answer that is known already at once, by `answer_now`: it is the
same decision and the same answer without a task of its own.

A few lines over the usual length of a file: what is measured, counted and traced of a request stands in one place.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Final, TypeVar

from prometheus_client import CollectorRegistry, Counter, Histogram
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.http.access.addresses import address_text
from api.http.access.admission import AccessControl, Admission
from api.http.answered import Answered, Notes
from api.http.conditional import NO_STORE, is_known
from api.http.errors import PayloadTooLargeError, error_reply
from api.http.request_id import HEADER, request_id
from api.http.responses import Reply, header_lines
from api.http.routing import RouteTable
from contracts.errors import HydrophoneError, InternalError, TimedOutError
from contracts.subjects import HEADER_TRACE
from runtime import clock
from runtime.logging import logs
from runtime.tracing.tracing import OFF, Tracing

SECOND_NS: Final = 1_000_000_000
SLOW_SECONDS: Final = 0.5
_METHODS: Final = frozenset({"GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"})
_READS: Final = frozenset({"GET", "HEAD"})
T = TypeVar("T")
Shortcut = Callable[[str, bytes, int], Reply | Awaitable[Reply] | None]
_BUCKETS = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0, 30.0)
SAFE_HEADERS: Final = (
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
)
_END: Final = HEADER + b": %b\r\n" + header_lines(SAFE_HEADERS)
NOT_KEPT: Final = (b"cache-control", NO_STORE)
NOT_MODIFIED: Final = 304
_OK: Final = 200
_BEGUN: Final = "hydrophone.begun"
_MORE: Final = frozenset({b"content-length", b"transfer-encoding", b"expect", b"if-none-match"})
Write = Callable[[bytes, bytes], None]


@dataclass(frozen=True, slots=True)
class RequestLimits:
    """The size of a body in bytes and the time of a request in seconds."""

    body_bytes: int = 1024 * 1024
    request_seconds: float = 30.0


class HttpMetrics:
    """Requests by route, method and status, and how long they took in seconds."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._requests = Counter(
            "hydrophone_http_requests", "Answers", ["route", "method", "status"], registry=registry
        )
        self._seconds = Histogram(
            "hydrophone_http_request_seconds", "Time to the answer", ["route"], registry=registry, buckets=_BUCKETS
        )
        self._known: dict[tuple[str, str, int], tuple[Counter, Histogram]] = {}

    def on_answered(self, route: str, method: str, status: int, seconds: float) -> None:
        """Count one answer."""
        named = method if method in _METHODS else "(other)"
        found = self._known.get((route, named, status))
        if found is None:  # looked up once: routes, methods and statuses are few
            made = self._requests.labels(route, named, str(status)), self._seconds.labels(route)
            found = self._known[route, named, status] = made
        found[0].inc()
        found[1].observe(seconds)


class Begun:
    """A request whose time runs: who asks is decided, or awaited from the counters; `reply`: what the shortcut gave."""

    __slots__ = ("admission", "headers", "notes", "now_ns", "reply", "request_id", "started")

    def __init__(self, scope: Scope, access: AccessControl) -> None:
        self.headers: dict[bytes, bytes] = dict(scope["headers"])
        self.now_ns = clock.now_ns()
        self.request_id = request_id(self.headers)
        self.notes = Notes()
        self.started = clock.monotonic()
        self.admission = access.request(scope, self.headers, self.now_ns / SECOND_NS)
        self.reply: Reply | Awaitable[Reply] | None = None


class RequestMiddleware:
    """The whole HTTP face as one ASGI app; `shortcut(path, query, now_ns)` returns None for what it does not know."""

    def __init__(
        self,
        app: ASGIApp,
        *,
        access: AccessControl,
        routes: RouteTable,
        shortcut: Shortcut,
        limits: RequestLimits,
        metrics: HttpMetrics,
        record: Callable[[Answered], None] | None = None,
        tracing: Tracing = OFF,
    ) -> None:
        self._tracing = tracing
        self._app = app
        self._access = access
        self._routes = routes
        self._shortcut = shortcut
        self._limits = limits
        self._metrics = metrics
        self._record = record
        self._log = logs.get_request_log()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request; sockets and the lifespan go on as they are."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        begun: Begun = scope.get(_BEGUN) or Begun(scope, self._access)
        found, notes, started = begun.admission, begun.notes, begun.started
        scope["hydrophone.now_ns"] = begun.now_ns
        scope["hydrophone.request_id"], scope["hydrophone.notes"] = begun.request_id, notes
        admission = found if isinstance(found, Admission) else await found
        scope["hydrophone.admission"] = admission
        admitted, own = clock.monotonic(), (*admission.headers, (HEADER, begun.request_id.encode()))
        known = begun.headers.get(b"if-none-match") if scope["method"] in _READS else None
        outgoing = Outgoing(send, own, known)
        # What may be read has its headers too: the server leaves the body of an answer to HEAD out.
        inner = {**scope, "method": "GET"} if scope["method"] == "HEAD" else scope
        if self._tracing.chooses():
            await self._answer_traced(inner, receive, outgoing, begun)
        else:
            await self._answer(inner, receive, outgoing, begun)
        began = outgoing.began or clock.monotonic()
        if began - started > SLOW_SECONDS:
            _log_slow(scope, begun, admission=admitted - started, answer=began - admitted)
        self._on_answered(scope, begun, outgoing.status, began - started)

    def answer_now(self, scope: Scope, write: Write) -> bool:
        """Write the whole answer to a GET without a body where access is decided and the answer kept; else False.

        `__call__` goes on then with what was decided. `write(head, body)` takes the lines of the headers of a 200.
        """
        begun = scope[_BEGUN] = Begun(scope, self._access)
        admission = begun.admission
        if not isinstance(admission, Admission) or admission.refused is not None or _is_more(scope, begun.headers):
            return False
        reply = begun.reply = self._shortcut(scope["path"], scope["query_string"], begun.now_ns)
        if not isinstance(reply, Reply) or reply.status != _OK or not reply.tag:
            return False
        write(reply.head() + header_lines(admission.headers) + _END % begun.request_id.encode(), reply.body)
        begun.notes.cached = True
        scope["hydrophone.admission"] = admission
        self._on_answered(scope, begun, _OK, clock.monotonic() - begun.started)
        return True

    async def _answer_traced(self, scope: Scope, receive: Receive, outgoing: Outgoing, begun: Begun) -> None:
        method, route = scope["method"], self._routes.find(scope["path"]).template
        caller = begun.headers.get(HEADER_TRACE.encode(), b"").decode("latin-1")
        with self._tracing.answering(method if method in _METHODS else "(other)", route, caller) as span:
            await self._answer(scope, receive, outgoing, begun)
            span.set_attribute("http.response.status_code", outgoing.status)

    async def _answer(self, scope: Scope, receive: Receive, outgoing: Outgoing, begun: Begun) -> None:
        path, now_ns, notes = scope["path"], begun.now_ns, begun.notes
        admission: Admission = scope["hydrophone.admission"]
        try:
            if admission.refused is not None:
                raise admission.refused
            self._refuse_large(begun.headers)
            reply = begun.reply
            if reply is None and scope["method"] == "GET":
                reply = self._shortcut(path, scope["query_string"], now_ns)
            if reply is None:
                await self._pass_on(scope, receive, outgoing)
            else:
                notes.cached = isinstance(reply, Reply)
                await outgoing.reply(reply if isinstance(reply, Reply) else await self._in_time(reply))
        except HydrophoneError as error:
            notes.code = error.code
            await outgoing.reply(error_reply(path, error, now_ns))
        except Exception:  # noqa: BLE001 - the last one before the client: written to the log, never to the client
            notes.code = InternalError.code
            logs.get().exception("request.failed", method=scope["method"], path=path)
            await outgoing.reply(error_reply(path, InternalError("Something went wrong here"), now_ns))

    async def _pass_on(self, scope: Scope, receive: Receive, outgoing: Outgoing) -> None:
        body = Incoming(receive, self._limits.body_bytes)
        answering = self._app(scope, body.receive, outgoing.send)
        await (self._in_time(answering) if self._routes.find(scope["path"]).timed else answering)

    async def _in_time(self, work: Awaitable[T]) -> T:
        seconds = self._limits.request_seconds
        timer = asyncio.timeout(seconds)
        try:
            async with timer:
                return await work
        except TimeoutError:
            if not timer.expired():
                raise
            raise TimedOutError(f"No answer within {seconds:g} seconds", limit_seconds=seconds) from None

    def _refuse_large(self, headers: Mapping[bytes, bytes]) -> None:
        length = headers.get(b"content-length", b"0")
        if length.isdigit() and int(length) > self._limits.body_bytes:
            raise PayloadTooLargeError.over(self._limits.body_bytes)

    def _on_answered(self, scope: Scope, begun: Begun, status: int, seconds: float) -> None:
        path, notes, method = scope["path"], begun.notes, scope["method"]
        admission: Admission = scope["hydrophone.admission"]
        route = self._routes.find(path).template
        self._metrics.on_answered(route, method, status, seconds)
        identity = admission.identity
        if self._record is not None:
            key = identity.name if identity.known else None
            about = (begun.now_ns, route, method, status, seconds, key)
            self._record(Answered(*about, path, scope["query_string"], notes.code, notes.cached))
        line = {
            "method": method,
            "path": path,
            "status": status,
            "ms": round(seconds * 1000, 3),
            "caller": identity.name,
            "address": address_text(admission.address),
            "request_id": begun.request_id,
            "code": notes.code,
        }
        self._log("request", line)


def _is_more(scope: Scope, headers: Mapping[bytes, bytes]) -> bool:
    """Whether a request is more than a plain GET: another method, one with a body, or one that asks on a condition."""
    return scope["method"] != "GET" or not _MORE.isdisjoint(headers)


def _log_slow(scope: Scope, begun: Begun, *, admission: float, answer: float) -> None:
    """Log a slow request with where the time went: deciding who may, and making the answer, in milliseconds."""
    logs.get("access").warning(
        "request.slow",
        method=scope["method"],
        path=scope["path"],
        admission_ms=round(admission * 1000, 1),
        answer_ms=round(answer * 1000, 1),
        from_memory=begun.notes.cached,
        code=begun.notes.code,
        request_id=begun.request_id,
    )


class Outgoing:
    """The way out: adds the headers of every answer, remembers the status, and sends nothing that is known already."""

    def __init__(self, send: Send, headers: tuple[tuple[bytes, bytes], ...], known: bytes | None = None) -> None:
        self._send = send
        self._headers = (*headers, *SAFE_HEADERS)
        self._known = known
        self.status = 0
        self.began: float | None = None  # monotonic seconds

    async def send(self, message: Message) -> None:
        """Pass a message on."""
        if message["type"] == "http.response.start":
            message = self._start(message["status"], message.get("headers", ()))
        elif self.status == NOT_MODIFIED:
            message = {**message, "body": b""}
        await self._send(message)

    async def reply(self, reply: Reply) -> None:
        """Send a whole answer; nothing where one has begun already."""
        if self.status:
            return
        length = (b"content-length", b"%d" % len(reply.body))
        start = self._start(reply.status, [(b"content-type", reply.content_type), length, *reply.all_headers()])
        await self._send(start)
        body = b"" if start["status"] == NOT_MODIFIED else reply.body
        await self._send({"type": "http.response.body", "body": body})

    def _start(self, status: int, own: Iterable[tuple[bytes, bytes]]) -> Message:
        headers = [*own]
        named = dict(headers)
        tag = named.get(b"etag")
        if tag is not None and status == _OK and is_known(self._known, tag):
            status = NOT_MODIFIED
            headers = [item for item in headers if not item[0].startswith(b"content-")]
        self.status = status
        self.began = clock.monotonic()
        kept = () if b"cache-control" in named else (NOT_KEPT,)
        return {"type": "http.response.start", "status": status, "headers": [*headers, *self._headers, *kept]}


class Incoming:
    """The way in: counts a body that does not say its length."""

    def __init__(self, receive: Receive, most: int) -> None:
        self._receive = receive
        self._most = most
        self._taken = 0

    async def receive(self) -> Message:
        """Return the next message; raises PayloadTooLargeError past the limit."""
        message = await self._receive()
        self._taken += len(message.get("body", b""))
        if self._taken > self._most:
            raise PayloadTooLargeError.over(self._most)
        return message
