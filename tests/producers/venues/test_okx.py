"""OKX: frames as the vendor's pages describe them, with invented values, and the events they become."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest

from contracts.codec import EVENTS, decoder, encode
from contracts.errors import FrameError, SymbolSyntaxError
from contracts.instrument import Instrument, make_instrument
from producers.normalize.events import Makers
from producers.venue import CHANNELS, FUNDING, LIQUIDATION, TRADE, Ack, Closing, Pong, Refused, TradeSpan
from producers.venues.okx import VENUE
from runtime.book.keeper import BookKeeper, Change
from tests.producers.playing import named

TS = 1_795_291_200_123
TS_NS = TS * 1_000_000
RECEIVED = TS_NS + 5_000_000
SWAP = make_instrument("okx", "BTC/USDT:USDT", "BTC-USDT-SWAP", contract_size="0.01")
INVERSE = make_instrument("okx", "BTC/USD:BTC", "BTC-USD-SWAP", contract_size="100")
TRADE_ROW = {"instId": "BTC-USDT", "tradeId": "13", "px": "91000.10", "sz": "0.012", "side": "buy", "ts": str(TS)}


class Socket:
    """One connection's decoder; `send` takes a frame as a dictionary and gives events as the bus would carry them."""

    def __init__(self, *known: Instrument, sim: bool = False) -> None:
        listed = {item.venue_symbol: item for item in known}
        self._decoder = VENUE.decoder(
            "public", lambda name: listed.get(name) or VENUE.guess("public", name), makers=Makers(sim=sim)
        )

    def events(self, frame: Any) -> list[Any]:
        text = frame if isinstance(frame, str) else json.dumps(frame, separators=(",", ":"))
        return list(self._decoder.decode(text.encode(), RECEIVED))

    def send(self, frame: Any) -> list[Any]:
        return [_said(event) for event in self.events(frame)]


def _said(event: Any) -> Any:
    if event.kind not in EVENTS:
        return event
    decoder(EVENTS[event.kind]).decode(encode(event))  # fit for the bus
    return {"kind": event.kind, **json.loads(encode(event))}


def push(channel: str, name: str, *rows: Any, **more: Any) -> dict[str, Any]:
    return {"arg": {"channel": channel, "instId": name}, **more, "data": list(rows)}


def book(ids: tuple[int, int], sides: tuple[list[Any], list[Any]], action: str = "update") -> dict[str, Any]:
    row = {"asks": sides[1], "bids": sides[0], "ts": str(TS), "checksum": 0, "seqId": ids[1], "prevSeqId": ids[0]}
    return push("books", "BTC-USDT", row, action=action)


def test_trade_says_the_taker_and_the_match_time() -> None:
    frame = push("trades", "BTC-USDT", {**TRADE_ROW, "count": "3", "seqId": 1234, "source": "0"})
    assert Socket().send(frame) == [
        TradeSpan(VENUE.guess("public", "BTC-USDT"), 11, 13),
        {
            "kind": "trade",
            "id": "okx.BTC.USDT.spot.trade.13",
            "venue": "okx",
            "symbol": "BTC/USDT",
            "venue_symbol": "BTC-USDT",
            "ts_event": TS_NS,
            "ts_recv": RECEIVED,
            "sim": False,
            "trade_id": "13",
            "price": "91000.10",
            "amount": "0.012",
            "contracts": None,
            "side": "buy",
            "seq": 1234,
        },
    ]


@pytest.mark.parametrize("wrong", [{"count": "0"}, {"count": "14"}, {"count": "x"}, {"tradeId": "x"}, {"tradeId": ""}])
def test_number_of_a_trade_that_counts_nothing_is_an_error(wrong: dict[str, str]) -> None:
    with pytest.raises(FrameError, match=r"data\.(count|tradeId)"):
        Socket().send(push("trades", "BTC-USDT", TRADE_ROW | wrong))


def test_second_frame_of_a_channel_is_decoded_like_the_first() -> None:
    socket = Socket()
    frame = push("trades", "BTC-USDT", TRADE_ROW)
    assert socket.send(frame) == socket.send(frame) == socket.send(dict(reversed(frame.items())))
    assert socket.send(push("trades", "ETH-USDT", TRADE_ROW))[0]["symbol"] == "ETH/USDT"


