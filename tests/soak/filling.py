"""Fills the document server's memory before it is judged: what it then takes more is growth, not a cache that fills.

Its cache holds what was written or read last, up to its size; the alerts of a demo fill it within some hours. The
buffers of its log are in memory as far as they were ever written to, each in its turn.
"""

from __future__ import annotations

from typing import Any, Final

from pymongo import MongoClient

DATABASE: Final = "soak"
DOCUMENTS: Final = 60_000  # of 0.8 kB and three indexes: 48 MB and more, where the cache takes 32
_BATCH: Final = 500
_INDEXES: Final = (("ts", "n"), ("owner", "ts"), ("rule", "ts"))  # as those of alerts that have fired
_TEXT: Final = "x" * 640
_BUFFERS: Final = 256  # twice those of the log
_BUFFER_TEXT: Final = "x" * 20_000  # all but fills one: it must fit


def fill_documents(url: str, documents: int = DOCUMENTS) -> None:
    """Write so many small documents into a database of their own, which stay there, and some large ones."""
    with MongoClient[dict[str, Any]](url) as client:
        filled = client[DATABASE]["filled"]
        for names in _INDEXES:
            filled.create_index([(name, 1) for name in names])
        for first in range(0, documents, _BATCH):
            numbers = range(first, min(first + _BATCH, documents))
            filled.insert_many([{"n": n, "ts": n, "owner": None, "rule": None, "text": _TEXT} for n in numbers])
        for _ in range(_BUFFERS):
            filled.insert_one({"text": _BUFFER_TEXT})
