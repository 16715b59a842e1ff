"""The ledger in memory: what was interrupted, filled, missed and not known to live, to the second."""

from __future__ import annotations

import random

import pytest

from consumers.candles.gaps import Gaps
from consumers.coverage.core import Ledger
from consumers.coverage.units import Seen, Units
from contracts.services.coverage import HOUR_NS
from runtime.coverage.interruptions import ALL
from runtime.coverage.view import Followed, count
from tests.consumers.coverage.ledger import MINUTE, SECOND, START, SYMBOLS, VENUE, Kept, status

HOUR = 60 * MINUTE
BTC, ETH, _ = SYMBOLS


def outages(seed: int, number: int) -> list[tuple[int, int]]:
    """Make outages of 50 ms to two minutes, apart from each other, at any nanosecond."""
    dice, found, at = random.Random(seed), list[tuple[int, int]](), START + MINUTE
    for _ in range(number):
        start = at + dice.randrange(2 * SECOND, 10 * MINUTE)
        at = start + int(SECOND * 10 ** dice.uniform(-1.3, 2.1))
        found.append((start, at))
    return found


# ---- random outages
@pytest.mark.parametrize("seed", range(4))
def test_of_fifty_outages_each_is_right_to_the_second_and_flags_the_candles_that_it_touches(seed: int) -> None:
    kept, gaps, spans = Kept(), Gaps(), outages(seed, 50)
    for number, (start, end) in enumerate(spans):
        channel = ("trade", None)[number % 2]
        states = (("down", start), ("connecting", start + 1), ("live", end))
        for item in (status(state, at, channel) for state, at in states):
            kept.say(item)
            gaps.on_status(item)
    end = spans[-1][1] + MINUTE
    end += -end % MINUTE
    covered = kept.find((START, end), end)
    for start, over in spans:
        around = (start - start % SECOND - SECOND, over - over % SECOND + 2 * SECOND)
        assert abs(count(covered, around)[0].unknown * SECOND - (over - start)) <= SECOND
    minutes = [(at, at + MINUTE) for at in range(START, end, MINUTE)]
    touched = [minute for minute in minutes if any(start < minute[1] and over > minute[0] for start, over in spans)]
    for flagging in (list(covered.unknown), gaps.list_spans(VENUE, BTC, end)):
        assert [minute for minute in minutes if any(a < minute[1] and b > minute[0] for a, b in flagging)] == touched
    rows = count(covered, list(range(START, end + 1, MINUTE)))
    assert {row.length for row in rows} == {60}
    assert sum(row.unknown for row in rows) == count(covered, (START, end))[0].unknown


# ---- whose channel, whose symbol
def test_an_interruption_of_one_symbol_or_channel_is_of_no_other() -> None:
    kept = Kept()
    kept.say(status("gap", START + 10 * SECOND, "trade", ETH), status("live", START + 15 * SECOND, "trade", ETH))
    kept.say(status("down", START + 30 * SECOND, "book"), status("live", START + 32 * SECOND, "book"))
    span, now = (START, START + MINUTE), START + MINUTE
    assert [kept.count(span, now, symbol).unknown for symbol in SYMBOLS] == [0, 5, 0]
    assert [kept.count(span, now, symbol, "book").unknown for symbol in SYMBOLS] == [2, 2, 2]
    assert kept.find(span, now, channel="liquidation").since is None


def test_what_is_not_over_is_unknown_until_now_and_a_quiet_instrument_lost_nothing() -> None:
    kept = Kept()
    kept.say(status("stale", START + 5 * SECOND, "trade", BTC), status("gap", START + 40 * SECOND, "trade", BTC))
    now = START + 50 * SECOND
    assert kept.count((START, now), now).unknown == 10


def test_a_loss_that_is_noticed_in_a_moment_costs_the_second_before_it() -> None:
    kept, at = Kept(), START + 20 * SECOND
    kept.say(status("gap", at, "trade", BTC), status("live", at, "trade", BTC))
    assert kept.find((START, START + MINUTE), START + MINUTE).unknown == ((at - SECOND, at),)