def test_events_of_a_simulated_socket_are_marked() -> None:
    assert Socket(sim=True).send(push("trades", "BTC-USDT", TRADE_ROW))[0]["sim"] is True


def test_linear_contracts_are_multiplied_exactly() -> None:
    event = Socket(SWAP).send(push("trades", "BTC-USDT-SWAP", {**TRADE_ROW, "sz": "12.3"}))[0]
    assert (event["amount"], event["contracts"]) == ("0.123", "12.3")


def test_inverse_contracts_are_divided_by_the_price_half_even_to_12_decimals() -> None:
    event = Socket(INVERSE).send(push("trades", "BTC-USD-SWAP", {**TRADE_ROW, "sz": "2", "px": "30000"}))[0]
    assert (event["symbol"], event["amount"], event["contracts"]) == ("BTC/USD:BTC", "0.006666666667", "2")


def test_contracts_without_listing_have_no_amount() -> None:
    event = Socket().send(push("trades", "BTC-USDT-261225", {**TRADE_ROW, "sz": "2"}))[0]
    assert (event["symbol"], event["amount"], event["contracts"]) == ("BTC/USDT:USDT-261225", None, "2")


def test_book_snapshot_and_update_are_chained() -> None:
    socket = Socket()
    first = socket.send(book((-1, 100), ([["91000", "0.5", "0", "4"]], [["91001", "0.2", "0", "1"]]), "snapshot"))[0]
    second = socket.send(book((100, 105), ([["91000", "0.00", "0", "0"]], [])))[0]
    assert first == {
        "kind": "delta",
        "id": f"okx.BTC.USDT.spot.delta.books-snapshot-100-{TS}",
        "venue": "okx",
        "symbol": "BTC/USDT",
        "venue_symbol": "BTC-USDT",
        "ts_event": TS_NS,
        "ts_recv": RECEIVED,
        "sim": False,
        "bids": [["91000", "0.5"]],
        "asks": [["91001", "0.2"]],
        "seq": 100,
        "prev_seq": None,
        "is_snapshot": True,
        "unit": "base",
    }
    assert (second["seq"], second["prev_seq"], second["is_snapshot"], second["bids"]) == (
        105,
        100,
        False,
        [["91000", "0"]],
    )


def test_book_survives_an_idle_update_and_a_reset_of_the_sequence() -> None:
    socket, keeper = Socket(), BookKeeper(VENUE.book)
    frames = [
        book((-1, 100), ([["91000", "0.5", "0", "4"]], [["91001", "0.2", "0", "1"]]), "snapshot"),
        book((100, 100), ([], [])),
        book((100, 3), ([["90999", "1", "0", "1"]], [])),
        book((3, 4), ([["90998", "1", "0", "1"]], [])),
    ]
    changes = [keeper.on_delta(event).change for frame in frames for event in socket.events(frame)]
    assert changes == [Change.APPLIED] * 4
    assert keeper.seq == 4


def test_book_may_be_seeded_by_rest() -> None:
    socket, keeper = Socket(), BookKeeper(VENUE.book)
    for frame in (
        book((90, 100), ([["91000", "9", "0", "1"]], [])),
        book((100, 110), ([["90999", "2", "0", "1"]], [])),
    ):
        keeper.on_delta(socket.events(frame)[0])
    row = {"asks": [["91001", "0.2", "0", "1"]], "bids": [["91000", "0.5", "0", "4"]], "ts": str(TS), "seqId": "95"}
    instrument = VENUE.guess("public", "BTC-USDT")
    assert VENUE.rest.depth_call(instrument).params == {"instId": "BTC-USDT", "sz": "400"}
    body = json.dumps({"code": "0", "msg": "", "data": [row]}).encode()
    snapshot = VENUE.rest.decode_depth(body, instrument, RECEIVED, sim=False)
    assert (snapshot.seq, snapshot.quality, snapshot.ts_event) == (95, "live", TS_NS)
    assert keeper.on_snapshot(snapshot).change is Change.APPLIED
    assert keeper.bids.top() == [("91000", "9"), ("90999", "2")]


