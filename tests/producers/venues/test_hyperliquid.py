"""Hyperliquid: frames as the vendor's pages describe them, with invented values, and the events they become."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest

from contracts.codec import EVENTS, decoder, encode
from contracts.errors import FrameError, InvalidParameterError, SymbolSyntaxError
from contracts.instrument import Instrument, make_instrument
from producers.limits import fitting
from producers.normalize.events import Makers
from producers.venue import BOOK, CHANNELS, FUNDING, INTEREST, LIQUIDATION, TICKER, TRADE, Ack, Pong, Refused
from producers.venues.hyperliquid import VENUE
from tests.producers.playing import named

TS = 1_795_291_200_123
TS_NS = TS * 1_000_000
RECEIVED = TS_NS + 5_000_000
PURR = make_instrument("hyperliquid", "PURR/USDC", "PURR/USDC")
UBTC = make_instrument("hyperliquid", "UBTC/USDC", "@142")


class Socket:
    """One connection's decoder; `send` takes a frame as a dictionary and gives events as the bus would carry them."""

    def __init__(self, *known: Instrument, sim: bool = False) -> None:
        listed = {item.venue_symbol: item for item in known}
        self.decoder = VENUE.decoder(
            "public", lambda name: listed.get(name) or VENUE.guess("public", name), makers=Makers(sim=sim)
        )

    def send(self, frame: dict[str, Any]) -> list[Any]:
        text = json.dumps(frame, separators=(",", ":")).encode()
        return [_said(event) for event in self.decoder.decode(text, RECEIVED)]


def _said(event: Any) -> Any:
    if event.kind not in EVENTS:
        return event
    decoder(EVENTS[event.kind]).decode(encode(event))  # fit for the bus
    return {"kind": event.kind, **json.loads(encode(event))}


def trade(tid: int, **changes: Any) -> dict[str, Any]:
    row = {"coin": "BTC", "side": "A", "px": "91000.0", "sz": "0.010", "time": TS, "hash": "0x00", "tid": tid}
    return {**row, "users": ["0x1", "0x2"], **changes}


def trades(*rows: dict[str, Any]) -> dict[str, Any]:
    return {"channel": "trades", "data": list(rows)}


def book(bids: list[Any], asks: list[Any], **changes: Any) -> dict[str, Any]:
    sides = [[{"px": price, "sz": size, "n": 1} for price, size in side] for side in (bids, asks)]
    return {"channel": "l2Book", "data": {"coin": "BTC", "time": TS, "levels": sides, **changes}}


def figures(coin: str, channel: str = "activeAssetCtx", **ctx: Any) -> dict[str, Any]:
    shared = {"prevDayPx": "90000.0", "dayNtlVlm": "1169046.29406", "dayBaseVlm": "12.8", "markPx": "91001.0"}
    return {"channel": channel, "data": {"coin": coin, "ctx": {**shared, **ctx}}}


def test_trade_of_side_a_is_a_taker_who_sold() -> None:
    assert Socket().send(trades(trade(77))) == [
        {
            "kind": "trade",
            "id": f"hyperliquid.BTC.USDC.perp.trade.{TS}-77",
            "venue": "hyperliquid",
            "symbol": "BTC/USDC:USDC",
            "venue_symbol": "BTC",
            "ts_event": TS_NS,
            "ts_recv": RECEIVED,
            "sim": False,
            "trade_id": "77",
            "price": "91000.0",
            "amount": "0.010",
            "contracts": None,
            "side": "sell",
            "seq": None,
        }
    ]


def test_trade_of_side_b_is_a_taker_who_bought() -> None:
    assert Socket().send(trades(trade(77, side="B")))[0]["side"] == "buy"


def test_trades_that_a_new_subscription_repeats_are_left_out() -> None:
    socket = Socket()
    socket.send(trades(trade(1), trade(2)))
    assert [event["trade_id"] for event in socket.send(trades(trade(1), trade(2), trade(3)))] == ["3"]


def test_trades_that_the_last_connection_had_are_left_out() -> None:
    first, second = Socket(), Socket()
    first.send(trades(trade(1), trade(2)))
    assert VENUE.inherit is not None
    VENUE.inherit(second.decoder, first.decoder)
    assert [event["trade_id"] for event in second.send(trades(trade(2), trade(3)))] == ["3"]