# ---- filled and missing
def test_what_was_filled_is_no_gap_and_what_is_missing_is() -> None:
    kept, gaps, now = Kept(), Gaps(), START + 2 * MINUTE
    said = [
        status("down", START + 10 * SECOND),
        status("live", START + 40 * SECOND),
        # the venue's clock is half a second behind
        status("live", START + 45 * SECOND, "trade", BTC, filled=[(START + 11 * SECOND, START + 39 * SECOND)]),
        status("live", START + 45 * SECOND, "trade", ETH, filled=[(START + 10 * SECOND, START + 40 * SECOND)]),
        status("live", START + 46 * SECOND, "trade", ETH, missing=[(START + 20 * SECOND, START + 25 * SECOND - 1)]),
    ]
    for item in said:
        kept.say(item)
        gaps.on_status(item)
    btc, eth, sol = (kept.count((START, now), now, symbol) for symbol in SYMBOLS)
    assert (btc.live, btc.filled, btc.unknown) == (90, 30, 0)
    assert (eth.live, eth.filled, eth.unknown) == (90, 25, 5)
    assert (sol.live, sol.filled, sol.unknown) == (90, 0, 30)
    assert gaps.list_spans(VENUE, ETH, now) == [(START + 20 * SECOND, START + 25 * SECOND)]
    assert gaps.list_spans(VENUE, SYMBOLS[2], now) == [(START + 10 * SECOND, START + 40 * SECOND)]


