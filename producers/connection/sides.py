"""Which side of a book this process uses: the compiled one where it was built (`make venv`), else the pure Python one.

Who wants the Python one although the other is there sets `sys.modules["producers.connection.compiled.book_side"]` to
None before anything here is imported; `make test COMPILED=no` runs everything without a compiled one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from producers.connection import book_side as python

if TYPE_CHECKING:
    from producers.connection.book_side import BookSide, are_levels, snapshot
else:
    try:
        from producers.connection.compiled.book_side import BookSide, are_levels, snapshot
    except ImportError:
        from producers.connection.book_side import BookSide, are_levels, snapshot

COMPILED: Final = BookSide is not python.BookSide

__all__ = ["COMPILED", "BookSide", "are_levels", "snapshot"]
