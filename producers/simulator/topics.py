"""The subscribed topics of one venue: their texts after a step, snapshots for new subscribers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

from producers.simulator.hub import Frame, Hub, Session, Tick


class Topic(Protocol):
    """One topic: texts for its subscribers after every step, and a snapshot for new ones (None: there is none)."""

    symbol: str
    channel: str
    is_delta: bool

    def list_texts(self, tick: Tick) -> list[str]:
        """Return what subscribers receive after this step."""
        ...

    def snapshot(self, tick: Tick) -> str | None:
        """Return what new subscribers receive first."""
        ...


def no_snapshot(_tick: Tick) -> str | None:
    """Return None: what new subscribers of most topics receive first."""
    return None


@dataclass(slots=True)
class Channel:
    """A topic made of functions: `texts` after a step, `first` for new subscribers."""

    symbol: str
    channel: str
    texts: Callable[[Tick], list[str]]
    first: Callable[[Tick], str | None] = no_snapshot
    is_delta: bool = False

    def list_texts(self, tick: Tick) -> list[str]:
        """Return what subscribers receive after this step."""
        return self.texts(tick)

    def snapshot(self, tick: Tick) -> str | None:
        """Return what new subscribers receive first."""
        return self.first(tick)


def whole(symbol: str, channel: str, text: Callable[[Tick], str], is_due: Callable[[Tick], bool]) -> Channel:
    """Return a topic whose every push says all: when it is due, and to new subscribers first."""
    return Channel(symbol, channel, lambda tick: [text(tick)] if is_due(tick) else [], text)


@dataclass(slots=True)
class Board:
    """All subscribed topics by key; a topic without subscribers is dropped."""

    hub: Hub = field(default_factory=Hub)
    topics: dict[str, Topic] = field(default_factory=dict[str, Topic])

    def join(self, session: Session, key: str, topic: Topic) -> None:
        """Subscribe a session to a topic from its next snapshot on; a second subscription changes nothing."""
        self.topics.setdefault(key, topic)
        if key not in session.streams:
            self.hub.join(session, key, wait=True)

    def list_frames(self, tick: Tick) -> list[Frame]:
        """Return every topic's texts; sessions that waited receive the snapshot after the texts of the others."""
        frames: list[Frame] = []
        for key in list(self.topics):
            if not self.hub.has_subscribers(key):
                del self.topics[key]
                continue
            topic = self.topics[key]
            texts = topic.list_texts(tick)
            subscribers = self.hub.subscribers_of(key)
            if subscribers:
                frames.extend(
                    Frame(subscribers, text, topic.channel, topic.symbol, key, topic.is_delta) for text in texts
                )
            joining = self.hub.welcome(key)
            snapshot = topic.snapshot(tick) if joining else None
            if snapshot is not None:
                frames.append(Frame(joining, snapshot, topic.channel, topic.symbol, key))
        return frames
