"""Every registered venue, found at run time, is held to the same rules: a new one is held to them by being registered.

Each venue is played once against its simulated exchange, without sockets; the rules read what came of it.
"""

from __future__ import annotations

import importlib
import json
import re
from collections import Counter
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from contracts import codec
from contracts.errors import HydrophoneError
from contracts.instrument import SPOT, Instrument
from producers.connection.frames import UNDECODABLE
from producers.connection.watchdog import Patience, Watchdog
from producers.registry import VENUES
from producers.simulator.faults import KINDS
from producers.simulator.registry import VENUES as SIMULATED
from producers.simulator.registry import list_instruments
from producers.venue import BOOK, CHANNELS, LIQUIDATION, TICKER, TRADE, ConnectionPlan, Venue
from tests.producers.frames.small_set import FOLDER, list_files
from tests.producers.playing import BASE, BASES, Connection, Exchange, as_text, events

ROOT = Path(__file__).resolve().parents[2]
SIMULATED_ROOMS = {"__init__", "exchange", "channels", "rest"}
MORE_SIMULATED_ROOMS = {"rows", "books", "options"}  # where a venue needs them
PRIVATE_ROOMS = {"private", "private_rows", "signed", "tapi", "tapi_rows", "accounts", "histories"}  # of orders
# What every venue's folder holds, under the same names; the first three may be split (`events_trades.py`).
FILES = ("wire", "events", "decoder", "__init__", "plan", "rest", "history")
SPLIT = re.compile(r"(wire|events|decoder)_([a-z0-9]+)")
MAY_HOLD = frozenset({"topics", "naming", "checksum", "rows", "tables"})
MOST_LINES = 300
SHARED = {"test_faults", "test_keepalive", "test_market", "test_process"}  # tests of all simulated exchanges
EVENTS = frozenset(codec.EVENTS)
EVERY_VENUE = pytest.mark.parametrize("venue_id", sorted(VENUES))


@dataclass(frozen=True, slots=True)
class Play:
    """One venue's exchange after a while, and the connections that listened."""

    venue: Venue
    exchange: Exchange
    connections: list[Connection]
    instruments: list[tuple[str, Instrument]]


@cache
def played(venue_id: str) -> Play:
    exchange = Exchange(VENUES[venue_id])
    instruments = list(exchange.instruments)
    return Play(VENUES[venue_id], exchange, exchange.run(), instruments)


# ---- what there is of a venue
def test_every_room_of_a_venue_is_registered() -> None:
    rooms = {path.parent.name for path in (ROOT / "producers" / "venues").glob("*/__init__.py")}
    assert rooms == set(VENUES)


@EVERY_VENUE
def test_folder_leads_to_the_vendors_page(venue_id: str) -> None:
    folder = ROOT / "producers" / "venues" / venue_id
    module = importlib.import_module(f"producers.venues.{venue_id}")
    assert module.VENUE is VENUES[venue_id]
    pages = [path.name for path in folder.glob("*.py") if "https://" in path.read_text(encoding="utf-8")]
    assert {"rest.py"} < set(pages), "a venue's facts name the page that they are from"
    assert all(path.read_text(encoding="utf-8").startswith('"""') for path in folder.glob("*.py"))


@EVERY_VENUE
def test_files_have_the_names_that_every_venue_uses(venue_id: str) -> None:
    """One vocabulary: who knows one venue's folder finds the same thing under the same name in all others.

    What a family of venues shares (producers/families) need not be in the folder again.
    """
    folder = ROOT / "producers" / "venues" / venue_id
    texts = {path.stem: path.read_text(encoding="utf-8") for path in folder.glob("*.py")}
    split = {match[1] for name in texts if (match := SPLIT.fullmatch(name))}
    assert not [name for name in texts if name not in {*FILES, *MAY_HOLD} and not SPLIT.fullmatch(name)]
    shared = any("producers.families" in text for text in texts.values())
    assert not [name for name in FILES if name not in texts and name not in split and not shared]
    assert not ({"events"} & split & texts.keys()), "events are in one file or in several, not in both"
    assert [name for name, text in texts.items() if len(text.splitlines()) > MOST_LINES] == []
    assert not [path.name for path in folder.iterdir() if path.suffix != ".py" and path.name != "__pycache__"]