def test_the_same_id_on_another_coin_is_another_trade() -> None:
    socket = Socket()
    socket.send(trades(trade(1)))
    assert socket.send(trades(trade(1, coin="ETH")))[0]["symbol"] == "ETH/USDC:USDC"


def test_the_same_id_at_another_time_is_another_trade() -> None:
    socket = Socket()
    first, second = socket.send(trades(trade(1), trade(1, time=TS + 1)))
    assert (first["trade_id"], second["trade_id"]) == ("1", "1")
    assert first["id"] != second["id"]
    assert socket.send(trades(trade(1, time=TS + 1))) == []


def test_trades_of_a_frame_that_cannot_be_read_are_not_taken_for_received() -> None:
    socket = Socket()
    with pytest.raises(FrameError, match=r"data\.px"):
        socket.send(trades(trade(1), trade(2, px="x")))
    assert [event["trade_id"] for event in socket.send(trades(trade(1)))] == ["1"]


def test_book_push_is_the_whole_book() -> None:
    assert Socket(sim=True).send(book([["91000.0", "3.0"]], [["91001.0", "0.20"]])) == [
        {
            "kind": "delta",
            "id": f"hyperliquid.BTC.USDC.perp.delta.{TS}",
            "venue": "hyperliquid",
            "symbol": "BTC/USDC:USDC",
            "venue_symbol": "BTC",
            "ts_event": TS_NS,
            "ts_recv": RECEIVED,
            "sim": True,
            "bids": [["91000.0", "3.0"]],
            "asks": [["91001.0", "0.20"]],
            "seq": None,
            "prev_seq": None,
            "is_snapshot": True,
            "unit": "base",
        }
    ]


def test_book_of_the_faster_feed_reads_the_same() -> None:
    frame = book([["91000.0", "3.0"]], [], fast=True)
    assert Socket().send(frame) == Socket().send(book([["91000.0", "3.0"]], []))


@pytest.mark.parametrize("level", [["91000.0", "0.-1"], ["91000.0", ""], ["x", "1"], ["-1", "1"]])
def test_malformed_level_is_left_out(level: list[str]) -> None:
    event = Socket().send(book([level, ["90998.0", "2"]], []))[0]
    assert event["bids"] == [["90998.0", "2"]]
    with pytest.raises(FrameError, match=r"data\.levels\[0\]"):
        Socket().send(book([level], [["90999.0", "1"]]))


def test_level_without_amount_is_zero_and_one_without_price_left_out() -> None:
    event = Socket().send(book([["90999.0", "0.0"], ["0.0", "1"], ["90998.0", "2"]], []))[0]
    assert event["bids"] == [["90999.0", "0"], ["90998.0", "2"]]


@pytest.mark.parametrize(
    ("sides", "wanted"),
    [
        ([{"px": "1.5", "sz": "2.0", "n": 1}, {"px": "1.6", "sz": "3.0", "n": 1}], ("1.5", "2.0", "1.6", "3.0")),
        ([None, {"px": "1.6", "sz": "3.0", "n": 1}], (None, None, "1.6", "3.0")),
        ([{"px": "1.5", "sz": "2.0", "n": 1}], ("1.5", "2.0", None, None)),
        ([{"px": "1.5", "sz": "2.0", "n": 1}, None], ("1.5", "2.0", None, None)),
        ([{"px": "0.0", "sz": "2.0", "n": 0}, {"px": "1.6", "sz": "3.0", "n": 1}], (None, None, "1.6", "3.0")),
    ],
)
def test_best_prices_fill_only_themselves(sides: list[Any], wanted: tuple[str | None, ...]) -> None:
    event = Socket().send({"channel": "bbo", "data": {"coin": "kPEPE", "time": TS, "bbo": sides}})[0]
    assert (event["bid"], event["bid_amount"], event["ask"], event["ask_amount"]) == wanted
    assert (event["symbol"], event["ts_event"], event["last"]) == ("kPEPE/USDC:USDC", TS_NS, None)
    assert event["id"].startswith(f"hyperliquid.kPEPE.USDC.perp.ticker.bbo-{TS}-")