def test_book_of_contracts_is_converted_where_the_contract_is_known() -> None:
    row = {
        "asks": [],
        "bids": [["20000", "5", "0", "1"], ["10000", "0", "0", "0"]],
        "ts": str(TS),
        "seqId": 2,
        "prevSeqId": 1,
    }
    linear = push("books", "BTC-USDT-SWAP", row, action="update")
    inverse = push("books", "BTC-USD-SWAP", row, action="update")
    found = [Socket(SWAP, INVERSE).send(frame)[0] for frame in (linear, inverse)]
    assert [event["bids"] for event in found] == [
        [["20000", "0.05"], ["10000", "0"]],
        [["20000", "0.025"], ["10000", "0"]],
    ]
    assert [event["unit"] for event in found] == ["base", "base"]
    unknown = Socket().send(linear)[0]
    assert (unknown["bids"], unknown["unit"]) == ([["20000", "5"], ["10000", "0"]], "contracts")


@pytest.mark.parametrize("level", [["91000", "-1"], ["9_1", "1"], ["91000", ""], ["1e400", "1"]])
def test_malformed_level_is_dropped_from_a_snapshot_and_refuses_an_update(level: list[str]) -> None:
    sides: tuple[list[Any], list[Any]] = ([[*level, "0", "1"], ["90999", "1", "0", "1"]], [])
    assert Socket().send(book((-1, 1), sides, "snapshot"))[0]["bids"] == [["90999", "1"]]
    with pytest.raises(FrameError, match=r"data\.bids"):
        Socket().send(book((1, 2), sides))


def test_five_levels_are_a_whole_book_and_others_must_say_their_action() -> None:
    row = {"asks": [], "bids": [["91000", "1", "0", "1"]], "ts": str(TS), "seqId": 7}
    assert Socket().send(push("books5", "BTC-USDT", row))[0]["is_snapshot"] is True
    with pytest.raises(FrameError, match="action"):
        Socket().send(push("books", "BTC-USDT", row))


def test_best_levels_are_a_ticker() -> None:
    row = {"asks": [["91001", "30", "0", "1"]], "bids": [], "ts": str(TS), "seqId": 7}
    event = Socket(SWAP).send(push("bbo-tbt", "BTC-USDT-SWAP", row))[0]
    assert (event["ask"], event["ask_amount"], event["bid"], event["bid_amount"]) == ("91001", "0.3", None, None)
    assert (event["seq"], event["last"]) == (7, None)


def test_ticker_counts_volume_by_what_is_traded_and_empty_is_null() -> None:
    row = {"instType": "SPOT", "last": "91000", "lastSz": "1", "askPx": "", "askSz": "", "bidPx": "90999", "bidSz": "2"}
    row |= {
        "open24h": "90000",
        "high24h": "92000",
        "low24h": "89000",
        "volCcy24h": "910000",
        "vol24h": "10",
        "ts": str(TS),
    }
    spot = Socket().send(push("tickers", "BTC-USDT", row))[0]
    assert (spot["volume_24h"], spot["quote_volume_24h"], spot["change_24h"]) == ("10", "910000", None)
    assert (spot["bid"], spot["bid_amount"], spot["ask"], spot["ask_amount"]) == ("90999", "2", None, None)
    swap = Socket(SWAP).send(push("tickers", "BTC-USDT-SWAP", row))[0]
    assert (swap["volume_24h"], swap["quote_volume_24h"], swap["bid_amount"]) == ("910000", None, "0.02")


def _forced(side: str, position: str) -> dict[str, str]:
    return {"side": side, "posSide": position, "bkPx": "3010.5", "sz": "13", "bkLoss": "0", "ccy": "", "ts": str(TS)}


def test_liquidations_of_all_swaps_name_position_and_order() -> None:
    eth = make_instrument("okx", "ETH/USDT:USDT", "ETH-USDT-SWAP", contract_size="0.1")
    details = [_forced("buy", "short"), _forced("sell", "net"), _forced("sell", "net")]
    row = {
        "instId": "ETH-USDT-SWAP",
        "instFamily": "ETH-USDT",
        "instType": "SWAP",
        "uly": "ETH-USDT",
        "details": details,
    }
    frame = {"arg": {"channel": "liquidation-orders", "instType": "SWAP"}, "data": [row]}
    found = Socket(eth).send(frame)
    assert [(event["position_side"], event["order_side"]) for event in found] == [
        ("short", "buy"),
        ("long", "sell"),
        ("long", "sell"),
    ]
    assert len({event["id"] for event in found}) == 3
    first = found[0]
    assert (first["symbol"], first["amount"], first["contracts"]) == ("ETH/USDT:USDT", "1.3", "13")
    assert (first["price"], first["price_kind"], first["sampled"]) == ("3010.5", "bankruptcy", True)
    assert first["ts_event"] == TS_NS


