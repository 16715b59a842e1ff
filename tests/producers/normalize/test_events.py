"""Makers of events: structs and messages of the bus say the same; what the contract refuses costs that event."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from contracts import codec
from contracts.errors import FrameError
from contracts.instrument import Instrument, make_instrument
from contracts.market import MARKET_EVENTS
from contracts.numbers import DAY_NS, INT64_MAX
from contracts.subjects import KINDS_WITHOUT_HEADERS
from producers.normalize import writer
from producers.normalize.events import Makers
from producers.normalize.messages import Message
from producers.normalize.writer import write_event
from runtime.nats.lanes.message import split_message

BTC = make_instrument("kraken", "BTC/USD", "BTC/USD")
ODD = make_instrument("gate", '我踏马"/USDT', '我踏马"_USDT')
KINDS = sorted(model.kind for model in MARKET_EVENTS if model.kind != "feed")
NOW = 1_800_000_000_000_000_000

number = st.integers(1, 10**12).map(lambda n: f"{n}.{n % 97}" if n % 3 else str(n))
levels = st.lists(st.tuples(number, number), max_size=4)
integer = st.integers(-(2**63), INT64_MAX)
text = st.text(min_size=1, max_size=40)
FIELDS = {
    "trade": {"trade_id": text, "price": number, "amount": number | st.none(), "contracts": number | st.none()}
    | {"side": st.sampled_from(["buy", "sell", None]), "seq": integer | st.none()},
    "ticker": {name: number | st.none() for name in ("last", "bid", "bid_amount", "ask", "ask_amount", "open_24h")}
    | {name: number | st.none() for name in ("high_24h", "low_24h", "volume_24h", "quote_volume_24h", "change_24h")}
    | {"seq": integer | st.none()},
    "book": {"bids": levels, "asks": levels, "seq": integer | st.none(), "quality": st.sampled_from(["live", "gap"])}
    | {"checksum": st.integers(0, 2**32 - 1), "venue_checksum": integer | st.none()},
    "delta": {"bids": levels, "asks": levels, "seq": integer | st.none(), "prev_seq": integer | st.none()}
    | {"is_snapshot": st.booleans(), "unit": st.sampled_from(["base", "contracts"])},
    "liquidation": {"price": number, "price_kind": st.just("fill"), "amount": number, "sampled": st.booleans()}
    | {"position_side": st.sampled_from(["long", None]), "order_side": st.sampled_from(["buy", None])},
    "funding": {"rate": number | st.none(), "next_ts": integer | st.none(), "mark_price": number | st.none()}
    | {"index_price": number | st.none()},
    "interest": {"amount": number | st.none(), "value": number | st.none(), "contracts": number | st.none()},
    "candle": dict.fromkeys(("open", "high", "low", "close", "volume"), number)
    | {"timeframe": st.just("1m"), "quote_volume": st.none(), "trades": st.none(), "start_ts": st.just(NOW)},
}
EXAMPLES = {
    "trade": {"trade_id": "7", "price": "2"},
    "ticker": {},
    "book": {"bids": [], "asks": [], "quality": "live"},
    "delta": {"bids": [("1", "2")], "asks": []},
    "liquidation": {"price": "2", "price_kind": "fill"},
    "funding": {},
    "interest": {},
    "candle": dict.fromkeys(("open", "high", "low", "close", "volume"), "1") | {"timeframe": "1m", "start_ts": NOW},
}


@pytest.fixture(autouse=True, params=["compiled", "python"])
def _step(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every test with both ways of writing a message."""
    if request.param == "python":
        monkeypatch.setattr(writer, "is_compiled", lambda: False)
    elif not writer.is_compiled():
        pytest.skip("not built here")


def events(kind: str) -> st.SearchStrategy[dict[str, object]]:
    times = st.integers(-5, NOW + 2 * DAY_NS) | st.integers(NOW - 10, NOW + 10) | st.none() | st.just(2**70)
    return st.fixed_dictionaries({"id": st.text(max_size=300) | st.just("plain"), "ts_event": times, **FIELDS[kind]})


@pytest.mark.parametrize("instrument", [BTC, ODD], ids=["plain", "odd"])
@pytest.mark.parametrize("kind", KINDS)
def test_what_is_written_is_what_the_codec_writes(kind: str, instrument: Instrument) -> None:
    make, write = (Makers(sim=True, written=written).maker(kind, instrument) for written in (False, True))

    @settings(max_examples=60, deadline=None)
    @given(events(kind))
    def check(values: dict[str, object]) -> None:
        event, message = make(**values, ts_recv=NOW), write(**values, ts_recv=NOW)
        if event.kind == "unreadable":
            assert str(message.error) == str(event.error)
            return
        assert isinstance(message, Message)
        expected = write_event(event, instrument.tail)
        assert split_message(message.parts) == split_message(expected.parts)
        assert (message.kind, message.symbol, message.detail) == (expected.kind, expected.symbol, expected.detail)
        assert message.event == event
        assert message.tail == instrument.tail

    check()


