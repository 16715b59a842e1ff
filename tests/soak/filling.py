"""Fills the document server's cache before memory is judged: what it then takes more is growth, not a cache that fills.

Its cache holds what was written or read last, up to its size; the alerts of a demo fill it within some hours.
"""

from __future__ import annotations

from typing import Any, Final

from pymongo import MongoClient

DATABASE: Final = "soak"
DOCUMENTS: Final = 60_000  # of 0.8 kB and three indexes: 48 MB and more, where the cache takes 32
_BATCH: Final = 500
_INDEXES: Final = (("ts", "n"), ("owner", "ts"), ("rule", "ts"))  # as those of alerts that have fired
_TEXT: Final = "x" * 640


def fill_documents(url: str, documents: int = DOCUMENTS) -> None:
    """Write so many small documents into a database of their own, which stay there."""
    with MongoClient[dict[str, Any]](url) as client:
        filled = client[DATABASE]["filled"]
        for names in _INDEXES:
            filled.create_index([(name, 1) for name in names])
        for first in range(0, documents, _BATCH):
            numbers = range(first, min(first + _BATCH, documents))
            filled.insert_many([{"n": n, "ts": n, "owner": None, "rule": None, "text": _TEXT} for n in numbers])
