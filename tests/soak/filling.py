"""Fills the document server's memory before it is judged: what it then takes more is growth, not a cache that fills.

Its cache holds what was written or read last, up to its size; the alerts of a demo fill it within some hours. It is
filled as those do it, by single documents of several connections that are read and changed too: by one connection and
in batches it takes 20 MiB less, and those come later. The buffers of its log are in memory as far as they were ever
written to, each in its turn.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final

from pymongo import MongoClient
from pymongo.collection import Collection

DATABASE: Final = "soak"
DOCUMENTS: Final = 24_000  # of 1.2 kB and three indexes: from 16,000 on a server alone grew no more but by 3 MiB
_CONNECTIONS: Final = 8
_READ_EVERY: Final = 3
_CHANGED_EVERY: Final = 5
_INDEXES: Final = (("ts", "n"), ("owner", "ts"), ("rule", "ts"))  # as those of alerts that have fired
_TEXT: Final = "x" * 640
_EVENT: Final = {"amounts": [1] * 20, "text": "x" * 300}
_BUFFERS: Final = 256  # twice those of the log
_BUFFER_TEXT: Final = "x" * 20_000  # all but fills one: it must fit


def fill_documents(url: str, documents: int = DOCUMENTS) -> None:
    """Write so many small documents into a database of their own, which stay there, and some large ones."""
    with MongoClient[dict[str, Any]](url) as client:
        filled = client[DATABASE]["filled"]
        for names in _INDEXES:
            filled.create_index([(name, 1) for name in names])
        with ThreadPoolExecutor(_CONNECTIONS) as pool:
            for done in [pool.submit(_fill, filled, documents, owner) for owner in range(_CONNECTIONS)]:
                done.result()
        for _ in range(_BUFFERS):
            filled.insert_one({"text": _BUFFER_TEXT})


def _fill(filled: Collection[dict[str, Any]], documents: int, owner: int) -> None:
    """Write what is one owner's, and read and change some of it."""
    for n in range(owner, documents, _CONNECTIONS):
        filled.insert_one({"_id": n, "n": n, "ts": n, "owner": owner, "rule": n % 7, "text": _TEXT, "event": _EVENT})
        if n % _READ_EVERY == 0:
            filled.find({"owner": owner}).sort("ts", -1).limit(5).to_list()
        if n % _CHANGED_EVERY == 0:
            filled.update_one({"_id": n}, {"$set": {"sent": True}})