@pytest.mark.parametrize("kind", KINDS)
def test_headers_name_the_event_where_its_kind_has_any(kind: str) -> None:
    values = EXAMPLES[kind]
    message = Makers(sim=False, written=True).maker(kind, BTC)(id="kraken.1", ts_recv=NOW, **values)
    headers = split_message(message.parts).headers
    named = {"Hydrophone-Schema": f"{kind}/1", "Nats-Msg-Id": "kraken.1"}
    assert headers == ({} if kind in KINDS_WITHOUT_HEADERS else named)


@pytest.mark.parametrize("written", [False, True])
@pytest.mark.parametrize(
    ("values", "reason"),
    [
        ({"ts_event": NOW + 2 * DAY_NS}, "more than a day after"),
        ({"ts_event": 0}, "is no time"),
        ({"seq": INT64_MAX + 1}, "is no int64"),
        ({"id": "x" * 257}, "longer than 256"),
        ({"id": "é"}, "not printable ASCII"),
        ({"id": ""}, "the id is empty"),
        ({"id": "a\x7f"}, "not printable ASCII"),
        ({"trade_id": ""}, "the trade_id is empty"),
        ({"trade_id": "a\n"}, "not printable"),
        ({"trade_id": "y" * 257}, "longer than 256"),
    ],
)
def test_what_the_contract_refuses_costs_that_event(values: dict[str, object], reason: str, *, written: bool) -> None:
    make = Makers(sim=False, written=written).maker("trade", BTC)
    found = make(**{"id": "a", "ts_recv": NOW, "trade_id": "1", "price": "2", **values})
    assert found.kind == "unreadable"
    assert reason in str(found.error)
    assert "trade of BTC/USD" in str(found.error)


def test_a_recordings_time_of_receipt_may_be_of_another_clock() -> None:
    make = Makers(sim=False, recorded=True).maker("interest", BTC)
    assert make(id="a", ts_event=NOW, ts_recv=5).ts_event == NOW


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_known_of_every_frame_is_a_constant(kind: str) -> None:
    of_all = Makers(sim=True).of(BTC)
    values = EXAMPLES[kind]
    if kind != "book":
        event = getattr(of_all, kind)(id="a", ts_recv=NOW, **values)
        assert (event.venue, event.symbol, event.venue_symbol, event.sim) == ("kraken", "BTC/USD", "BTC/USD", True)
        assert codec.encode(event)
        assert getattr(of_all, kind) is getattr(of_all, kind)


@pytest.mark.parametrize("instrument", [BTC, ODD], ids=["plain", "odd"])
@pytest.mark.parametrize("kind", ["trade", "ticker", "delta"])
def test_an_event_of_a_number_is_the_one_of_its_id(kind: str, instrument: Instrument) -> None:
    prefix = f"{instrument.tail}.{kind}.a"
    makers = Makers(sim=False, written=True)
    make, by_number = makers.maker(kind, instrument), makers.maker(kind, instrument, numbered=prefix)
    struct = Makers(sim=False).maker(kind, instrument, numbered=prefix)

    @settings(max_examples=60, deadline=None)
    @given(st.integers(0, INT64_MAX), events(kind))
    def check(number: int, values: dict[str, object]) -> None:
        given = {name: value for name, value in values.items() if name not in {"id", "trade_id"}} | {"ts_recv": NOW}
        names = {"id": f"{prefix}{number}"} | ({"trade_id": str(number)} if kind == "trade" else {})
        expected, found = make(**given, **names), by_number(**given, number=number)
        if not isinstance(expected, Message):
            assert str(found.error) == str(expected.error) == str(struct(**given, number=number).error)
            return
        assert (found.parts, found.detail, found.route) == (expected.parts, expected.detail, expected.route)
        assert found.event == struct(**given, number=number)

    check()


@pytest.mark.parametrize("written", [False, True])
@pytest.mark.parametrize("number", [-1, INT64_MAX + 1])
def test_a_number_that_is_none_is_an_error(number: int, *, written: bool) -> None:
    make = Makers(sim=False, written=written).maker("ticker", BTC, numbered="kraken.ticker.")
    with pytest.raises(FrameError, match="number"):
        make(number=number, ts_recv=NOW)


def test_a_prefix_that_json_would_write_otherwise_takes_the_long_way() -> None:
    make = Makers(sim=False, written=True).maker("trade", BTC, numbered='a"b.')
    message = make(number=7, ts_recv=NOW, price="2")
    assert (message.event.id, message.event.trade_id) == ('a"b.7', "7")
    assert message.parts == write_event(message.event, BTC.tail).parts


def test_messages_of_both_steps_are_the_same_bytes(monkeypatch: pytest.MonkeyPatch) -> None:
    fields = EXAMPLES["ticker"] | {"bid": "1.5", "seq": -5, "ts_event": NOW}
    makers = [Makers(sim=False, written=True).maker("ticker", ODD, numbered="gate.")]
    monkeypatch.setattr(writer, "is_compiled", lambda: False)
    makers.append(Makers(sim=False, written=True).maker("ticker", ODD, numbered="gate."))
    first, second = (b"".join(make(number=7, ts_recv=NOW, **fields).parts) for make in makers)
    assert first == second