def test_liquidations_of_margin_count_coins() -> None:
    row = {"instId": "ETH-USDT", "details": [_forced("sell", "net")]}
    event = Socket().send({"arg": {"channel": "liquidation-orders", "instType": "MARGIN"}, "data": [row]})[0]
    assert (event["symbol"], event["amount"], event["contracts"]) == ("ETH/USDT", "13", None)


def test_funding_mark_and_index_are_merged() -> None:
    socket = Socket()
    rate = {"instId": "BTC-USDT-SWAP", "fundingRate": "-0.0001", "fundingTime": "1795305600000", "nextFundingTime": ""}
    first = socket.send(push("funding-rate", "BTC-USDT-SWAP", {**rate, "ts": str(TS), "nextFundingRate": ""}))[0]
    assert (first["rate"], first["mark_price"], first["ts_event"]) == ("-0.0001", None, TS_NS)
    assert socket.send(push("index-tickers", "BTC-USDT", {"instId": "BTC-USDT", "idxPx": "90990", "ts": str(TS)})) == []
    mark = {"instId": "BTC-USDT-SWAP", "instType": "SWAP", "markPx": "91001.5", "ts": str(TS)}
    event = socket.send(push("mark-price", "BTC-USDT-SWAP", mark))[0]
    assert {name: event[name] for name in ("kind", "rate", "next_ts", "mark_price", "index_price")} == {
        "kind": "funding",
        "rate": "-0.0001",
        "next_ts": 1_795_305_600_000_000_000,
        "mark_price": "91001.5",
        "index_price": "90990",
    }
    assert event["id"] != first["id"]


def test_open_interest_gives_coins_and_contracts() -> None:
    row = {"instType": "SWAP", "oi": "5000", "oiCcy": "50", "oiUsd": "4550000", "ts": str(TS)}
    linear = Socket(SWAP).send(push("open-interest", "BTC-USDT-SWAP", row))[0]
    assert (linear["amount"], linear["value"], linear["contracts"]) == ("50", None, "5000")
    assert Socket(INVERSE).send(push("open-interest", "BTC-USD-SWAP", row))[0]["value"] == "4550000"
    assert Socket(SWAP).send(push("open-interest", "BTC-USDT-SWAP", {**row, "oiCcy": ""}))[0]["amount"] == "50"


def test_candles_are_those_of_utc() -> None:
    row = [str(TS), "1", "3", "0.5", "2", "700", "7", "14", "1"]
    swap = Socket().send(push("candle1Dutc", "BTC-USDT-SWAP", row))[0]
    assert (swap["timeframe"], swap["closed"], swap["start_ts"]) == ("1d", True, TS_NS)
    assert (swap["open"], swap["high"], swap["low"], swap["close"]) == ("1", "3", "0.5", "2")
    assert (swap["volume"], swap["quote_volume"]) == ("7", "14")
    assert Socket().send(push("candle1m", "BTC-USDT", row))[0]["volume"] == "700"
    assert Socket().send(push("candle1D", "BTC-USDT", row)) == []  # a day of Hong Kong


def test_candles_of_before_they_reported_their_end_are_read_as_open() -> None:
    row = [str(TS), "1", "3", "0.5", "2", "700", "7"]
    spot, swap = (Socket().send(push("candle1m", name, row))[0] for name in ("BTC-USDT", "BTC-USDT-SWAP"))
    assert (spot["volume"], spot["quote_volume"], spot["closed"]) == ("700", "7", False)
    assert (swap["volume"], swap["quote_volume"], swap["closed"]) == ("7", None, False)


def test_options_are_not_followed() -> None:
    assert Socket().send(push("trades", "BTC-USD-261225-90000-C", TRADE_ROW)) == []


