"""One recording of the large set: which venue and market decode it, and how its expected records are translated."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

Record = dict[str, Any]
Translate = Callable[[Record, str], Record | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One recording. `undecodable`: line -> a part of the reason with which it must be refused.

    `proofs`: how many of the venue's own checksums the rebuilt books must agree with (0: they are not the venue's).
    `depth`: to how many levels a side the recorded channel keeps a book, where that is not what we subscribe to.
    """

    folder: str
    name: str
    venue: str
    market: str
    seed: str | None = None
    translate: tuple[Translate, ...] = ()
    unlisted: frozenset[str] = frozenset()
    undecodable: Mapping[int, str] = field(default_factory=dict[int, str])
    proofs: int = 0
    depth: int | None = None

    @property
    def id(self) -> str:
        return f"{self.folder}/{self.name}"


def payload_of(raw: str) -> Any:
    """Return a frame's content, without the envelope of a combined stream."""
    frame = json.loads(raw, parse_float=Decimal)
    return frame["data"] if "stream" in frame else frame
