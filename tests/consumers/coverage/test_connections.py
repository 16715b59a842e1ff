"""The ledger of a venue with several connections: a cut of one is of what comes over it, and of nothing else."""

from __future__ import annotations

import random
from typing import Any

import pytest

from consumers.candles.gaps import Gaps
from contracts import codec
from contracts.services.coverage import HOUR_NS
from runtime.coverage.spans import join
from runtime.coverage.view import count
from tests.consumers.coverage.ledger import (
    MINUTE,
    SECOND,
    START,
    SYMBOLS,
    VENUE,
    Connection,
    Kept,
    Status,
    status,
    whole,
)

BTC, ETH, SOL = SYMBOLS
SPAN, NOW = (START, START + MINUTE), START + MINUTE


class Venue:
    """A venue whose symbols are spread over connections, with the ledger and the gaps of candles that follow it."""

    def __init__(self, *connections: Connection) -> None:
        self.connections, self.kept, self.gaps = connections, Kept(), Gaps()
        at = START - MINUTE
        self.say(*([whole(at, *connections)] if connections else []))
        for one in connections:
            self.say(*one.say("connecting", at, listing=True), *one.say("live", at), whole(at, *connections))

    def say(self, *statuses: Any) -> None:
        for item in statuses:
            self.kept.say(item)
            self.gaps.on_status(codec.decoder(codec.EVENTS["feed"]).decode(codec.encode(item)))

    def cut(self, connection: Connection, at: int, **more: Any) -> None:
        """Say what a producer says where a connection is lost, and that it is being opened."""
        self.say(*connection.say("down", at, **more), whole(at + 1, *self.connections))
        self.say(*connection.say("connecting", at + 2))

    def recover(self, connection: Connection, at: int) -> None:
        """Say that it is live again: its channels with their first data, the venue when all was confirmed."""
        self.say(*connection.say("live", at - 1), whole(at, *self.connections))

    def spans(self, symbol: str) -> list[tuple[int, int]]:
        return [span for span in self.gaps.list_spans(VENUE, symbol, NOW) if span[0] >= START]

    def unknown(self, symbol: str, channel: str = "trade", span: tuple[int, int] = SPAN) -> int:
        return self.kept.count(span, span[1], symbol, channel).unknown


def three() -> Venue:
    return Venue(*(Connection(f"public.{number}", (symbol,)) for number, symbol in enumerate(SYMBOLS)))


