"""The document store of a consumer: waited for while it is away, with its indexes, closed at the end."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from typing import Final

import structlog

from runtime import clock, retry
from runtime.app.service import Service
from runtime.store import IndexSpec, Store, StoreError

_log = structlog.get_logger("documents")
_AGAIN: Final = retry.Policy(wait_initial=0.2, wait_max=5.0)


@asynccontextmanager
async def open_store(service: Service, url: str, indexes: Sequence[IndexSpec]) -> AsyncGenerator[Store | None]:
    """Yield the store once it answers and has the indexes; None where the service was stopped before that."""
    async with service.shared.open(url, lambda: Store(url)) as store:
        yield store if await _is_ready(service, store, indexes) else None


async def _is_ready(service: Service, store: Store, indexes: Sequence[IndexSpec]) -> bool:
    for pause in retry.delays(_AGAIN):
        if service.stop.is_set():
            return False
        try:
            await store.ping()
            await store.create_indexes(indexes)
        except StoreError as error:
            _log.warning("documents.waiting", consumer=service.name, error=str(error).split(",", 1)[0])
            await clock.sleep(pause)
        else:
            return True
    return False