def test_figures_of_a_perpetual_are_a_ticker_its_funding_and_its_open_interest() -> None:
    ctx: dict[str, Any] = {
        "funding": "-0.0000125",
        "openInterest": "688.11",
        "oraclePx": "91002.0",
        "midPx": None,
        "premium": None,
    }
    ticker, funding, interest = Socket().send(figures("BTC", **ctx))
    assert (ticker["open_24h"], ticker["volume_24h"], ticker["quote_volume_24h"]) == (
        "90000.0",
        "12.8",
        "1169046.29406",
    )
    assert ticker["ts_event"] is None
    assert (funding["rate"], funding["next_ts"]) == ("-0.0000125", None)
    assert (funding["mark_price"], funding["index_price"]) == ("91001.0", "91002.0")
    assert (interest["amount"], interest["value"], interest["contracts"]) == ("688.11", None, None)


def test_figures_have_the_same_id_only_while_they_are_the_same() -> None:
    socket = Socket()
    rates = ("0.1", "0.1", "0.2", "0.1")
    frames = [json.dumps(figures("BTC", funding=rate)).encode() for rate in rates]
    ids = [socket.decoder.decode(frame, RECEIVED + number)[1].id for number, frame in enumerate(frames)]
    assert ids[0] == ids[1]
    assert len(set(ids)) == 3, "what comes back is another event"


def test_figures_of_a_spot_pair_are_a_ticker_only() -> None:
    found = Socket(UBTC).send(figures("@142", "activeSpotAssetCtx", circulatingSupply="100.0"))
    assert [(event["kind"], event["symbol"]) for event in found] == [("ticker", "UBTC/USDC")]


def test_spot_trades_have_the_name_of_the_listing() -> None:
    found = Socket(PURR, UBTC).send(trades(trade(1, coin="PURR/USDC"), trade(2, coin="@142")))
    assert [event["symbol"] for event in found] == ["PURR/USDC", "UBTC/USDC"]


@pytest.mark.parametrize("as_list", [False, True])
def test_candle_keeps_the_text_of_its_numbers(as_list: bool) -> None:
    row = {
        "t": TS,
        "T": TS + 59_999,
        "s": "BTC",
        "i": "1m",
        "o": "91000.0",
        "c": 91000.5,
        "h": "91001.0",
        "l": "90999.0",
    }
    data = {**row, "v": "2.50", "n": 3}
    event = Socket().send({"channel": "candle", "data": [data] if as_list else data})[0]
    assert (event["timeframe"], event["start_ts"], event["trades"]) == ("1m", TS_NS, 3)
    assert [event[name] for name in ("open", "close", "volume")] == ["91000.0", "91000.5", "2.50"]


def test_confirmation_names_the_subscription() -> None:
    wanted = {"type": "l2Book", "coin": "BTC", "nSigFigs": None, "mantissa": None}

    def confirmed(method: str) -> list[Any]:
        data = {"method": method, "subscription": wanted}
        return Socket().send({"channel": "subscriptionResponse", "data": data})

    assert confirmed("subscribe") == [Ack("l2Book:BTC")]
    assert confirmed("unsubscribe") == []


def test_refusal_names_the_subscription_where_its_text_does() -> None:
    quoted = '{"type":"trades","coin":"NOPE"}'
    error = {"channel": "error", "data": f"Invalid subscription {quoted}"}
    assert Socket().send(error) == [Refused("trades:NOPE", f"Invalid subscription {quoted}")]
    whole = {"channel": "error", "data": f'Failed: {{"method":"subscribe","subscription":{quoted}}}'}
    assert Socket().send(whole)[0].ref == "trades:NOPE"
    assert Socket().send({"channel": "error", "data": "Error parsing JSON"}) == [Refused(None, "Error parsing JSON")]


def test_already_subscribed_is_as_good_as_a_confirmation() -> None:
    error = {"channel": "error", "data": 'Already subscribed: {"type":"bbo","coin":"BTC"}'}
    assert Socket().send(error) == [Ack("bbo:BTC")]


def test_pong_and_channels_that_are_not_carried() -> None:
    assert Socket().send({"channel": "pong"}) == [Pong()]
    assert Socket().send({"channel": "allMids", "data": {"mids": {"BTC": "1"}}}) == []