def test_a_hole_that_was_filled_flags_no_candle_unless_that_came_too_late() -> None:
    kept, at = Kept(), START + 20 * SECOND
    said = [status("gap", at, "trade", BTC), status("live", at, "trade", BTC)]
    filled = [(at - SECOND // 2, at - SECOND // 4)]
    kept.say(*said, status("live", at + SECOND, "trade", BTC, filled=filled))
    assert kept.find((START, START + MINUTE), START + MINUTE).unknown == ()
    for late, spans in ((SECOND, []), (20 * MINUTE, [(at, at)])):
        gaps = Gaps()
        for item in (*said, status("live", at + late, "trade", BTC, filled=filled)):
            gaps.on_status(item)
        assert gaps.list_spans(VENUE, BTC, at + HOUR) == spans


# ---- when nobody was there
def test_what_comes_after_the_last_sign_of_life_is_unknown() -> None:
    kept = Kept()
    kept.save(START + 30 * SECOND)
    about, now = Followed(VENUE, BTC, "trade"), START + MINUTE
    assert count(kept.view.find(about, (START, now), now), (START, now))[0].unknown == 30
    assert kept.view.find(about, (START, START + 32 * SECOND), START + 32 * SECOND).unknown == ()


def test_a_lease_that_keeps_its_token_was_held_all_the_while_and_one_of_another_was_not() -> None:
    units, token = Units(), START // 1_000_000
    assert units.on_alive("binance", token, START + SECOND) is None
    assert units.on_alive("binance", token, START + HOUR) is None  # however long nobody looked
    assert units.on_alive("binance", token, START) is None  # an old sign is none
    later = token + 2 * 3_600_000
    assert units.on_alive("binance", later, START + 3 * HOUR) == (START + HOUR, START + 2 * HOUR)
    assert units.list_venues() == {"binance": START + 3 * HOUR}


def test_a_unit_that_another_one_replaced_counts_until_that_one_began() -> None:
    units = Units()
    units.seen = {"okx.1-2": Seen(1, START), "okx.2-2": Seen(2, START + SECOND)}
    whole = (START + 5 * SECOND) // 1_000_000
    assert units.drop_replaced("okx.1-2", {"okx.2-2": 2}) is None  # the other half, which was there before
    assert units.drop_replaced("okx.1-2", {"okx": whole}) == (START, START + 5 * SECOND)
    assert set(units.seen) == {"okx.2-2"}


# ---- kept and taken back
def test_a_ledger_that_is_taken_back_goes_on_as_if_it_had_never_stopped() -> None:
    dice = random.Random(7)
    kept, other, now = Kept(), Kept(), START
    for _ in range(300):
        now += dice.randrange(100 * SECOND)
        channel, symbol = dice.choice(("trade", "book", None)), dice.choice((*SYMBOLS, None))
        item = status(dice.choice(("live", "live", "gap", "down", "stale")), now, channel, symbol)
        kept.say(item)
        other.say(item)
        if dice.random() < 0.1:
            kept.save(now)
            kept.restart()
    for symbol in SYMBOLS:
        for channel in ("trade", "book"):
            assert kept.find((START, now), now, symbol, channel) == other.find((START, now), now, symbol, channel)


def test_the_past_of_before_the_first_start_is_not_claimed() -> None:
    kept = Kept()
    kept.ledger = Ledger()
    kept.ledger.begun = False
    kept.say(status("live", START, "trade"), status("down", START + SECOND, "book"))
    kept.ledger.begin(START + MINUTE)
    kept.ledger.find(VENUE).on_listing(SYMBOLS, START + MINUTE)
    now = START + 2 * MINUTE
    assert kept.count((START, now), now).unknown == 60
    assert kept.count((START, now), now, channel="book").unknown == 120


def test_an_instrument_counts_only_while_it_is_followed() -> None:
    kept = Kept()
    book = kept.ledger.find(VENUE)
    book.on_listing((BTC, ETH), START + 10 * SECOND)
    book.on_listing((BTC, ETH, SYMBOLS[2], "NEW/USDT"), START + 40 * SECOND)
    now = START + MINUTE
    assert kept.count((START, now), now, SYMBOLS[2]).unknown == 30
    assert kept.count((START, now), now, "NEW/USDT").unknown == 40
    assert kept.count((START, now), now).unknown == 0


def test_what_a_venue_samples_is_never_live() -> None:
    kept = Kept(channels=("trade", "liquidation"))
    kept.ledger.find(VENUE).on_sampled(frozenset({"liquidation"}))
    now = START + MINUTE
    found = kept.count((START, now), now, channel="liquidation")
    assert (found.live, found.sampled) == (0, 60)


def test_a_full_bucket_costs_the_oldest_hours_which_are_unknown_then() -> None:
    kept = Kept(START)
    now = START + 5 * HOUR
    for number in range(5):
        at = START + number * HOUR + MINUTE
        kept.say(status("down", at), status("live", at + SECOND))
        kept.ledger.on_saved(VENUE, at // HOUR_NS, 1000)
    first = START // HOUR_NS
    assert kept.ledger.trim(5000) == []
    assert kept.ledger.trim(3000) == [(VENUE, first), (VENUE, first + 1)]
    begin = (first + 2) * HOUR_NS
    assert kept.find((START, now), now).since == begin
    assert kept.count((START, now), now).unknown == (begin - START) // SECOND + 3


def test_an_hour_of_endless_interruptions_stays_small_and_hides_none() -> None:
    kept = Kept()
    for number in range(3000):
        at = START + number * SECOND
        kept.say(status("gap", at, "trade", BTC), status("live", at + SECOND // 10, "trade", BTC))
        kept.ledger.find(VENUE).add_lost(("trade", f"S{number}/USDT", None), at, at + 1)
    kept.ledger.on_lost(START + 10 * SECOND, START + 11 * SECOND)
    kept.save(START + HOUR)
    assert max(map(len, kept.bucket.values())) < 200_000
    assert kept.count((START, START + HOUR), START + HOUR).unknown >= 300
    assert kept.ledger.find(VENUE).hours[START // HOUR_NS].lost_of("trade", "S2999/USDT")
    kept.ledger.find(VENUE).add_lost(ALL, 0, START + 900 * HOUR)
    assert len(kept.ledger.find(VENUE).hours) < 800
