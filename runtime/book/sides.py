"""Which side of a book this process uses: the compiled one where it was built (`make venv`), else the pure Python one.

Who wants the Python one although the other is there sets `sys.modules["runtime.book.compiled.book_side"]` to
None before anything here is imported; `make test COMPILED=no` runs everything without a compiled one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from runtime.book import book_side as python

if TYPE_CHECKING:
    from runtime.book.book_side import BookSide, are_levels, snapshot
else:
    try:
        from runtime.book.compiled.book_side import BookSide, are_levels, snapshot
    except ImportError:
        from runtime.book.book_side import BookSide, are_levels, snapshot

COMPILED: Final = BookSide is not python.BookSide

__all__ = ["COMPILED", "BookSide", "NoSide", "are_levels", "snapshot"]


class NoSide(python.BookSide):
    """Stands for a side of a book that another process keeps: takes everything and holds nothing."""

    __slots__ = ()

    def replace(self, levels: object, depth: int | None = None) -> None:
        """Hold none of them."""

    def apply(self, levels: object, edge: float | None = None, depth: int | None = None) -> None:
        """Set none of them."""
