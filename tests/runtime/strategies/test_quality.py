"""What of a feed is not live for a strategy, where its venue has several connections."""

from __future__ import annotations

from typing import Any

from contracts.market import ConnectionState, FeedState, FeedStatus
from runtime.strategies.quality import Feed
from tests.runtime.strategies.exchange import START, feed

ONE, OTHER = "public.0:00000001", "public.1:00000002"


def say(held: Feed, state: str, **fields: Any) -> Feed:
    status = feed(state, channel=fields.pop("channel", None))
    return held.on_status(FeedStatus(**{**status.model_dump(), **fields}), frozenset({"trade", "book"}), START)


def states(**by_id: FeedState) -> list[ConnectionState]:
    return [ConnectionState(id=name, state=state) for name, state in zip((ONE, OTHER), by_id.values(), strict=True)]


def fault(held: Feed) -> str | None:
    return held.fault(START, accept_fallback=False)


def test_a_connection_that_is_live_does_not_make_another_one_live() -> None:
    held = say(Feed(), "stale", channel="trade", connection=ONE)
    held = say(held, "live", channel="trade", connection=OTHER)
    assert fault(held) is not None
    assert fault(say(held, "live", channel="trade", connection=ONE)) is None


def test_what_was_said_of_a_connection_that_is_gone_is_over_and_of_the_others_stays() -> None:
    held = say(say(Feed(), "stale", channel="trade", connection="old:0"), "gap", channel="book")
    held = say(held, "stale", channel="trade", connection=ONE)
    held = say(held, "connecting", connections=states(a="live", b="connecting"))
    assert set(held.marks) == {f"trade * {ONE}", "* *"}
    held = say(held, "live", connections=states(a="live", b="live"))
    assert set(held.marks) == {f"trade * {ONE}"}
