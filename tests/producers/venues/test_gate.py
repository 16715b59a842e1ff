"""Gate's decoder, plan and REST, field by field, on frames written from the vendor's pages."""

from __future__ import annotations

import json
from typing import Any

import pytest

from contracts.codec import EVENTS, decoder, encode
from contracts.errors import FrameError, SymbolSyntaxError
from contracts.instrument import Instrument, make_instrument
from producers.normalize.events import Makers
from producers.venue import CHANNELS, Ack, Closing, Pong, Refused, TradeSpan
from producers.venues.gate import VENUE
from runtime.book.keeper import BookKeeper, Change

TIME = 1_763_700_000
MS = TIME * 1000 + 123
NS = 1_000_000
RECEIVED = 1_763_700_000_999_000_000
PERP = make_instrument("gate", "BTC/USDT:USDT", "BTC_USDT", contract_size="0.0001")
ETH = make_instrument("gate", "ETH/USDT:USDT", "ETH_USDT", contract_size="0.01")


class Socket:
    """One connection's decoder; `send` takes a channel and its result, and gives events as the bus would carry them."""

    def __init__(self, market: str = "spot", *known: Instrument, sim: bool = False) -> None:
        listed = {item.venue_symbol: item for item in known}
        self._decoder = VENUE.decoder(
            market, lambda name: listed.get(name) or VENUE.guess(market, name), makers=Makers(sim=sim, recorded=True)
        )

    def events(self, frame: Any) -> list[Any]:
        text = frame if isinstance(frame, str) else json.dumps(frame, separators=(",", ":"))
        return list(self._decoder.decode(text.encode(), RECEIVED))

    def send(self, channel: str, result: Any, event: str = "update", **more: Any) -> list[Any]:
        head = {"time": TIME, "time_ms": MS, "channel": channel, "event": event, **more}
        return [_said(found) for found in self.events({**head, "result": result})]


def _said(event: Any) -> Any:
    decoder(EVENTS[event.kind]).decode(encode(event))  # fit for the bus
    return {"kind": event.kind, **json.loads(encode(event))}


def futures(*known: Instrument) -> Socket:
    return Socket("linear", *(known or (PERP, ETH)))


# ---- trades
SPOT_TRADE = {
    "id": 309143071,
    "id_market": 2390902,
    "create_time": TIME,
    "create_time_ms": f"{MS}.4578",
    "side": "sell",
    "currency_pair": "GT_USDT",
    "amount": "16.4700000000",
    "price": "0.4705000000",
    "range": "2390902-2390902",
}


def test_spot_trade_says_the_taker_and_the_exact_time() -> None:
    assert Socket().send("spot.trades", SPOT_TRADE) == [
        {
            "kind": "trade",
            "id": "gate.GT.USDT.spot.trade.309143071",
            "venue": "gate",
            "symbol": "GT/USDT",
            "venue_symbol": "GT_USDT",
            "ts_event": MS * NS + 457_800,
            "ts_recv": RECEIVED,
            "sim": False,
            "trade_id": "309143071",
            "price": "0.4705000000",
            "amount": "16.4700000000",
            "contracts": None,
            "side": "sell",
            "seq": 2390902,
        }
    ]


def test_print_that_stands_for_several_numbers_says_which() -> None:
    span, trade = Socket().events(_frame("spot.trades", {**SPOT_TRADE, "range": "2390900-2390902"}))
    assert span == TradeSpan(VENUE.guess("spot", "GT_USDT"), 2390900, 2390902)
    assert trade.seq == 2390902
    (alone,) = Socket().events(_frame("spot.trades", {**SPOT_TRADE, "id": None, "range": None}))
    assert (alone.trade_id, alone.seq) == ("2390902", 2390902)
    for odd in ("7", "9-7", "x-y"):
        with pytest.raises(FrameError, match=r"result\.range"):
            Socket().events(_frame("spot.trades", {**SPOT_TRADE, "range": odd}))


def _frame(channel: str, result: Any) -> dict[str, Any]:
    return {"time": TIME, "time_ms": MS, "channel": channel, "event": "update", "result": result}


