"""How frames reach their sockets: each passes the active faults once, then goes to every session of it."""

from __future__ import annotations

from dataclasses import dataclass, field

from producers.simulator.faults import Faults, Verdict
from producers.simulator.hub import Frame, Tick
from producers.simulator.transport.sockets import Sockets
from producers.simulator.venue import Venue


@dataclass(slots=True)
class Delivery:
    """Applies verdicts to frames. `held` keeps one frame a stream for the fault `reorder`."""

    faults: Faults
    sockets: Sockets
    held: dict[tuple[str, str, tuple[int, ...]], Frame] = field(default_factory=dict)

    def deliver(self, name: str, venue: Venue, tick: Tick) -> None:
        """Send what the venue `name` publishes at a tick, in its order."""
        verdicts: dict[tuple[str, int], Verdict] = {}
        nth: dict[tuple[str, tuple[int, ...]], int] = {}
        for frame in venue.list_frames(tick):
            audience = tuple(session.id for session in frame.sessions)
            count = nth.get((frame.stream, audience), 0)
            nth[frame.stream, audience] = count + 1
            verdict = verdicts.get((frame.stream, count))
            if verdict is None:
                what = (frame.channel, frame.symbol, frame.is_delta)
                verdict = verdicts[frame.stream, count] = self.faults.decide_frame(name, tick.now_us, what)
            self._pass(name, venue, frame, verdict)

    def _pass(self, name: str, venue: Venue, frame: Frame, verdict: Verdict) -> None:
        if verdict.lost:
            return
        key = (name, frame.stream, tuple(session.id for session in frame.sessions))
        if verdict.held and key not in self.held:
            self.held[key] = frame
            return
        text = frame.text
        for kind in verdict.mutations:
            text = venue.mutate(
                Frame(frame.sessions, text, frame.channel, frame.symbol, frame.stream, frame.is_delta), kind
            )
        self._send(frame, text, verdict)
        if verdict.twice:
            self._send(frame, text, verdict)
        late = self.held.pop(key, None)
        if late is not None:
            self._send(late, late.text, verdict)

    def _send(self, frame: Frame, text: str, verdict: Verdict) -> None:
        for session in frame.sessions:
            client = self.sockets.clients.get(session)
            if client is not None:
                self.sockets.send(client, text, verdict.delay_s)