def test_answers_become_controls() -> None:
    socket = Socket()
    arg = {"channel": "trades", "instId": "BTC-USDT"}
    assert socket.send("pong") == [Pong()]
    assert socket.send({"id": "sub0", "event": "subscribe", "arg": arg, "connId": "a"}) == [Ack("trades:BTC-USDT")]
    kind = {"channel": "liquidation-orders", "instType": "SWAP"}
    assert socket.send({"event": "subscribe", "arg": kind, "connId": "a"}) == [Ack("liquidation-orders:SWAP")]
    assert socket.send({"event": "unsubscribe", "arg": arg, "connId": "a"}) == []
    notice = {"event": "notice", "code": "64008", "msg": "soon closed for an upgrade", "connId": "a"}
    assert socket.send(notice) == [Closing("soon closed for an upgrade", 30.0)]
    assert socket.send({**notice, "code": "64009"}) == []


def test_refusal_names_the_subscription_that_its_text_names() -> None:
    said = "Wrong URL or channel:trades,instId:NO-SUCH doesn't exist. Please use the correct URL."
    frame = {"id": "sub0", "event": "error", "code": "60018", "msg": said, "connId": "a"}
    assert Socket().send(frame) == [Refused("trades:NO-SUCH", f"60018: {said}")]
    assert Socket().send({**frame, "code": "60012", "msg": "Illegal request"}) == [
        Refused("sub0", "60012: Illegal request")
    ]
    assert Socket().send({"event": "error", "code": "60014", "msg": "too frequent"}) == [
        Refused(None, "60014: too frequent")
    ]


def test_known_channels_that_are_not_carried_give_nothing() -> None:
    for channel in ("price-limit", "books-elp", "mark-price-candle1m", "opt-summary", "instruments"):
        assert Socket().send(push(channel, "BTC-USDT", {"anything": 1})) == []


@pytest.mark.parametrize(
    ("frame", "reason"),
    [
        (push("moon-phase", "BTC-USDT", {}), "moon-phase"),
        ({"event": "party", "data": []}, "party"),
        ({"data": []}, "neither event nor arg"),
        ("[]", "bare array"),
        (push("trades", "BTC-USDT", {**TRADE_ROW, "px": ""}), "data.px"),
        (push("trades", "BTC-USDT", {**TRADE_ROW, "ts": ""}), "data.ts"),
        ({"arg": {"channel": "trades"}, "data": []}, "arg.instId"),
    ],
)
def test_what_is_wrong_is_named(frame: Any, reason: str) -> None:
    with pytest.raises(FrameError, match=reason):
        Socket().send(frame)


def test_missing_field_is_named() -> None:
    with pytest.raises(msgspec.ValidationError, match="`sz`"):
        Socket().send(push("trades", "BTC-USDT", {key: value for key, value in TRADE_ROW.items() if key != "sz"}))


@pytest.mark.parametrize(
    ("name", "symbol", "in_contracts"),
    [
        ("BTC-USDT", "BTC/USDT", False),
        ("BTC-USDT-SWAP", "BTC/USDT:USDT", True),
        ("BTC-USD-SWAP", "BTC/USD:BTC", True),
        ("BTC-USDT-261225", "BTC/USDT:USDT-261225", True),
        ("BTC-USD-261225", "BTC/USD:BTC-261225", True),
    ],
)
def test_symbols_are_guessed_from_their_spelling(name: str, symbol: str, in_contracts: bool) -> None:
    found = VENUE.guess("public", name)
    assert (found.symbol, found.contract_size, found.sized_in_contracts) == (symbol, None, in_contracts)


def test_option_is_refused() -> None:
    with pytest.raises(SymbolSyntaxError, match="BTC-USD-261225-90000-C"):
        VENUE.guess("public", "BTC-USD-261225-90000-C")


@pytest.mark.parametrize(
    "name",
    ["BTC-USDT-SWAP-X", "BTC-USD-261325", "BTC-USDT-X", "BTC", "btc-usdt", "BTC/USDT-USDT", "BTC-USDT_YES", "A:B-USDT"],
)
def test_id_that_follows_no_rule_of_the_venue_is_refused_by_that_name(name: str) -> None:
    with pytest.raises(SymbolSyntaxError, match=name):
        VENUE.guess("public", name)