@pytest.mark.parametrize(
    ("size", "side", "amount", "contracts"),
    [
        (-108, "sell", "0.0108", "108"),
        ("-108", "sell", "0.0108", "108"),
        ("0.25", "buy", "0.000025", "0.25"),
        (1.50, "buy", "0.00015", "1.5"),
        (0, None, "0", "0"),
    ],
)
def test_sign_of_a_futures_size_is_the_takers_side(size: Any, side: str, amount: str, contracts: str) -> None:
    row = {"size": size, "id": 27753479, "create_time": TIME, "create_time_ms": MS, "price": "96.4"}
    event = futures().send("futures.trades", [{**row, "contract": "BTC_USDT", "is_internal": True}])[0]
    assert (event["side"], event["amount"], event["contracts"]) == (side, amount, contracts)
    assert (event["symbol"], event["ts_event"], event["trade_id"]) == ("BTC/USDT:USDT", MS * NS, "27753479")


def test_every_trade_of_a_futures_frame_is_reported_and_old_ones_have_seconds() -> None:
    rows = [{"size": 1, "id": i, "create_time": TIME, "price": "1", "contract": "ETH_USDT"} for i in (1, 2)]
    found = futures().send("futures.trades", rows)
    assert [event["id"] for event in found] == ["gate.ETH.USDT.perp.trade.1", "gate.ETH.USDT.perp.trade.2"]
    assert found[0]["ts_event"] == TIME * 1000 * NS


def test_number_with_a_fraction_is_kept_as_its_text() -> None:
    frame = (
        f'{{"time":{TIME},"channel":"futures.public_liquidates","event":"update",'
        f'"result":[{{"price":215.10,"size":-1e2,"time":{MS},"contract":"ETH_USDT"}}]}}'
    )
    event = futures().events(frame)[0]
    assert (event.price, event.contracts, event.amount) == ("215.10", "100", "1")


def test_contracts_without_listing_have_no_amount() -> None:
    row = {"size": 5, "id": 1, "create_time": TIME, "price": "1", "contract": "NEW_USDT"}
    event = futures().send("futures.trades", [row])[0]
    assert (event["symbol"], event["amount"], event["contracts"]) == ("NEW/USDT:USDT", None, "5")


# ---- tickers
SPOT_TICKER = {
    "currency_pair": "BTC_USDT",
    "last": "15743.4",
    "lowest_ask": "15744.4",
    "highest_bid": "15743.5",
    "change_percentage": "-1.8254",
    "base_volume": "9110.473081735",
    "quote_volume": "145082083.2535",
    "high_24h": "16280.9",
    "low_24h": "15468.5",
}


def test_spot_ticker_has_figures_and_the_time_of_sending() -> None:
    event = Socket().send("spot.tickers", SPOT_TICKER)[0]
    assert event["ts_event"] == MS * NS
    assert {name: event[name] for name in ("last", "bid", "ask", "bid_amount", "open_24h", "seq")} == {
        "last": "15743.4",
        "bid": "15743.5",
        "ask": "15744.4",
        "bid_amount": None,
        "open_24h": None,
        "seq": None,
    }
    assert (event["high_24h"], event["low_24h"], event["change_24h"]) == ("16280.9", "15468.5", "-1.8254")
    assert (event["volume_24h"], event["quote_volume_24h"]) == ("9110.473081735", "145082083.2535")


def test_best_prices_carry_the_books_id_and_an_empty_side_is_null() -> None:
    row = {"t": MS, "u": 48733182, "s": "BTC_USDT", "b": "19177.79", "B": "0.0003341504", "a": "", "A": "0"}
    event = Socket().send("spot.book_ticker", row)[0]
    assert (event["bid"], event["bid_amount"]) == ("19177.79", "0.0003341504")
    assert (event["ask"], event["ask_amount"], event["last"]) == (None, None, None)
    assert (event["seq"], event["ts_event"]) == (48733182, MS * NS)


def test_best_sizes_of_contracts_become_coins() -> None:
    row = {"t": MS, "u": 1, "s": "BTC_USDT", "b": "54696.6", "B": 37000, "a": "54696.7", "A": "0"}
    event = futures().send("futures.book_ticker", row)[0]
    assert (event["bid_amount"], event["ask"], event["ask_amount"]) == ("3.7", "54696.7", None)


FUTURES_TICKER = {
    "contract": "BTC_USDT",
    "last": "118.4",
    "change_percentage": "0.77",
    "funding_rate": "-0.000114",
    "funding_rate_indicative": "0.01875",
    "funding_next_apply": TIME + 600,
    "mark_price": "118.35",
    "index_price": "118.36",
    "total_size": "73648",
    "volume_24h": "745487577",
    "volume_24h_base": "117",
    "volume_24h_quote": "419950",
    "high_24h": "120",
    "low_24h": "110",
}


