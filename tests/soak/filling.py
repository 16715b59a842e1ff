"""Fills the document server's memory before it is judged: what it then takes more is growth, not a cache that fills.

Its cache holds what was written or read last, up to its size; the alerts of a demo fill it within some hours. The
buffers of its log are in memory as far as they were ever written to, each in its turn. What a connection took stays
with its heap, so that as many are open at once as a demo has in its busiest moments.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final

from pymongo import MongoClient
from pymongo.collection import Collection

DATABASE: Final = "soak"
DOCUMENTS: Final = 60_000  # of 0.8 kB and three indexes: 48 MB and more, where the cache takes 32
_BATCH: Final = 500
_INDEXES: Final = (("ts", "n"), ("owner", "ts"), ("rule", "ts"))  # as those of alerts that have fired
_TEXT: Final = "x" * 640
_BUFFERS: Final = 256  # twice those of the log
_BUFFER_TEXT: Final = "x" * 20_000  # all but fills one: it must fit
CONNECTIONS: Final = 20


def fill_documents(url: str, documents: int = DOCUMENTS) -> None:
    """Write so many small documents into a database of their own, which stay there, and some large ones."""
    with MongoClient[dict[str, Any]](url, minPoolSize=CONNECTIONS) as client, ThreadPoolExecutor(CONNECTIONS) as pool:
        filled = client[DATABASE]["filled"]
        for names in _INDEXES:
            filled.create_index([(name, 1) for name in names])
        firsts = range(0, documents, _BATCH)
        for _ in pool.map(lambda first: _write_batch(filled, range(first, min(first + _BATCH, documents))), firsts):
            pass
        for _ in range(_BUFFERS):
            filled.insert_one({"text": _BUFFER_TEXT})


def _write_batch(filled: Collection[dict[str, Any]], numbers: range) -> None:
    filled.insert_many([{"n": n, "ts": n, "owner": None, "rule": None, "text": _TEXT} for n in numbers])
