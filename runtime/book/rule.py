"""How a venue's book is seeded, continued and proven: data that a venue gives and the keeper applies. Pure."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class BookRule:
    """How a venue's book is seeded and continued (applied by runtime.book.keeper).

    `seed`: "ws" = the first delta with `is_snapshot`; "rest" = a snapshot that is asked for (by REST, or by a frame
    where the venue has `book_request`), deltas buffered meanwhile; "either" = whichever comes, the snapshot being asked
    for after `wait` seconds. `chain`: "exact" = each delta's `prev_seq` equals the last `seq`; "overlap" = it may lie
    before it; "none" = the venue gives no sequence. `seed_depth`: the snapshot that is asked for holds only this many
    levels a side; what lies beyond them is not known, and where half of them are gone another snapshot fills the side.
    `audit_depth`: so many levels a side are compared with a snapshot; fewer than the stream covers, since a snapshot
    from between two of its messages differs at the end of what it covers. `audit`: whether such a snapshot's number is
    of the count of the stream's changes ("joined"), or only levels that stay as they are can be compared ("untouched").
    """

    seed: Literal["ws", "rest", "either"]
    chain: Literal["exact", "overlap", "none"]
    depth: int | None = None  # cut to this many levels a side at each level (venues that send no removals beyond it)
    wait: float = 3.0
    seed_depth: int | None = None
    audit_depth: int = 100
    audit: Literal["joined", "untouched"] = "joined"
    proven: bool = False  # each change is followed by a checksum: without a sequence, that is the continuity


@dataclass(frozen=True, slots=True)
class BookChecksum:
    """How a venue sums its book: `compute(bids, asks)` over its best `depth` levels a side, as `Proof` carries it.

    `name` says which one it is to another process (runtime.book.checksums).
    """

    name: str
    depth: int
    compute: Callable[[Sequence[tuple[str, str]], Sequence[tuple[str, str]]], int]