def test_futures_ticker_tells_funding_and_open_interest_as_well() -> None:
    ticker, funding, interest = futures().send("futures.tickers", [FUTURES_TICKER])
    assert (ticker["last"], ticker["volume_24h"], ticker["quote_volume_24h"]) == ("118.4", "117", "419950")
    assert (ticker["change_24h"], ticker["bid"], ticker["high_24h"]) == ("0.77", None, "120")
    assert (funding["kind"], funding["rate"], funding["next_ts"]) == (
        "funding",
        "-0.000114",
        (TIME + 600) * 1000 * NS,
    )
    assert (funding["mark_price"], funding["index_price"], funding["ts_event"]) == ("118.35", "118.36", MS * NS)
    assert (interest["kind"], interest["contracts"], interest["amount"]) == ("interest", "73648", "7.3648")
    assert interest["value"] is None


def test_futures_ticker_may_be_one_row_without_next_funding() -> None:
    row = {key: value for key, value in FUTURES_TICKER.items() if key not in {"funding_next_apply", "high_24h"}}
    ticker, funding, _ = futures().send("futures.tickers", row)
    assert (funding["next_ts"], ticker["high_24h"]) == (None, None)


def test_futures_ticker_of_the_first_years_has_no_volumes_of_its_coins() -> None:
    row = {key: value for key, value in FUTURES_TICKER.items() if not key.startswith("volume_24h_")}
    ticker, funding, interest = futures().send("futures.tickers", [row])
    assert (ticker["last"], ticker["volume_24h"], ticker["quote_volume_24h"]) == ("118.4", None, None)
    assert (funding["rate"], interest["contracts"]) == ("-0.000114", "73648")


# ---- books
def spot_update(first: int, last: int, bids: Any, asks: Any, **more: Any) -> dict[str, Any]:
    named = {"e": "depthUpdate", "E": TIME, "s": "BTC_USDT"}
    return {"t": MS, **named, "U": first, "u": last, "b": bids, "a": asks, **more}


def test_spot_update_continues_what_came_before_its_first_id() -> None:
    row = spot_update(48776301, 48776306, [["19137.74", "0.0001"], ["19088.37", "0.000"]], [["19137.75", "0.6135"]])
    event = Socket().send("spot.order_book_update", row)[0]
    assert (event["id"], event["ts_event"]) == ("gate.BTC.USDT.spot.delta.update-48776301-48776306", MS * NS)
    assert (event["seq"], event["prev_seq"], event["is_snapshot"]) == (48776306, 48776300, False)
    assert event["bids"] == [["19137.74", "0.0001"], ["19088.37", "0"]]
    assert event["unit"] == "base"


def test_full_update_replaces_the_book() -> None:
    event = Socket().send("spot.order_book_update", spot_update(5, 9, [["2", "1"]], [], full=True, l="100"))[0]
    assert (event["is_snapshot"], event["seq"], event["prev_seq"]) == (True, 9, None)


def test_futures_levels_become_coins_and_keep_zero() -> None:
    sides = {"b": [{"p": "54672.1", "s": 0}, {"p": "54664.5", "s": "58794.5"}], "a": [{"p": "54742", "s": 95}]}
    row = {"t": MS, "s": "BTC_USDT", "U": 2517661101, "u": 2517661113, "l": "100", **sides}
    event = futures().send("futures.order_book_update", row)[0]
    assert event["bids"] == [["54672.1", "0"], ["54664.5", "5.87945"]]
    assert (event["asks"], event["unit"], event["prev_seq"]) == ([["54742", "0.0095"]], "base", 2517661100)
    unknown = Socket("linear").send("futures.order_book_update", row)[0]
    assert (unknown["asks"], unknown["unit"]) == ([["54742", "95"]], "contracts")


def test_second_version_begins_whole_and_may_leave_a_side_out() -> None:
    socket = futures()
    first = {"t": MS, "full": True, "s": "ob.BTC_USDT.50", "u": 10, "b": [["63700.0", "10000"]], "a": []}
    whole = socket.send("futures.obu", first)[0]
    assert (whole["symbol"], whole["is_snapshot"], whole["seq"]) == ("BTC/USDT:USDT", True, 10)
    assert whole["bids"] == [["63700.0", "1"]]
    next_ = socket.send("futures.obu", {"t": MS + 20, "s": "ob.BTC_USDT.50", "U": 11, "u": 17})[0]
    assert (next_["bids"], next_["asks"], next_["seq"], next_["prev_seq"]) == ([], [], 17, 10)
    spot = Socket().send("spot.obu", {"t": MS, "full": True, "s": "ob.GT_USDT.400", "u": 1, "b": [["5", "1.50"]]})[0]
    assert (spot["symbol"], spot["bids"]) == ("GT/USDT", [["5", "1.50"]])