# ---- random outages
@pytest.mark.parametrize("seed", range(4))
def test_of_fifty_outages_of_one_connection_each_is_right_to_the_second_and_is_of_its_instruments(seed: int) -> None:
    dice, venue, end = random.Random(seed), three(), START
    lost: dict[str, list[tuple[int, int]]] = {symbol: [] for symbol in SYMBOLS}
    free: dict[str, int] = dict.fromkeys(lost, START + MINUTE)  # since when each is live
    moments: list[tuple[int, Any, Connection, dict[str, Any]]] = []
    for _ in range(50):
        connection = dice.choice(venue.connections)
        (symbol,) = connection.symbols
        start = free[symbol] + dice.randrange(3 * SECOND, 5 * MINUTE)
        over = start + int(SECOND * 10 ** dice.uniform(-1.3, 2.1))
        silence = dice.choice((0, dice.randrange((over - start) // 2 + 1)))  # which is noticed later
        moments += [
            (start + silence, venue.cut, connection, {"since": start} if silence else {}),
            (over, venue.recover, connection, {}),
        ]
        lost[symbol].append((start, over))
        free[symbol] = over
        end = max(end, over + MINUTE)
    for at, act, connection, more in sorted(moments, key=lambda moment: moment[0]):
        act(connection, at, **more)
        if dice.random() < 0.05:
            venue.kept.save(at)
            venue.kept.restart()
    end += -end % MINUTE
    minutes = [(at, at + MINUTE) for at in range(START, end, MINUTE)]
    for symbol in SYMBOLS:
        for channel in ("trade", "book"):
            covered = venue.kept.find((START, end), end, symbol, channel)
            for start, over in lost[symbol]:
                around = (start - start % SECOND - SECOND, over - over % SECOND + 2 * SECOND)
                assert abs(count(covered, around)[0].unknown * SECOND - (over - start)) <= SECOND
            assert abs(sum(b - a for a, b in covered.unknown) - sum(b - a for a, b in lost[symbol])) < 1000
            for flagging in (covered.unknown, venue.gaps.list_spans(VENUE, symbol, end)):
                flagged = [one for one in minutes if any(a < one[1] and b > one[0] for a, b in flagging)]
                assert flagged == [one for one in minutes if any(a < one[1] and b > one[0] for a, b in lost[symbol])]


# ---- whose
def test_a_channel_of_a_connection_is_of_its_instruments_and_kinds() -> None:
    split = Connection("public.1", (ETH, SOL), ("trade",))
    venue = Venue(Connection("public.0", (BTC,)), split, Connection("books.0", (ETH, SOL), ("book",)))
    venue.cut(split, START + 10 * SECOND)
    venue.recover(split, START + 20 * SECOND)
    assert [venue.unknown(symbol) for symbol in SYMBOLS] == [0, 10, 10]
    assert [venue.unknown(symbol, "book") for symbol in SYMBOLS] == [0, 0, 0]


def test_of_two_connections_with_one_channel_each_ends_by_its_own_word() -> None:
    venue = three()
    first, second, _ = venue.connections
    venue.cut(first, START + 10 * SECOND)
    venue.cut(second, START + 15 * SECOND)
    venue.recover(second, START + 20 * SECOND)
    venue.recover(first, START + 40 * SECOND)
    assert [venue.unknown(symbol) for symbol in SYMBOLS] == [30, 5, 0]
    assert venue.spans(SOL) == []


def test_a_connection_of_which_it_is_not_known_what_it_serves_is_of_every_instrument() -> None:
    venue = three()
    new = Connection("public.9", (BTC, ETH))  # its list was lost on the way
    venue.say(*new.say("down", START + 10 * SECOND), *new.say("live", START + 20 * SECOND))
    assert [venue.unknown(symbol) for symbol in SYMBOLS] == [10, 10, 10]
    assert [len(venue.spans(symbol)) for symbol in SYMBOLS] == [1, 1, 1]


def test_statuses_without_a_connection_are_of_every_instrument_as_they_were() -> None:
    recorded = (
        b'{"id":"a","venue":"binance","symbol":null,"venue_symbol":null,"ts_event":null,"ts_recv":%d,"sim":false,'
        b'"state":"%s","reason":null,"channel":%s,"audited":null,"filled":null,"missing":null}'
    )
    venue, read = Venue(), codec.decoder(codec.EVENTS["feed"]).decode
    for at, state in ((10, b"down"), (20, b"live")):
        for later, channel in enumerate((b'"trade"', b"null")):
            venue.say(read(recorded % (START + at * SECOND + later, state, channel)))
    assert [venue.unknown(symbol) for symbol in SYMBOLS] == [10, 10, 10]
    assert [venue.unknown(symbol, "book") for symbol in SYMBOLS] == [10, 10, 10]


# ---- what ends
def test_a_connection_that_is_planned_again_is_not_interrupted_for_ever() -> None:
    venue = three()
    venue.cut(venue.connections[0], START + 10 * SECOND)
    venue.connections = (Connection("public.0", (BTC, ETH)), Connection("public.1", (SOL,)))
    venue.say(whole(START + 15 * SECOND, *venue.connections))
    for one in venue.connections:
        venue.say(*one.say("connecting", START + 15 * SECOND, listing=True))
        venue.recover(one, START + 20 * SECOND)
    assert [venue.unknown(symbol) for symbol in SYMBOLS] == [10, 5, 5]
    assert venue.spans(BTC) == [(START + 10 * SECOND, START + 20 * SECOND)]


def test_a_producer_that_has_no_instruments_yet_is_of_all_of_them_until_it_names_its_connections() -> None:
    venue = three()
    venue.cut(venue.connections[0], START + 5 * SECOND)
    venue.say(status("down", START + 10 * SECOND))
    for one in venue.connections:
        one.state = "connecting"
    venue.say(whole(START + 20 * SECOND, *venue.connections))
    for number, one in enumerate(venue.connections):
        venue.recover(one, START + (30 + number) * SECOND)
    assert [venue.unknown(symbol) for symbol in SYMBOLS] == [25, 21, 22]


def test_groups_of_a_venue_do_not_end_each_others_interruptions() -> None:
    own, other = Connection("0-2/public.0", (BTC,)), Connection("1-2/public.0", (ETH,))
    venue = Venue(own)
    venue.say(*other.say("connecting", START, listing=True), whole(START, other))
    venue.cut(own, START + 10 * SECOND)
    venue.say(*other.say("live", START + 30 * SECOND), whole(START + 30 * SECOND, other))
    assert [venue.unknown(symbol) for symbol in SYMBOLS] == [50, 30, 0]


# ---- silence
def test_a_silence_that_is_noticed_later_counts_from_when_something_came_last() -> None:
    venue = three()
    venue.cut(venue.connections[0], START + 45 * SECOND, since=START + 5 * SECOND)
    venue.recover(venue.connections[0], START + 50 * SECOND)
    assert [venue.unknown(symbol) for symbol in SYMBOLS] == [45, 0, 0]
    assert venue.spans(BTC)[0][0] == START + 5 * SECOND


def test_a_quiet_instrument_lost_nothing_and_a_silent_channel_did() -> None:
    venue = three()
    about: dict[str, Any] = {"connection": venue.connections[0].id, "since": START + 5 * SECOND}
    venue.say(status("stale", START + 30 * SECOND, "trade", BTC, **about))
    venue.say(status("stale", START + 30 * SECOND, "book", **about))
    venue.say(status("live", START + 40 * SECOND, "book", connection=venue.connections[0].id))
    assert (venue.unknown(BTC), venue.unknown(BTC, "book"), venue.unknown(ETH, "book")) == (0, 35, 0)


@pytest.mark.parametrize(("since", "unknown"), [(START + 90 * SECOND, 0), (START - 9 * HOUR_NS, 60)])
def test_a_time_that_cannot_be_is_kept_in_its_bounds(since: int, unknown: int) -> None:
    venue = three()
    venue.cut(venue.connections[0], START + MINUTE, since=since)
    assert venue.unknown(BTC) == unknown
    start = min(venue.kept.ledger.find(VENUE).states.lasting.values())
    assert START - 2 * HOUR_NS <= start <= START + MINUTE


# ---- size
def test_a_flapping_connection_of_many_instruments_stays_small() -> None:
    many = Connection("public.0", tuple(f"S{number}/USDT" for number in range(500)))
    venue = Venue(many, Connection("public.1", (BTC,)))
    venue.kept.ledger.find(VENUE).on_listing((*SYMBOLS, *many.symbols), START)
    for at in range(START + SECOND, START + HOUR_NS - MINUTE, 5 * SECOND):
        venue.cut(many, at)
        venue.recover(many, at + SECOND)
    venue.kept.save(START + HOUR_NS)
    assert max(len(body) for key, body in venue.kept.bucket.items() if key.startswith("hour.")) < 30_000
    assert max(map(len, map(codec.encode, many.say("down", START)))) < 350
    span = (START, START + HOUR_NS)
    assert venue.unknown("S7/USDT", span=span) >= 700
    assert venue.unknown(BTC, span=span) == 0


def test_spans_of_the_ledger_are_the_same_whoever_reads_them() -> None:
    venue = three()
    venue.cut(venue.connections[1], START + 10 * SECOND)
    venue.recover(venue.connections[1], START + 12 * SECOND)
    covered = venue.kept.find(SPAN, NOW, ETH)
    assert join(covered.unknown) == venue.spans(ETH)
    assert Status.__struct_fields__[-4:] == ("connection", "serves", "connections", "since")