def test_plan_subscribes_liquidations_once_a_kind() -> None:
    names = ("BTC-USDT", "BTC-USDT-SWAP", "ETH-USDT-SWAP", "BTC-USDT-261225")
    (found,) = VENUE.plan("ws://sim", [VENUE.guess("public", name) for name in names], [LIQUIDATION, FUNDING])
    assert found.url == "ws://sim/ws/v5/public"
    assert [item.key for item in found.subscriptions] == [
        "liquidation-orders:FUTURES",
        "liquidation-orders:SWAP",
        "funding-rate:BTC-USDT-SWAP",
        "mark-price:BTC-USDT-SWAP",
        "funding-rate:ETH-USDT-SWAP",
        "mark-price:ETH-USDT-SWAP",
    ]
    sent = json.loads(found.requests[0].frame)["args"]
    assert sent[0] == {"channel": "liquidation-orders", "instType": "FUTURES"}
    assert sent[2] == {"channel": "funding-rate", "instId": "BTC-USDT-SWAP"}


def test_plan_keeps_the_venues_limits_and_acks_find_their_keys() -> None:
    instruments = [make_instrument("okx", f"C{number}/USDT", f"C{number}-USDT") for number in range(400)]
    plans = VENUE.plan("ws://sim", instruments, CHANNELS)
    keys = [item.key for plan in plans for item in plan.subscriptions]
    assert len(keys) == len(set(keys)) == 1200
    for plan in plans:
        assert len(plan.requests) < 480
        for request in plan.requests:
            assert len(request.frame.encode()) < 64 * 1024
            sent = json.loads(request.frame)
            assert (sent["op"], sent["id"]) == ("subscribe", request.ref)
            acks = [Socket().send({"event": "subscribe", "arg": arg})[0].ref for arg in sent["args"]]
            assert set(acks) == request.keys
    assert VENUE.plan("ws://sim", [], [TRADE]) == ()


def test_instruments_know_what_a_contract_is_worth() -> None:
    row = {"instType": "SWAP", "state": "live", "baseCcy": "", "quoteCcy": "", "ctMult": "1", "uly": "BTC-USDT"}
    linear = {
        **row,
        "instId": "BTC-USDT-SWAP",
        "settleCcy": "USDT",
        "ctType": "linear",
        "ctVal": "0.1",
        "ctValCcy": "BTC",
    }
    rows = [
        {**linear, "ctMult": "0.1"},
        {**row, "instId": "BTC-USD-SWAP", "settleCcy": "BTC", "ctType": "inverse", "ctVal": "100", "ctValCcy": "USD"},
        {**linear, "instType": "FUTURES", "instId": "BTC-USDT-261225"},
        {**linear, "instId": "BTC-USD_UM-SWAP", "settleCcy": "USD"},
        {**linear, "instId": "OLD-USDT-SWAP", "state": "suspend"},
        {"instType": "SPOT", "instId": "BTC-USDT", "state": "live", "baseCcy": "BTC", "quoteCcy": "USDT"},
    ]
    found, following = VENUE.rest.decode_instruments("public", json.dumps({"code": "0", "data": rows}).encode())
    assert following is None
    assert [(item.symbol, item.contract_size, item.sized_in_contracts) for item in named(found)] == [
        ("BTC/USDT:USDT", "0.01", True),
        ("BTC/USD:BTC", "100", True),
        ("BTC/USDT:USDT-261225", "0.1", True),
        ("BTC/USDT", None, False),
    ]


def test_failures_tell_how_long_to_wait() -> None:
    failure = VENUE.rest.failure
    assert failure(200, {}, b'{"code":"0","msg":"","data":[]}') is None
    limited = failure(429, {"retry-after": "7"}, b'{"code":"50011","msg":"Too Many Requests"}')
    assert limited is not None
    assert (limited.code, limited.retry_after) == ("50011", 7.0)
    body = failure(200, {}, b'{"code":"50011","msg":"Too Many Requests"}')
    assert body is not None
    assert body.retry_after == 2.0
    wrong = failure(200, {}, b'{"code":"51001","msg":"Instrument ID does not exist"}')
    assert wrong is not None
    assert (wrong.reason, wrong.code, wrong.retry_after) == ("Instrument ID does not exist", "51001", None)
    broken = failure(502, {}, b"<html>")
    assert broken is not None
    assert "502" in broken.reason