def test_order_of_keys_does_not_matter() -> None:
    assert Socket().send(dict(reversed(trades(trade(5)).items())))[0]["trade_id"] == "5"


@pytest.mark.parametrize(
    ("frame", "named"),
    [
        ({"channel": "novel", "data": {}}, "novel"),
        ({"data": {}}, "channel"),
        (trades({key: value for key, value in trade(1).items() if key != "tid"}), "tid"),
        (trades(trade(1, px="9,1")), "px"),
        (trades(trade(1, side="C")), "side"),
        (book([["x", "y"]], []), "levels"),
        (figures("BTC", prevDayPx="-1"), "prevDayPx"),
    ],
)
def test_what_is_wrong_is_named(frame: dict[str, Any], named: str) -> None:
    with pytest.raises((FrameError, msgspec.ValidationError), match=named):
        Socket().send(frame)


# ---- plan and names
def test_each_subscription_is_a_request_of_its_own() -> None:
    btc = VENUE.guess("public", "BTC")
    (only,) = VENUE.plan(VENUE.ws_url, [btc, UBTC], CHANNELS)
    assert only.url == "wss://api.hyperliquid.xyz/ws"
    assert [request.frame for request in only.requests[:2]] == [
        '{"method":"subscribe","subscription":{"type":"trades","coin":"BTC"}}',
        '{"method":"subscribe","subscription":{"type":"l2Book","coin":"BTC"}}',
    ]
    assert [item.key for item in only.subscriptions] == [
        f"{kind}:{coin}" for coin in ("BTC", "@142") for kind in ("trades", "l2Book", "bbo", "activeAssetCtx")
    ]
    assert {request.keys for request in only.requests} == {frozenset({item.key}) for item in only.subscriptions}


def test_funding_and_interest_alone_need_the_figures_of_perpetuals_only() -> None:
    btc = VENUE.guess("public", "BTC")
    (only,) = VENUE.plan(VENUE.ws_url, [btc, UBTC], (FUNDING, INTEREST))
    assert [(item.key, item.channel) for item in only.subscriptions] == [("activeAssetCtx:BTC", FUNDING)]
    assert VENUE.plan(VENUE.ws_url, [btc], (LIQUIDATION,)) == ()


def test_many_coins_are_spread_over_sockets() -> None:
    coins = [VENUE.guess("public", f"C{number}") for number in range(120)]
    plans = VENUE.plan(VENUE.ws_url, coins, (TRADE, BOOK, TICKER))
    assert [len(plan.requests) for plan in plans] == [200, 200, 80]
    assert len({plan.name for plan in plans}) == 3


def test_fresh_book_is_asked_for_by_a_new_subscription() -> None:
    (only,) = VENUE.plan(VENUE.ws_url, [VENUE.guess("public", "BTC")], (BOOK,))
    assert VENUE.resubscribe is not None
    methods = [json.loads(frame) for frame in VENUE.resubscribe(only.subscriptions[0])]
    wanted = {"type": "l2Book", "coin": "BTC"}
    assert methods == [{"method": name, "subscription": wanted} for name in ("unsubscribe", "subscribe")]


@pytest.mark.parametrize(
    ("coin", "symbol"),
    [
        ("BTC", "BTC/USDC:USDC"),
        ("kPEPE", "kPEPE/USDC:USDC"),
        ("PURR/USDC", "PURR/USDC"),
        ("0G", "0G/USDC:USDC"),
    ],
)
def test_coins_are_named_without_metadata(coin: str, symbol: str) -> None:
    assert VENUE.guess("public", coin).symbol == symbol


@pytest.mark.parametrize("coin", ["@107", "#10", "xyz:TSLA", "/USDC", "BTC-PERP", "PURR/USDC/X", "BTC "])
def test_coin_that_only_the_listing_can_name_is_refused_by_its_name(coin: str) -> None:
    with pytest.raises(SymbolSyntaxError, match=coin):
        VENUE.guess("public", coin)


def test_nothing_is_no_coin() -> None:
    with pytest.raises(SymbolSyntaxError):
        VENUE.guess("public", "")