def test_side_without_changes_may_be_null_and_sizes_numbers() -> None:
    [event] = Socket().send("spot.order_book_update", spot_update(5, 9, None, [["2", "1"]]))
    assert (event["bids"], event["asks"]) == ([], [["2", "1"]])
    levels = {"b": [["63700.0", 10000]], "a": None}
    [event] = futures().send("futures.obu", {"t": MS, "full": True, "s": "ob.BTC_USDT.50", "u": 10, **levels})
    assert (event["bids"], event["asks"]) == ([["63700.0", "1"]], [])


def test_oldest_channel_has_whole_books_and_signed_levels() -> None:
    levels = {"asks": [{"p": "97.1", "s": 2245}], "bids": [{"p": "97", "s": "10.5"}]}
    whole = futures().send("futures.order_book", {"t": MS, "id": 9397, "contract": "ETH_USDT", **levels}, "all")[0]
    assert (whole["bids"], whole["asks"]) == ([["97", "0.105"]], [["97.1", "22.45"]])
    assert (whole["is_snapshot"], whole["seq"]) == (True, None)
    rows = [{"p": "49525.6", "s": s, "c": "ETH_USDT", "id": 5 + n} for n, s in enumerate((7726, -3, 0))]
    update = futures().send("futures.order_book", rows)[0]
    assert update["bids"] == [["49525.6", "77.26"], ["49525.6", "0"]]
    assert update["asks"] == [["49525.6", "0.03"], ["49525.6", "0"]]
    assert (update["seq"], update["prev_seq"], update["ts_event"]) == (None, None, MS * NS)


def test_book_is_seeded_by_rest_in_the_middle_of_an_update() -> None:
    socket, keeper = Socket(), BookKeeper(VENUE.book)
    updates = [spot_update(90, 95, [["10", "1"]], []), spot_update(96, 104, [["10", "2"]], [["12", "1"]])]
    for row in updates:
        keeper.on_delta(
            socket.events({"time": TIME, "channel": "spot.order_book_update", "event": "update", "result": row})[0]
        )
    body = {"id": 100, "current": MS + 5, "update": MS, "asks": [["11", "3"]], "bids": [["10", "9"], ["9", "1"]]}
    instrument = VENUE.guess("spot", "BTC_USDT")
    snapshot = VENUE.rest.decode_depth(json.dumps(body).encode(), instrument, RECEIVED, sim=True)
    assert (snapshot.id, snapshot.quality, snapshot.ts_event) == ("gate.BTC.USDT.spot.book.rest-100", "sim", MS * NS)
    assert keeper.on_snapshot(snapshot).change is Change.APPLIED
    assert (keeper.bids.top(), keeper.asks.top(), keeper.seq) == (
        [("10", "2"), ("9", "1")],
        [("11", "3"), ("12", "1")],
        104,
    )
    lost = {
        "time": TIME,
        "channel": "spot.order_book_update",
        "event": "update",
        "result": spot_update(106, 107, [], []),
    }
    assert keeper.on_delta(socket.events(lost)[0]).change is Change.GAP


def test_malformed_level_is_dropped_from_a_whole_book_and_refuses_an_update() -> None:
    sides: tuple[Any, Any] = ([["10", "-1"], ["9", "1"]], [])
    assert Socket().send("spot.order_book_update", spot_update(1, 2, *sides, full=True))[0]["bids"] == [["9", "1"]]
    with pytest.raises(FrameError, match="-1"):
        Socket().send("spot.order_book_update", spot_update(1, 2, *sides))


def test_update_without_its_first_id_is_refused_by_name() -> None:
    row = spot_update(1, 2, [], [])
    del row["U"]
    with pytest.raises(FrameError, match=r"result\.U"):
        Socket().send("spot.order_book_update", row)


# ---- liquidations
FORCED = {"price": "215.1", "size": "-124.5", "time": MS, "contract": "ETH_USDT"}


