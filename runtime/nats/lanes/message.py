"""A message of the fast lane as the parts of its NATS command: `PUB`, or `HPUB` where it has headers. Pure.

https://docs.nats.io/reference/reference-protocols/nats-protocol#hpub
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple
from urllib.parse import quote

from contracts.subjects import HEADER_MESSAGE_ID, HEADER_SCHEMA, HEADER_TRACE, HEADER_TTL

_KNOWN_SUBJECTS = 100_000
_VERSION = "NATS/1.0\r\n"
END = b"\r\n"  # the last part of every message
_COMMANDS = (b"PUB ", b"HPUB ")
Parts = tuple[bytes, ...]  # the command first, the body before the last one
_admitted: set[str] = set()  # no state: what can be computed from the subject alone


class Split(NamedTuple):
    """A message taken apart; `headers` by name, as they were written."""

    subject: str
    headers: dict[str, str]
    body: bytes


def make_parts(
    subject: str,
    body: bytes,
    *,
    schema: str | None = None,
    msg_id: str | None = None,
    traceparent: str | None = None,
    ttl: int | None = None,
) -> Parts:
    """Return the command that publishes a body, in parts; a stream drops it after `ttl` seconds.

    Raises ValueError for a subject that the bus would misread.
    """
    admit(subject)
    lines = "" if schema is None else header(HEADER_SCHEMA, schema)
    if msg_id is not None:
        lines += header(HEADER_MESSAGE_ID, msg_id)
    if traceparent is not None:
        lines += header(HEADER_TRACE, traceparent)
    if ttl is not None:
        lines += f"{HEADER_TTL}: {ttl}\r\n"
    if not lines:
        return (f"PUB {subject} {len(body)}\r\n".encode(), body, END)
    size = len(_VERSION) + len(lines) + len(END)
    return (f"HPUB {subject} {size} {size + len(body)}\r\n{_VERSION}{lines}\r\n".encode(), body, END)


def split_message(parts: Parts) -> Split:
    """Return what `make_parts` was given."""
    message = b"".join(parts)
    line, _, rest = message.partition(b"\r\n")
    words = line.decode().split(" ")
    if words[0] == "PUB":
        return Split(words[1], {}, rest[:-2])
    length = int(words[2])
    lines = rest[:length].decode().split("\r\n")[1:-2]
    return Split(words[1], dict(text.split(": ", 1) for text in lines), rest[length:-2])


def subjects_of(parts: Iterable[bytes]) -> list[str]:
    """Return the subjects of messages whose parts follow each other."""
    return [part.split(b" ", 2)[1].decode() for part in parts if part.startswith(_COMMANDS)]


def admit(subject: str) -> None:
    """Raise ValueError for a subject that the bus would misread."""
    if subject in _admitted:
        return
    if not subject or not subject.isascii() or not subject.isprintable() or " " in subject:
        raise ValueError(f"subject {subject!r}: only printable ASCII without spaces can be published")
    if len(_admitted) >= _KNOWN_SUBJECTS:
        _admitted.clear()
    _admitted.add(subject)


def header(name: str, value: str) -> str:
    """Return one line of headers."""
    return f"{name}: {header_value(value)}\r\n"


def header_value(text: str) -> str:
    """Return the text as it is, or percent-encoded where it holds what no header may."""
    return text if text.isascii() and text.isprintable() else quote(text)