def test_more_than_an_address_may_subscribe_to_is_refused_with_the_limit() -> None:
    coins = [VENUE.guess("public", f"C{number}") for number in range(300)]
    with pytest.raises(InvalidParameterError, match=r"1000 subscriptions.*250 of these 300"):
        VENUE.plan(VENUE.ws_url, coins, CHANNELS)
    found = fitting(VENUE.limit, coins, CHANNELS)
    assert (found.instruments, found.left_out) == (tuple(coins[:250]), tuple(coins[250:]))
    assert sum(len(plan.subscriptions) for plan in VENUE.plan(VENUE.ws_url, found.instruments, CHANNELS)) == 1000
    assert len(fitting(VENUE.limit, coins, CHANNELS, share=2).instruments) == 125


# ---- REST
def test_questions_are_posted() -> None:
    calls = VENUE.rest.instrument_calls()
    assert [(name, call.method, call.path, call.body) for name, call in calls] == [
        ("perp", "POST", "/info", '{"type":"meta"}'),
        ("spot", "POST", "/info", '{"type":"spotMeta"}'),
    ]
    depth = VENUE.rest.depth_call(VENUE.guess("public", "BTC"))
    assert (depth.body, depth.weight) == ('{"type":"l2Book","coin":"BTC"}', 2)


def test_delisted_perpetuals_are_left_out() -> None:
    rows = [{"name": "kPEPE", "szDecimals": 0}, {"name": "OLD", "szDecimals": 0, "isDelisted": True}]
    found, more = VENUE.rest.decode_instruments("perp", json.dumps({"universe": rows, "marginTables": []}).encode())
    assert [item.symbol for item in named(found)] == ["kPEPE/USDC:USDC"]
    assert more is None


def test_spot_pairs_are_named_by_their_tokens() -> None:
    tokens = [{"name": name, "index": index} for index, name in enumerate(("USDC", "PURR", "HFUN", "USDH", "PURR"))]
    universe = [
        {"name": "PURR/USDC", "tokens": [1, 0], "index": 0},
        {"name": "@1", "tokens": [2, 0], "index": 1},
        {"name": "@2", "tokens": [2, 3], "index": 2},
        {"name": "@3", "tokens": [4, 0], "index": 3},
    ]
    body = json.dumps({"universe": universe, "tokens": tokens}).encode()
    found, _ = VENUE.rest.decode_instruments("spot", body)
    assert [(item.venue_symbol, item.symbol) for item in named(found)] == [
        ("PURR/USDC", "PURR/USDC"),
        ("@1", "HFUN/USDC"),
        ("@2", "HFUN/USDH"),
    ]
    assert len({item.tail for item in named(found)}) == 3


def test_pair_of_an_unknown_token_is_an_error() -> None:
    body = json.dumps({"universe": [{"name": "@1", "tokens": [9, 0]}], "tokens": [{"name": "USDC", "index": 0}]})
    with pytest.raises(FrameError, match="@1"):
        VENUE.rest.decode_instruments("spot", body.encode())


def test_depth_is_a_book_without_sequence() -> None:
    body = json.dumps(book([["91000.0", "3.0"]], [["91001.0", "0.2"]])["data"]).encode()
    event = VENUE.rest.decode_depth(body, VENUE.guess("public", "BTC"), RECEIVED, sim=False)
    assert (event.bids, event.asks, event.seq) == ([("91000.0", "3.0")], [("91001.0", "0.2")], None)
    assert (event.ts_event, event.quality) == (TS_NS, "live")
    with pytest.raises(FrameError, match="coin"):
        VENUE.rest.decode_depth(body, VENUE.guess("public", "ETH"), RECEIVED, sim=False)


@pytest.mark.parametrize(
    ("status", "headers", "body", "pause"),
    [
        (429, {}, b"null", 60.0),
        (429, {"retry-after": "7"}, b"", 7.0),
        (500, {}, b"null", None),
        (200, {}, b"null", None),
        (422, {}, b"Failed to deserialize the JSON body into the target type", None),
    ],
)
def test_failures_are_reported(status: int, headers: dict[str, str], body: bytes, pause: float | None) -> None:
    failure = VENUE.rest.failure(status, headers, body)
    assert failure is not None
    assert (failure.code, failure.retry_after) == (str(status), pause)


def test_data_is_no_failure() -> None:
    assert VENUE.rest.failure(200, {}, b'{"universe":[]}') is None