def test_liquidations_come_in_batches_and_say_no_side() -> None:
    found = futures().send("futures.public_liquidates", [FORCED, {**FORCED, "size": 10}, FORCED])
    assert [event["contracts"] for event in found] == ["124.5", "10", "124.5"]
    assert len({event["id"] for event in found}) == 3
    first = found[0]
    assert (first["amount"], first["price"], first["price_kind"]) == ("1.245", "215.1", "limit")
    assert (first["position_side"], first["order_side"]) == (None, None)
    assert first["ts_event"] == MS * NS


def test_liquidation_may_be_one_object_of_any_symbol() -> None:
    event = futures().send("futures.public_liquidates", {**FORCED, "contract": "HEI_USDT"})[0]
    assert (event["symbol"], event["amount"], event["contracts"]) == ("HEI/USDT:USDT", None, "124.5")


@pytest.mark.parametrize(
    ("times", "expected", "sampled"),
    [
        ({"time": TIME}, TIME * 1000 * NS, True),
        ({"time": TIME, "time_ms": MS}, MS * NS, True),
        ({"time": 1_787_183_999_999}, 1_787_183_999_999 * NS, True),
        ({"time": 1_787_184_000_000}, 1_787_184_000_000 * NS, False),
    ],
)
def test_liquidations_were_a_sample_until_the_venue_changed_that(
    times: dict[str, int], expected: int, *, sampled: bool
) -> None:
    row = {key: value for key, value in FORCED.items() if key != "time"} | times
    event = futures().send("futures.public_liquidates", [row])[0]
    assert (event["ts_event"], event["sampled"]) == (expected, sampled)


# ---- candles
CANDLE = {"t": str(TIME), "v": "2362.32035", "c": "2", "h": "4", "l": "1", "o": "3", "n": "1m_BTC_USDT"}


def test_spot_candle_counts_both_coins_and_says_when_it_is_closed() -> None:
    event = Socket().send("spot.candlesticks", {**CANDLE, "a": "3.8283", "w": True})[0]
    assert [event[name] for name in ("open", "high", "low", "close")] == ["3", "4", "1", "2"]
    assert (event["volume"], event["quote_volume"], event["closed"]) == ("3.8283", "2362.32035", True)
    assert (event["timeframe"], event["start_ts"], event["trades"]) == ("1m", TIME * 1000 * NS, None)


def test_candle_whose_volume_in_coins_is_unknown_is_left_out() -> None:
    assert Socket().send("spot.candlesticks", CANDLE) == []
    assert Socket().send("spot.candlesticks", {**CANDLE, "v": "0"})[0]["volume"] == "0"
    row = {**CANDLE, "t": TIME, "v": 525, "n": "7d_BTC_USDT"}
    assert Socket("linear").send("futures.candlesticks", [row]) == []
    known = futures().send("futures.candlesticks", [row])[0]
    assert (known["volume"], known["timeframe"], known["closed"]) == ("0.0525", "1w", False)


def test_candles_of_mark_and_index_prices_are_left_out() -> None:
    assert futures().send("futures.candlesticks", [{**CANDLE, "n": "1m_mark_BTC_USDT"}]) == []


# ---- controls
def answer(**more: Any) -> dict[str, Any]:
    return {"time": TIME, "time_ms": MS, "channel": "spot.trades", "event": "subscribe", **more}


def test_answers_name_the_request() -> None:
    socket = Socket()
    good = answer(id=7, error=None, result={"status": "success"}, requestId="26a4")
    assert socket.events(good) == [Ack("7")]
    error = {"code": 2, "message": "unknown currency pair: FOO_USDT"}
    bad = answer(id=8, error=error, result={"status": "fail"})
    assert socket.events(bad) == [Refused("8", "2: unknown currency pair: FOO_USDT")]
    assert socket.events(answer(result={"status": "fail"}, id=9)) == [Refused("9", "status fail")]


def test_answer_without_an_id_is_known_by_its_channel_and_argument() -> None:
    reported = answer(payload=["BTC_USDT"], result={"status": "success"})
    assert Socket().events(reported) == [Ack("spot.trades:BTC_USDT")]
    assert Socket().events(answer(error={"code": 4, "message": "no"})) == [Refused(None, "4: no")]


