"""How updates are handled: so many at once, and a share of them each in a trace of its own."""

from __future__ import annotations

from collections.abc import Awaitable, Iterable
from typing import Any

from opentelemetry.trace import SpanKind
from telegram.ext import BaseUpdateProcessor

from runtime.tracing.tracing import Tracing


class TracedUpdates(BaseUpdateProcessor):
    """python-telegram-bot's seam around the handlers of an update. What they request of the bus continues its trace.

    `kinds` are the fields of an update that say what it is. Of who wrote what nothing is in a span.
    """

    def __init__(self, at_once: int, tracing: Tracing, kinds: Iterable[str]) -> None:
        super().__init__(at_once)
        self._tracing, self._kinds = tracing, tuple(kinds)

    async def do_process_update(self, update: object, coroutine: Awaitable[Any]) -> None:
        """Await the handlers of an update, in a trace that begins with it if it is chosen."""
        if not self._tracing.chooses():
            await coroutine
            return
        kind = next((kind for kind in self._kinds if getattr(update, kind, None) is not None), "(other)")
        with self._tracing.beginning(f"update {kind}", kind=SpanKind.CONSUMER):
            await coroutine

    async def initialize(self) -> None:
        """Do nothing: there is nothing to open."""

    async def shutdown(self) -> None:
        """Do nothing: there is nothing to close."""
