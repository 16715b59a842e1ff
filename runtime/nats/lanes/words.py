"""What the fast lane's commands are made of: checked subjects, and header lines that are encoded once."""

from __future__ import annotations

from urllib.parse import quote

from contracts.subjects import HEADER_PUBLISHED, HEADER_SCHEMA

_KNOWN_SUBJECTS = 100_000


class Words:
    """One writer's memory of the subjects it checked (`admitted`) and the heads of its schemas."""

    __slots__ = ("_heads", "admitted")

    def __init__(self) -> None:
        self._heads: dict[str, str] = {}
        self.admitted: set[str] = set()

    def admit(self, subject: str) -> None:
        """Raise ValueError for a subject that the bus would misread."""
        if subject in self.admitted:
            return
        if not subject or not subject.isascii() or not subject.isprintable() or " " in subject:
            raise ValueError(f"subject {subject!r}: only printable ASCII without spaces can be published")
        if len(self.admitted) >= _KNOWN_SUBJECTS:
            self.admitted.clear()
        self.admitted.add(subject)

    def head(self, schema: str) -> str:
        """The header lines up to the value of the publishing time."""
        head = self._heads.get(schema)
        if head is None:
            head = f"NATS/1.0\r\n{HEADER_SCHEMA}: {header_value(schema)}\r\n{HEADER_PUBLISHED}: "
            self._heads[schema] = head
        return head


def header_value(text: str) -> str:
    """The text as it is, or percent-encoded where it holds what no header may."""
    return text if text.isascii() and text.isprintable() else quote(text)
