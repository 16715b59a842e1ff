"""The topics of one venue that somebody listens to: their texts after a step, first texts for newcomers."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Protocol

from producers.simulator.hub import Frame, Hub, Session, Tick


class Topic(Protocol):
    """One topic: texts for its listeners after every step, and a first text for newcomers (None: there is none)."""

    symbol: str
    channel: str
    is_delta: bool

    def list_texts(self, tick: Tick) -> list[str]:
        """What listeners get after this step."""
        ...

    def snapshot(self, tick: Tick) -> str | None:
        """What newcomers get first."""
        ...


@dataclass(slots=True)
class Board:
    """All heard topics by key; a topic that nobody hears any more is forgotten."""

    hub: Hub = field(default_factory=Hub)
    topics: dict[str, Topic] = field(default_factory=dict[str, Topic])

    def join(self, session: Session, key: str, topic: Topic) -> None:
        """Lets a session hear a topic from its next snapshot on; a second subscription changes nothing."""
        self.topics.setdefault(key, topic)
        if key not in session.streams:
            self.hub.join(session, key, wait=True)

    def list_frames(self, tick: Tick) -> list[Frame]:
        """Every heard topic's texts; who has waited gets the snapshot after the texts of the others."""
        frames: list[Frame] = []
        for key in list(self.topics):
            if not self.hub.is_heard(key):
                del self.topics[key]
                continue
            topic = self.topics[key]
            texts = topic.list_texts(tick)
            heard = self.hub.heard_by(key)
            if heard:
                frames.extend(Frame(heard, text, topic.channel, topic.symbol, key, topic.is_delta) for text in texts)
            newcomers = self.hub.welcome(key)
            snapshot = topic.snapshot(tick) if newcomers else None
            if snapshot is not None:
                frames.append(Frame(newcomers, snapshot, topic.channel, topic.symbol, key))
        return frames
