"""What a connection remembers of each instrument, by the venue's name of it."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

Topic = TypeVar("Topic")


class Topics(dict[str, Topic]):
    """A dictionary that makes a topic when its name is met first; what `make` raises is raised, and nothing is kept."""

    def __init__(self, make: Callable[[str], Topic]) -> None:
        super().__init__()
        self._make = make

    def __missing__(self, name: str) -> Topic:
        topic = self[name] = self._make(name)
        return topic
