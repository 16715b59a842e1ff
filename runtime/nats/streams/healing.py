"""Creates again what vanished from the bus: that it was lost is published first, then it is made."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, Final

from contracts import streams
from runtime.nats.bus import Bus, NoAnswerError
from runtime.nats.streams.api import NOT_FOUND, ApiRefusalError, call
from runtime.nats.streams.plan import Item, Plan, items

_ANNOUNCED_IN: Final = f"stream {streams.FEEDS}"


async def find_info(bus: Bus, item: Item) -> dict[str, Any] | None:
    """Return the server's whole answer about an item, None where it has none; ApiRefusalError, NoAnswerError."""
    try:
        return await call(bus, item.info)
    except ApiRefusalError as error:
        if error.code == NOT_FOUND:
            return None
        raise


async def say_nothing(_place: str) -> None:
    """Publish nothing of a loss."""


def observe_nothing(_answer: dict[str, Any]) -> None:
    """Take no figures."""


class Healer:
    """Looks for everything of a plan again and again, and creates what is gone.

    `on_lost(place)` is awaited once for each loss, before the item is created: whoever finds it again can know already
    that it is another one. Only the stream that losses are published to is made first, before everything else.
    `observe` takes the server's answer about each item that is there.
    """

    def __init__(
        self,
        bus: Bus,
        plan: Plan,
        *,
        on_lost: Callable[[str], Awaitable[None]] = say_nothing,
        observe: Callable[[dict[str, Any]], None] = observe_nothing,
    ) -> None:
        self._bus, self._on_lost, self._observe = bus, on_lost, observe
        self._items = sorted(items(plan), key=lambda item: item.place != _ANNOUNCED_IN)
        self._gone: set[str] = set()  # and not seen again: the server's answer to its creation may not have come

    async def heal(self) -> list[str]:
        """Look at everything once, and return the places of what is there again; what differs is left for `apply`.

        What does not answer (a stream of one server that is away) holds up nothing else: the first such error
        (NoAnswerError, ApiRefusalError) is raised when the others were looked at, unless something is there again.
        """
        healed: list[str] = []
        failed: list[NoAnswerError | ApiRefusalError] = []
        for item in self._items:
            try:
                if await self._heal_one(item):
                    healed.append(item.place)
            except (NoAnswerError, ApiRefusalError) as error:
                failed.append(error)
        if failed and not healed:
            raise failed[0]
        return healed

    async def _heal_one(self, item: Item) -> bool:
        """Return whether an item is there again that was gone."""
        place = item.place
        info = await find_info(self._bus, item)
        if info is not None and place not in self._gone:
            self._observe(info)
            return False
        if info is None:
            if place not in self._gone and place != _ANNOUNCED_IN:
                await self._on_lost(place)
            self._gone.add(place)
            await call(self._bus, item.create, item.body("create"))
        self._gone.remove(place)
        if place == _ANNOUNCED_IN:
            await self._on_lost(place)
        return True