def test_pong_notice_and_what_is_not_carried() -> None:
    socket = Socket()
    assert socket.events({"time": TIME, "channel": "spot.pong", "event": "", "error": None, "result": None}) == [Pong()]
    notice = {"type": "upgrade", "msg": "reconnect please"}
    frame = {"time": TIME, "channel": "futures.system", "event": "update", "result": notice}
    assert socket.events(frame) == [Closing("reconnect please", 10.0)]
    assert socket.send("spot.order_book", {}) == []
    assert socket.events(answer(event="unsubscribe", result={"status": "success"})) == []


def test_unknown_channel_and_missing_field_are_errors_by_name() -> None:
    with pytest.raises(FrameError, match=r"spot\.tea"):
        Socket().send("spot.tea", {})
    row = {key: value for key, value in SPOT_TRADE.items() if key != "price"}
    with pytest.raises(ValueError, match="price"):
        Socket().send("spot.trades", row)
    with pytest.raises(FrameError, match=r"result\.price"):
        Socket().send("spot.trades", {**SPOT_TRADE, "price": "NaN"})
    with pytest.raises(ValueError, match="truncated"):
        Socket().events("{")


def test_frame_with_spaces_and_other_order_is_decoded_alike() -> None:
    frame = {"result": SPOT_TRADE, "event": "update", "channel": "spot.trades", "time": TIME}
    usual = {"time": TIME, "channel": "spot.trades", "event": "update", "result": SPOT_TRADE}
    assert Socket().events(json.dumps(frame, indent=1)) == Socket().events(usual)


def test_events_of_a_simulated_socket_are_marked() -> None:
    assert Socket(sim=True).send("spot.trades", SPOT_TRADE)[0]["sim"] is True


# ---- plan
LISTED = (make_instrument("gate", "BTC/USDT", "BTC_USDT"), PERP)


def test_markets_have_hosts_of_their_own_unless_another_address_is_given() -> None:
    assert [(item.name, item.url) for item in VENUE.plan(VENUE.ws_url, LISTED, CHANNELS)] == [
        ("spot.0", "wss://api.gateio.ws/ws/v4/"),
        ("linear.0", "wss://fx-ws.gateio.ws/v4/ws/usdt"),
    ]
    assert [item.url for item in VENUE.plan("ws://here/gate", LISTED, CHANNELS)] == [
        "ws://here/gate/ws/v4/",
        "ws://here/gate/v4/ws/usdt",
    ]


def test_every_channel_is_asked_for_alone_and_stamped_when_it_is_sent() -> None:
    spot, linear = VENUE.plan(VENUE.ws_url, LISTED, CHANNELS)
    assert [item.key for item in spot.subscriptions] == [
        "spot.trades:BTC_USDT",
        "spot.tickers:BTC_USDT",
        "spot.book_ticker:BTC_USDT",
        "spot.order_book_update:BTC_USDT",
    ]
    assert VENUE.stamp is not None
    frames = [json.loads(VENUE.stamp(request.frame, RECEIVED)) for request in linear.requests]
    assert frames[0] == {
        "time": TIME,
        "id": 1,
        "channel": "futures.public_liquidates",
        "event": "subscribe",
        "payload": ["!all"],
    }
    assert [frame["payload"] for frame in frames[-1:]] == [["BTC_USDT", "100ms", "100"]]
    assert [request.ref for request in linear.requests] == ["1", "2", "3", "4", "5"]
    assert json.loads(VENUE.stamp(spot.ping or "", RECEIVED)) == {"time": TIME, "channel": "spot.ping"}
    assert (dict(spot.headers), dict(linear.headers)) == ({}, {"X-Gate-Size-Decimal": "1"})


def test_funding_alone_is_reported_by_the_ticker_of_contracts() -> None:
    (only,) = VENUE.plan(VENUE.ws_url, LISTED, ("funding", "interest"))
    key = "futures.tickers:BTC_USDT"
    assert [(item.key, item.channel) for item in only.subscriptions] == [(key, "funding"), (key, "interest")]
    assert [request.keys for request in only.requests] == [{key}]


def test_many_instruments_are_spread_over_sockets() -> None:
    many = [make_instrument("gate", f"A{number}/USDT", f"A{number}_USDT") for number in range(120)]
    plans = VENUE.plan(VENUE.ws_url, many, CHANNELS)
    assert [len(item.subscriptions) for item in plans] == [200, 200, 80]
    many = [make_instrument("gate", f"A{number}/USDT:USDT", f"A{number}_USDT") for number in range(60)]
    asked = [key for plan in VENUE.plan(VENUE.ws_url, many, CHANNELS) for item in plan.requests for key in item.keys]
    assert len(set(asked)) == len(asked) == 1 + 4 * 60


