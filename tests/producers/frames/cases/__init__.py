"""The recordings of the large set, a file a venue; a venue's file has a row for every file of its folders there.

`translate` functions take an expected record and the frame's text, and return the record in our terms (None drops it);
each says why. `unlisted` names kinds that the source leaves out.
"""

from __future__ import annotations

from importlib import import_module
from typing import Final

from producers.registry import VENUES
from tests.producers.frames.cases.case import Case

CASES: Final[tuple[Case, ...]] = tuple(
    case for venue_id in VENUES for case in import_module(f"{__name__}.{venue_id}").CASES
)
