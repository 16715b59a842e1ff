"""Which ids that were seen this process uses: the compiled ones where they were built (`make venv`), else Python's.

Who wants Python's although the others are there sets `sys.modules["runtime.seen.compiled.seen_ids"]` to None before
anything here is imported.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from runtime.seen.seen_ids import SeenIds
else:
    try:
        from runtime.seen.compiled.seen_ids import SeenIds
    except ImportError:
        from runtime.seen.seen_ids import SeenIds

__all__ = ["SeenIds"]
