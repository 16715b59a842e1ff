"""The recordings of Indodax."""

from __future__ import annotations

from typing import Final

from tests.producers.frames.cases.case import Case

CASES: Final = (
    Case(folder="indodax", name="captured_2026", venue="indodax", market="spot"),
    Case(
        folder="indodax", name="composed_newline_frames", venue="indodax", market="spot", unlisted=frozenset({"ticker"})
    ),
    Case(folder="indodax", name="official_doc_examples", venue="indodax", market="spot"),
)
