"""What a venue leaves out of its answer is told as refused, and nothing else waits for it."""

from __future__ import annotations

import pytest

from producers.simulator.faults import Fault


@pytest.mark.parametrize("venue", ["deribit"])
async def test_channel_left_out_of_an_answer_is_down_while_the_others_live(rig, venue):
    async with rig(venue) as r:
        await r.until(r.all_books_live, "live books")
        r.sim.inject(Fault(venue=venue, kind="partial_ack", count=1))
        r.sim.cut(venue)

        def refused():
            return [s for s in r.bus.states if s[0] == "down" and s[2] and "left it out" in (s[3] or "")]

        await r.until(refused, "the refusal was told", seconds=30)
        [(_, channel, symbol, _)] = refused()
        before = r.bus.counts["trade"]
        await r.until(lambda: r.bus.counts["trade"] > before + 5, "trades go on")
        assert channel == "book"
        await r.until(
            lambda: all((book.quality == "sim") == (name != symbol) for name, book in r.books().items()),
            "every other book lives",
        )