@EVERY_VENUE
def test_addresses_are_public_and_encrypted(venue_id: str) -> None:
    venue = VENUES[venue_id]
    assert venue.id == venue_id
    assert venue.markets
    assert venue.ws_url.startswith("wss://")
    assert venue.rest.base_url.startswith("https://")
    assert not venue.rest.base_url.endswith("/")
    assert venue.rest.budget.weight > 0 < venue.rest.budget.seconds
    assert venue.policy.quiet > (venue.policy.ping_every if venue.policy.ping else 0)


@EVERY_VENUE
def test_is_simulated_by_a_folder_that_brings_all_of_its_own(venue_id: str) -> None:
    folder = ROOT / "producers" / "simulator" / "venues" / venue_id
    module = importlib.import_module(f"producers.simulator.venues.{venue_id}")
    assert module.VENUE is SIMULATED[venue_id]
    assert module.VENUE.name == venue_id
    assert module.VENUE.lacks < set(KINDS)
    rooms = {path.stem for path in folder.glob("*.py")}
    assert SIMULATED_ROOMS <= rooms <= SIMULATED_ROOMS | MORE_SIMULATED_ROOMS | PRIVATE_ROOMS
    texts = [path.read_text(encoding="utf-8") for path in folder.glob("*.py")]
    assert all(text.startswith('"""') for text in texts)
    assert any("https://" in text for text in texts), "a simulated venue names the pages that it is written from"


def test_nothing_of_the_simulator_names_a_venue_outside_its_folder() -> None:
    simulator = ROOT / "producers" / "simulator"
    named = re.compile(rf"\b({'|'.join(VENUES)})(_|\b)", re.IGNORECASE)
    for path in simulator.rglob("*.py"):
        shared = path.relative_to(simulator).parts[0]
        if shared not in {"registry.py", "venues", "families"}:
            code = re.sub(r'""".*?"""', "", path.read_text(encoding="utf-8"), flags=re.DOTALL)
            assert not named.search(code), f"{path.name}: {named.findall(code)}"


@EVERY_VENUE
def test_has_tests_and_frames_of_its_own(venue_id: str) -> None:
    tests = ROOT / "tests" / "producers"
    assert (tests / "venues" / f"test_{venue_id}.py").is_file()
    far = [path for path in (tests / "simulator").glob("test_*.py") if path.stem not in SHARED]
    assert any(f'"{venue_id}"' in path.read_text(encoding="utf-8") for path in far), "its simulator has no tests"
    assert list_files(FOLDER, venue_id), "no recorded frames: python -m tests.producers.frames.record"


def test_guide_to_a_new_venue_names_files_that_are_there() -> None:
    page = (ROOT / "docs" / "ADD_A_VENUE.md").read_text(encoding="utf-8")
    named = {name for name in re.findall(r"`([\w./<>]+)`", page) if "/" in name and name.endswith((".py", ".md"))}
    assert len(named) > 20
    assert not [name for name in named if not (ROOT / name.replace("<id>", "okx")).is_file()]


# ---- REST
@EVERY_VENUE
def test_instruments_of_the_listing_can_be_traded_and_sized(venue_id: str) -> None:
    play = played(venue_id)
    found = {item.venue_symbol for _, item in play.instruments}
    assert {terms.symbol for terms in list_instruments(venue_id, BASES)} <= found
    for _, item in play.instruments:
        assert item.venue == venue_id
        assert item.base.endswith(BASES)
        if item.contract == SPOT:
            assert not item.sized_in_contracts
        if item.sized_in_contracts:
            assert item.contract_size is not None, item.symbol
            assert float(item.contract_size) > 0


@EVERY_VENUE
def test_symbols_are_named_alike_without_the_listing(venue_id: str) -> None:
    venue, reported = VENUES[venue_id], set[str]()
    for market, item in played(venue_id).instruments:
        if not any(char.isalpha() for char in item.venue_symbol):
            continue  # a number says nothing
        guessed = venue.guess(market if market in venue.markets else venue.markets[0], item.venue_symbol)
        assert (guessed.symbol, guessed.tail, guessed.venue_symbol) == (item.symbol, item.tail, item.venue_symbol)
        assert (guessed.sized_in_contracts, guessed.contract_size) == (item.sized_in_contracts, None)
        reported.add(item.base)
    assert reported >= set(BASES)