@pytest.mark.parametrize(
    ("market", "venue_symbol", "symbol"),
    [
        ("spot", "BTC_USDT", "BTC/USDT"),
        ("linear", "BTC_USDT", "BTC/USDT:USDT"),
        ("linear", "BTC_USD", "BTC/USD:BTC"),
        ("linear", "BTC_USDT_20260327", "BTC/USDT:USDT-260327"),
    ],
)
def test_symbols_are_named_without_a_listing(market: str, venue_symbol: str, symbol: str) -> None:
    found = VENUE.guess(market, venue_symbol)
    assert (found.symbol, found.venue_symbol, found.sized_in_contracts) == (symbol, venue_symbol, market == "linear")


def test_text_that_is_no_symbol_is_refused() -> None:
    with pytest.raises(SymbolSyntaxError, match="BTCUSDT"):
        VENUE.guess("spot", "BTCUSDT")


# ---- REST
def test_only_what_trades_is_listed_with_the_worth_of_a_contract() -> None:
    pairs = [
        {"id": "BTC_USDT", "base": "BTC", "quote": "USDT", "trade_status": "tradable"},
        {"id": "OLD_USDT", "base": "OLD", "quote": "USDT", "trade_status": "untradable"},
    ]
    spot, more = VENUE.rest.decode_instruments("spot", json.dumps(pairs).encode())
    assert ([item.symbol for item in spot], more) == (["BTC/USDT"], None)
    row = {"type": "direct", "quanto_multiplier": "0.0001", "in_delisting": False}
    contracts = [
        {"name": "BTC_USDT", **row, "status": "trading"},
        {"name": "ETH_USDT", **row, "quanto_multiplier": "0.0100"},
        {"name": "GONE_USDT", **row, "in_delisting": True},
        {"name": "DEAD_USDT", **row, "status": "delisted"},
        {"name": "BTC_USD", **row, "type": "inverse", "quanto_multiplier": "0"},
    ]
    linear, _ = VENUE.rest.decode_instruments("linear", json.dumps(contracts).encode())
    assert [(item.symbol, item.contract_size) for item in linear] == [
        ("BTC/USDT:USDT", "0.0001"),
        ("ETH/USDT:USDT", "0.01"),
    ]
    assert all(item.sized_in_contracts for item in linear)


def test_futures_depth_has_times_in_seconds_and_asks_for_decimals() -> None:
    call = VENUE.rest.depth_call(PERP)
    assert (call.path, call.params["contract"], call.params["with_id"]) == (
        "/api/v4/futures/usdt/order_book",
        "BTC_USDT",
        "true",
    )
    assert dict(call.headers) == {"X-Gate-Size-Decimal": "1"}
    body = b'{"id":5,"current":1684930166.668,"update":1684930166.609,"asks":[{"s":"12.5","p":"11"}],"bids":[]}'
    book = VENUE.rest.decode_depth(body, PERP, RECEIVED, sim=False)
    assert (book.asks, book.ts_event, book.seq) == ([("11", "0.00125")], 1_684_930_166_609_000_000, 5)
    with pytest.raises(FrameError, match="id"):
        VENUE.rest.decode_depth(b'{"asks":[],"bids":[]}', PERP, RECEIVED, sim=False)


def test_refusals_pause_for_the_window_or_as_asked() -> None:
    many = b'{"label":"TOO_MANY_REQUESTS","message":"Request Rate limit Exceeded"}'
    found = VENUE.rest.failure(429, {}, many)
    assert found is not None
    assert (found.code, found.retry_after) == ("TOO_MANY_REQUESTS", 10.0)
    reported = VENUE.rest.failure(429, {"retry-after": "3"}, b"<html>")
    assert reported is not None
    assert (reported.reason, reported.retry_after) == ("HTTP 429", 3.0)
    unknown = VENUE.rest.failure(400, {}, b'{"label":"INVALID_CURRENCY_PAIR","message":"Invalid currency pair FOO"}')
    assert unknown is not None
    assert (unknown.code, unknown.reason, unknown.retry_after) == (
        "INVALID_CURRENCY_PAIR",
        "Invalid currency pair FOO",
        None,
    )
    assert VENUE.rest.failure(200, {}, b"[]") is None
