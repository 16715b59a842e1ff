"""Replies of the market core as bodies: spliced, not parsed; ages grow with the time since the reply. Pure.

A reply is the object that stands in `data`, or the whole flat answer, or a list with what stands beside it.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import msgspec

from api.http.conditional import weak_tag
from contracts.schema.literals import iso
from runtime.clients.market_reply import CachedReply, CoreAnswer

_AGE: Final = re.compile(rb'"(?:age|data_age|last_message_age|last_change_age|oldest_age)":(\d+)\.(\d{3})')
_AGES: Final = re.compile(rb'"last_message_ages":\{([^{}]*)\}')
_ONE_OF_AGES: Final = re.compile(rb":(\d+)\.(\d{3})")
_QUALITY: Final = re.compile(rb'"quality":"(?:live|sim|gap)"')
_STALE: Final = b'"quality":"stale"'
_NOW: Final = b"\x00"  # never stands unescaped in JSON
_SENT_AT: Final = b',"timestamp":' + _NOW


Format = Callable[[CachedReply], bytes]


@dataclass(frozen=True, slots=True)
class Body:
    """A body with what is open: text, age in ms, text, age in ms, …, text; a zero byte in a text is the time.

    Bodies that differ in what is open only have the same `tag`.
    """

    texts: tuple[bytes, ...]
    ages: tuple[int, ...]
    tag: bytes

    def render(self, grown_ms: int, now_ns: int) -> bytes:
        """Fill in the time (ns UTC) and the ages, each `grown_ms` more than it was."""
        parts = [self.texts[0]]
        for age, text in zip(self.ages, self.texts[1:], strict=True):
            parts += (b"%d.%03d" % divmod(age + grown_ms, 1000), text)
        return b"".join(parts).replace(_NOW, b'"%b"' % iso(now_ns).encode())


def render(answer: CoreAnswer, format_: Format, now_ns: int) -> bytes:
    """Return an answer in a format, as it is now (ns UTC)."""
    return _body(answer, format_).render(int(answer.grown * 1000), now_ns)


def render_tagged(answer: CoreAnswer, format_: Format, now_ns: int) -> tuple[bytes, bytes]:
    """Return an answer in a format, as it is now (ns UTC), and its tag."""
    body = _body(answer, format_)
    return body.render(int(answer.grown * 1000), now_ns), body.tag


def _body(answer: CoreAnswer, format_: Format) -> Body:
    name = f"{format_.__name__}{'.stale' if answer.stale else ''}"
    body: Body | None = answer.reply.bodies.get(name)
    if body is None:
        text = format_(answer.reply)
        body = answer.reply.bodies[name] = open_ages(_QUALITY.sub(_STALE, text) if answer.stale else text)
    return body


def open_ages(text: bytes) -> Body:
    """Find the ages of a body. No string can be taken for one: quotes are escaped in strings."""
    spans = [match.span(1)[0] for match in _AGE.finditer(text)]
    for group in _AGES.finditer(text):
        spans += [match.start(1) for match in _ONE_OF_AGES.finditer(text, *group.span(1))]
    texts: list[bytes] = []
    ages: list[int] = []
    last = 0
    for start in sorted(spans):
        point = text.index(b".", start)
        end = point + 4
        texts.append(text[last:start])
        ages.append(int(text[start:point]) * 1000 + int(text[point + 1 : end]))
        last = end
    texts.append(text[last:])
    return Body(tuple(texts), tuple(ages), weak_tag(texts))


def envelope(reply: CachedReply) -> bytes:
    """`{"success":true,"symbol":…,"data":<the reply>,<what stands beside>,"timestamp":…}`."""
    beside = reply.beside[1:-1]
    return b"%b%b%b%b}" % (_begin(reply), reply.body, b"," + beside if beside else b"", _SENT_AT)


def listed(reply: CachedReply) -> bytes:
    """The same, of a reply that is a list with what stands beside it: `{"whales":[…],"age":…}`."""
    _, _, rest = reply.body.partition(b":")
    return b"%b%b%b}" % (_begin(reply), rest[:-1], _SENT_AT)


def flat(reply: CachedReply) -> bytes:
    """`{"success":true,<the reply's members>,"timestamp":…}`."""
    return b'{"success":true,%b%b}' % (reply.body[1:-1], _SENT_AT)


def plain(reply: CachedReply) -> bytes:
    """The reply with the time."""
    return b"%b%b}" % (reply.body[:-1], _SENT_AT)


def bare(reply: CachedReply) -> bytes:
    """The reply as it is: its `timestamp` is the data's own."""
    return reply.body


def _begin(reply: CachedReply) -> bytes:
    named = b"" if reply.symbol is None else b'"symbol":%b,' % msgspec.json.encode(reply.symbol)
    return b'{"success":true,%b"data":' % named
