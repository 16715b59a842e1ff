"""Interruptions in words: each connection's are its own, and those that serve nothing of concern are left out."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from contracts import codec
from contracts.market import ConnectionState, Served
from runtime.app.explaining.missing import Interruptions

SECOND = 1_000_000_000
START = 1_800_000_000 * SECOND
ONE, OTHER = "public.0:00000001", "public.1:00000002"
Make = Callable[..., Any]


def fold(*statuses: Any) -> list[str]:
    about = Interruptions(
        (START, START + 60 * SECOND), frozenset({"trade"}), lambda symbol: symbol.partition("/")[0] == "BTC"
    )
    return about.fold_all(statuses)


def serves(*symbols: str) -> list[Any]:
    return [codec.fast(Served)(channels=["trade"], symbols=list(symbols))]


def test_one_connection_does_not_end_what_another_began_and_a_silence_counts_from_its_beginning(status: Make) -> None:
    at = [START + number * SECOND for number in range(60)]
    (found,) = fold(
        status("down", at[30], channel="trade", connection=ONE, since=at[5]),
        status("live", at[32], channel="trade", connection=OTHER),
        status("live", at[40], channel="trade", connection=ONE),
    )
    assert found.startswith(f"binance trade {ONE} was down from 2027-01-15T08:00:05")
    assert "until 2027-01-15T08:00:40" in found


def test_a_connection_that_serves_nothing_of_concern_is_left_out(status: Make) -> None:
    listed = status("connecting", START, channel="trade", connection=ONE, serves=serves("ETH/USDT"))
    down = status("down", START + SECOND, channel="trade", connection=ONE)
    assert fold(listed, down) == []
    assert len(fold(down)) == 1  # it may be of any
    states = [codec.fast(ConnectionState)(id=name, state=state) for name, state in ((ONE, "down"), (OTHER, "live"))]
    assert fold(listed, down, status("connecting", START + SECOND, connections=states)) == []