@EVERY_VENUE
def test_depth_of_every_instrument_is_a_book_of_the_exchange(venue_id: str) -> None:
    play = played(venue_id)
    for _, item in play.instruments:
        answer = play.exchange.ask(play.venue.rest.depth_call(item))
        assert answer.status == 200, answer.body
        book = play.venue.rest.decode_depth(answer.body.encode(), item, 7, sim=True)
        _check_event(book, item)
        assert (book.kind, book.quality, book.ts_recv) == ("book", "sim", 7)
        bids, asks = ([float(price) for price, _ in levels] for levels in (book.bids, book.asks))
        assert (bids, asks) == (sorted(bids, reverse=True), sorted(asks))
        assert bids[0] < asks[0]


@EVERY_VENUE
def test_refusals_of_the_exchange_are_understood(venue_id: str) -> None:
    play = played(venue_id)
    failure = play.venue.rest.failure
    for strikes in (1, 2):
        answer = play.exchange.far.refuse(strikes)
        headers = {name.lower(): value for name, value in answer.headers}
        banned = failure(answer.status, headers, answer.body.encode())
        assert banned is not None, "a ban passes for an answer"
        assert banned.retry_after is not None, "a ban does not stop the calls"
        assert banned.retry_after > 0
    answer = play.exchange.far.fail(play.exchange.now_us)
    broken = failure(answer.status, {}, answer.body.encode())
    assert broken is not None, "an error passes for an answer"
    assert broken.reason
    gateway = failure(502, {}, b"<html><body>Bad Gateway</body></html>")
    assert gateway is not None, "a gateway's page passes for an answer"
    for _, call in play.venue.rest.instrument_calls():
        answer = play.exchange.ask(call)
        assert failure(answer.status, {}, answer.body.encode()) is None, answer.body[:200]


# ---- plan
@EVERY_VENUE
def test_plan_subscribes_once_to_every_channel_that_the_venue_has(venue_id: str) -> None:
    venue, instruments = VENUES[venue_id], [item for _, item in played(venue_id).instruments]
    whole = _keys(venue.plan(BASE, instruments, CHANNELS))
    alone = {channel: venue.plan(BASE, instruments, (channel,)) for channel in CHANNELS}
    for channel, plans in alone.items():
        keys = _keys(plans)
        assert keys <= whole, f"{channel} is lost among the others"
        if channel in {TRADE, TICKER, BOOK}:
            reported = {item.instrument for plan in plans for item in plan.subscriptions if item.channel == channel}
            assert reported >= set(instruments) or None in reported, channel
    contracts = [item for item in instruments if item.contract != SPOT]
    assert not alone[LIQUIDATION] or contracts
    assert venue.plan(BASE, (), CHANNELS) == ()


def _keys(plans: tuple[ConnectionPlan, ...]) -> set[tuple[str, str]]:
    return {(plan.market, item.key) for plan in plans for item in plan.subscriptions}


@EVERY_VENUE
def test_plan_keeps_to_the_address_that_it_is_given(venue_id: str) -> None:
    venue, instruments = VENUES[venue_id], [item for _, item in played(venue_id).instruments]
    plans = venue.plan(BASE, instruments, CHANNELS)
    assert len({plan.name for plan in plans}) == len(plans)
    for plan in plans:
        assert plan.url.startswith(BASE)
        assert plan.market in venue.markets
        asked = [key for request in plan.requests for key in request.keys]
        assert len(set(asked)) == len(asked), "a key is asked for twice"
        assert set(asked) == {item.key for item in plan.subscriptions}
        reported = Counter((item.key, item.channel, item.instrument) for item in plan.subscriptions)
        assert max(reported.values()) == 1, "a subscription twice"
        assert len({request.ref for request in plan.requests}) == len(plan.requests)
        assert all(request.frame or request.gate for request in plan.requests)
    own = venue.plan(venue.ws_url, instruments, CHANNELS)
    assert all(plan.url.startswith("wss://") for plan in own)
    assert [plan.name for plan in own] == [plan.name for plan in plans]


@EVERY_VENUE
def test_exchange_confirms_every_subscription(venue_id: str) -> None:
    play = played(venue_id)
    for connection in play.connections:
        watchdog = Watchdog(connection.plan, play.venue.policy, Patience(), now=0.0)
        for request in connection.plan.requests:
            watchdog.on_sent(request)
        for received in connection.received:
            for item in received.decoded:
                assert item.kind != "refused", item
                if item.kind == "ack":
                    watchdog.on_ack(item.ref)
                elif item.kind == "answered":
                    assert watchdog.on_answered(item.ref, item.keys) == []
        late = [request.ref for request in connection.plan.requests if not watchdog.answered(request)]
        assert watchdog.acked, f"{connection.plan.name}: {late}"


# ---- decoder
@EVERY_VENUE
def test_channels_speak_for_every_instrument(venue_id: str) -> None:
    play = played(venue_id)
    reported = {(item.kind, item.symbol) for item in events(play.connections, EVENTS)}
    for _, item in play.instruments:
        assert ("trade", item.symbol) in reported
        assert ("ticker", item.symbol) in reported
        assert {("delta", item.symbol), ("book", item.symbol)} & reported


@EVERY_VENUE
def test_every_event_passes_the_strict_codec_and_says_whose_it_is(venue_id: str) -> None:
    play = played(venue_id)
    known = {item.symbol: item for _, item in play.instruments}
    for event in events(play.connections, EVENTS):
        _check_event(event, known[event.symbol])


def _check_event(event: Any, instrument: Instrument) -> None:
    body = codec.encode(event)
    again = codec.decoder(codec.EVENTS[event.kind]).decode(body)
    assert codec.encode(again) == body
    assert (event.venue, event.venue_symbol, event.sim) == (instrument.venue, instrument.venue_symbol, True)
    assert event.id.startswith(f"{instrument.tail}.{event.kind}."), event.id
    assert event.id.isascii()
    if event.kind in {"book", "delta"}:
        assert event.unit == "base", "the worth of a contract is known"
        amounts = [amount for levels in (event.bids, event.asks) for _, amount in levels]
        assert all(amount == "0" or amount.strip("0.") for amount in amounts), "a zero is written 0"
    if event.kind == "liquidation" and event.position_side is not None:
        assert event.order_side == {"long": "sell", "short": "buy"}[event.position_side]
    if event.kind == "trade":
        assert event.amount is not None
        assert (event.contracts is not None) is instrument.sized_in_contracts


@EVERY_VENUE
def test_two_decoders_make_the_same_of_the_same_frames(venue_id: str) -> None:
    play = played(venue_id)
    for connection in play.connections:
        other = play.exchange.new_decoder(connection.plan)
        for received in connection.received:
            again = other.decode(received.frame, received.ts_recv)
            assert [as_text(item) for item in again] == [as_text(item) for item in received.decoded]


@EVERY_VENUE
def test_frame_that_comes_twice_gives_the_same_ids(venue_id: str) -> None:
    play = played(venue_id)
    for connection in play.connections:
        decoder = play.exchange.new_decoder(connection.plan)
        for received in connection.received:
            first, second = (
                [item.id for item in decoder.decode(received.frame, ts) if item.kind in EVENTS]
                for ts in (received.ts_recv, received.ts_recv + 1)
            )
            # a decoder may leave out what it has told already
            assert second == first or set(second) < set(first), received.frame[:300]


@EVERY_VENUE
@pytest.mark.parametrize(
    "frame",
    [
        {"hydrophone": {"unknown": [1]}},
        {"channel": "tea", "event": "update", "type": "tea", "data": [{"tea": 1}]},
        [{}],
    ],
)
def test_unknown_json_is_an_error_that_says_what_is_wrong(venue_id: str, frame: Any) -> None:
    play = played(venue_id)
    for connection in play.connections:
        decoder = play.exchange.new_decoder(connection.plan)
        text = json.dumps(frame).encode()
        with pytest.raises(UNDECODABLE) as error:
            decoder.decode(text, 0)
        assert isinstance(error.value, HydrophoneError | ValueError), "no accident of the code"
        assert len(str(error.value)) > 5


@EVERY_VENUE
@pytest.mark.parametrize("frame", [b"", b"{", b'{"a":', b"\xff\xfe", b"null", b"1"])
def test_frame_that_is_no_message_is_an_error(venue_id: str, frame: bytes) -> None:
    play = played(venue_id)
    decoder = play.exchange.new_decoder(play.connections[0].plan)
    with pytest.raises(UNDECODABLE):
        decoder.decode(frame, 0)
