"""Indodax: messages as the vendor's page describes them, with invented values, and the events they become."""

from __future__ import annotations

import base64
import json
from itertools import count
from typing import Any

import msgspec
import pytest

from contracts.codec import EVENTS, decoder, encode
from contracts.errors import FrameError, SymbolSyntaxError
from producers.normalize.events import Makers
from producers.venue import BOOK, CHANNELS, LIQUIDATION, TRADE, Ack, Closing, Gap, Pong, Refused
from producers.venues.indodax import VENUE
from producers.venues.indodax.plan import BOOKS, PUBLIC_TOKEN, SUMMARY, TRADES, request_id
from tests.producers.playing import named

TS = 1_795_291_200
TS_NS = TS * 1_000_000_000
RECEIVED = TS_NS + 5_000_000
TRADE_ROW = '["btcidr",1795291200,21999427,"buy",1632000000,"5045000","0.00309130"]'
BTC = VENUE.guess("spot", "btcidr")
MAKE = VENUE.plan(VENUE.ws_url, [BTC], CHANNELS)[0]


class Socket:
    """One connection's decoder; `send` takes a frame's text and gives events as the bus would carry them."""

    def __init__(self, *, sim: bool = False) -> None:
        self.decoder = VENUE.decoder("spot", lambda name: VENUE.guess("spot", name), makers=Makers(sim=sim))

    def send(self, *messages: str) -> list[Any]:
        frame = "".join(f"{message}\n" for message in messages).encode()
        return [_said(event) for event in self.decoder.decode(frame, RECEIVED)]


def _said(event: Any) -> Any:
    if event.kind not in EVENTS:
        return event
    decoder(EVENTS[event.kind]).decode(encode(event))  # fit for the bus
    return {"kind": event.kind, **json.loads(encode(event))}


def push(channel: str, payload: str, offset: int) -> str:
    return f'{{"result":{{"channel":"{channel}","data":{{"data":{payload},"offset":{offset}}}}}}}'


def trade(offset: int, row: str = TRADE_ROW) -> str:
    return push(f"{TRADES}btcidr", f"[{row}]", offset)


def level(price: str, amount: str) -> dict[str, str]:
    return {"btc_volume": amount, "idr_volume": "1", "price": price}


def ladder(bids: list[tuple[str, str]], asks: list[tuple[str, str]]) -> str:
    sides = {"ask": [level(*row) for row in asks], "bid": [level(*row) for row in bids]}
    return json.dumps({"pair": "btcidr", **sides}, separators=(",", ":"))


def answer(channel: str, offset: int, *publications: str, epoch: str = "E1", recovered: bool = False) -> str:
    result: dict[str, Any] = {"recoverable": True, "epoch": epoch, "offset": offset}
    text = json.dumps({"id": request_id(channel), "result": result}, separators=(",", ":"))
    if not recovered:
        return text
    return text.replace('"offset"', f'"publications":[{",".join(publications)}],"recovered":true,"offset"', 1)


def publication(payload: str, offset: int) -> str:
    return f'{{"data":{payload},"offset":{offset}}}'


def test_trade_has_the_base_amount_and_seconds_become_nanoseconds() -> None:
    assert Socket().send(trade(1)) == [
        {
            "kind": "trade",
            "id": "indodax.BTC.IDR.spot.trade.21999427",
            "venue": "indodax",
            "symbol": "BTC/IDR",
            "venue_symbol": "btcidr",
            "ts_event": TS_NS,
            "ts_recv": RECEIVED,
            "sim": False,
            "trade_id": "21999427",
            "price": "1632000000",
            "amount": "0.00309130",
            "contracts": None,
            "side": "buy",
            "seq": 21999427,
        }
    ]


def test_number_text_is_kept_and_an_exponent_written_out() -> None:
    prices = ("16320.50", "1.5e-7", '"77"')
    rows = (TRADE_ROW.replace("1632000000", price) for price in prices)
    assert [event["price"] for event in Socket().send(trade(1, ",".join(rows)))] == ["16320.50", "0.00000015", "77"]


def test_numbers_may_stand_for_text() -> None:
    [event] = Socket().send(trade(1, '["btcidr","1795291200",21999427,"buy",1632000000,5045000,0.00309130]'))
    assert (event["price"], event["amount"], event["ts_event"]) == ("1632000000", "0.00309130", TS_NS)
    sides = '{"pair":"btcidr","ask":[{"btc_volume":0.110,"price":1632000000}],"bid":[{"btc_volume":0,"price":"5"}]}'
    [book] = Socket().send(push(f"{BOOKS}btcidr", sides, 7))
    assert (book["asks"], book["bids"]) == ([["1632000000", "0.110"]], [["5", "0"]])


def test_frame_may_hold_several_messages_and_ends_in_a_newline() -> None:
    kinds = [
        event if isinstance(event, Pong) else event["kind"] for event in Socket().send('{"id":2}', trade(1), trade(2))
    ]
    assert kinds == [Pong(), "trade", "trade"]


def test_book_push_is_the_whole_book_whose_keys_name_the_coin() -> None:
    payload = ladder([("1631500000", "0.5"), ("1631000000", "0.00000000")], [("1632000000", "0.11")])
    (book,) = Socket(sim=True).send(push(f"{BOOKS}btcidr", payload, 67409))
    assert book.pop("id").startswith("indodax.BTC.IDR.spot.delta.67409-")
    assert [book] == [
        {
            "kind": "delta",
            "venue": "indodax",
            "symbol": "BTC/IDR",
            "venue_symbol": "btcidr",
            "ts_event": None,
            "ts_recv": RECEIVED,
            "sim": True,
            "bids": [["1631500000", "0.5"], ["1631000000", "0"]],
            "asks": [["1632000000", "0.11"]],
            "seq": 67409,
            "prev_seq": None,
            "is_snapshot": True,
            "unit": "base",
        }
    ]


@pytest.mark.parametrize("level", [("1631500000", "0.-1"), ("1631500000", ""), ("x", "1"), ("1_000", "1")])
def test_malformed_level_is_left_out(level: tuple[str, str]) -> None:
    payload = ladder([level, ("1631000000", "2")], [])
    assert Socket().send(push(f"{BOOKS}btcidr", payload, 1))[0]["bids"] == [["1631000000", "2"]]
    with pytest.raises(FrameError, match="bid"):
        Socket().send(push(f"{BOOKS}btcidr", ladder([level], []), 1))


def test_message_that_cannot_be_read_leaves_the_streams_where_they_stood() -> None:
    socket = Socket()
    socket.send(trade(5))
    with pytest.raises(FrameError, match="price"):
        socket.send(trade(6), trade(7, TRADE_ROW.replace("1632000000", '"x"')))
    assert [event["kind"] for event in socket.send(trade(6))] == ["trade"], "6 was not read yet"


def test_epoch_of_a_book_that_began_again_has_ids_of_its_own() -> None:
    books = [push(f"{BOOKS}btcidr", ladder([(price, "1")], []), 7) for price in ("1", "2")]
    first, second = (Socket().send(book)[0]["id"] for book in books)
    assert first != second


def test_book_of_a_renamed_coin_has_its_old_key() -> None:
    row = '{"str_volume":"5","idr_volume":"9","price":"4000"}'
    event = Socket().send(push(f"{BOOKS}stridr", f'{{"pair":"stridr","ask":[{row}],"bid":[]}}', 1))[0]
    assert (event["symbol"], event["asks"]) == ("XLM/IDR", [["4000", "5"]])


def test_summary_is_a_ticker_a_pair_and_low_comes_before_high() -> None:
    rows = (
        '["btcidr",1795291200,1632000000,1610000000,1650000000,1620000000,"138000000000","85.13"]',
        '["usdtidr",1795291201,16400,16300,16500,16350,"99.5","0.006"]',
    )
    first, second = Socket().send(push(SUMMARY, f"[{','.join(rows)}]", 9))
    assert first["id"].startswith(f"indodax.BTC.IDR.spot.ticker.{TS}-9-")
    assert first["ts_event"] == TS_NS
    figures = ("last", "low_24h", "high_24h", "open_24h", "quote_volume_24h", "volume_24h", "bid", "change_24h")
    assert [first[name] for name in figures] == [
        *("1632000000", "1610000000", "1650000000", "1620000000", "138000000000", "85.13"),
        *(None, None),
    ]
    assert second["symbol"] == "USDT/IDR"


def test_summary_of_pairs_that_other_connections_follow_is_left_out() -> None:
    rows = [f'["{pair}",1795291200,3,1,4,2,"9","3"]' for pair in ("btcidr", "ethidr", "dogeidr")]
    text = push(SUMMARY, f"[{','.join(rows)}]", 9)
    socket = Socket()
    socket.send(answer(f"{TRADES}ethidr", 7), answer(f"{BOOKS}dogeidr", 7))
    assert [event["symbol"] for event in socket.send(text)] == ["ETH/IDR", "DOGE/IDR"]
    assert len(Socket().send(text)) == 3


# ---- positions in the streams
def test_repeated_publication_of_trades_is_left_out() -> None:
    socket = Socket()
    assert [len(socket.send(trade(offset))) for offset in (7, 7, 8)] == [1, 0, 1]


def test_lost_trades_are_reported_before_the_next_one() -> None:
    socket = Socket()
    socket.send(trade(7))
    gap, event = socket.send(trade(10))
    assert gap == Gap(TRADE, BTC, "publications 8 to 9 were not received")
    assert event["kind"] == "trade"


def test_lost_first_publication_after_the_confirmation_is_reported() -> None:
    socket = Socket()
    assert socket.send(answer(f"{TRADES}btcidr", 7)) == [Ack(str(request_id(f"{TRADES}btcidr")))]
    assert [event["kind"] if isinstance(event, dict) else event.reason for event in socket.send(trade(9))] == [
        "publications 8 to 8 were not received",
        "trade",
    ]


def test_stream_that_begins_anew_is_reported_and_read_on() -> None:
    socket = Socket()
    socket.send(trade(7))
    gap, event = socket.send(trade(1))
    assert (gap.reason, event["kind"]) == ("the stream began again at 1 after 7", "trade")
    assert len(socket.send(trade(2))) == 1


def test_lost_book_is_no_gap_since_each_push_is_whole() -> None:
    socket = Socket()
    found = [socket.send(push(f"{BOOKS}btcidr", ladder([("1", "1")], []), offset)) for offset in (5, 9, 2)]
    assert [[event["seq"] for event in events] for events in found] == [[5], [9], [2]]


def reconnected(old: Socket) -> tuple[Socket, dict[str, dict[str, Any]]]:
    """A new connection's decoder, and what it asks for by channel."""
    assert VENUE.resume is not None
    assert VENUE.inherit is not None
    fresh = Socket()
    plan = VENUE.resume(MAKE, old.decoder)
    VENUE.inherit(fresh.decoder, old.decoder)
    asked = [json.loads(request.frame)["params"] for request in plan.requests[1:]]
    return fresh, {params.pop("channel"): params for params in asked}


def test_new_connection_asks_for_what_came_since_the_last_one() -> None:
    socket = Socket()
    socket.send(answer(f"{TRADES}btcidr", 7), answer(f"{BOOKS}btcidr", 90), answer(SUMMARY, 3), trade(8))
    _, asked = reconnected(socket)
    assert asked == {
        f"{TRADES}btcidr": {"recover": True, "offset": 8, "epoch": "E1"},
        f"{BOOKS}btcidr": {"recover": True, "offset": 89, "epoch": "E1"},  # one less: the last book itself
        SUMMARY: {},
    }


def test_first_connection_asks_for_nothing_past() -> None:
    _, asked = reconnected(Socket())
    assert set(asked) == {f"{TRADES}btcidr", f"{BOOKS}btcidr", SUMMARY}
    assert not any(asked.values())


def test_position_survives_a_connection_that_ended_early() -> None:
    socket = Socket()
    socket.send(answer(f"{TRADES}btcidr", 7))
    middle, _ = reconnected(socket)
    _, asked = reconnected(middle)
    assert asked[f"{TRADES}btcidr"]["offset"] == 7


def test_recovered_trades_are_read_once_and_in_order() -> None:
    old = Socket()
    old.send(answer(f"{TRADES}btcidr", 7), trade(8))
    fresh, _ = reconnected(old)
    rows = [TRADE_ROW.replace("21999427", str(number)) for number in (508, 509, 510)]
    missed = [publication(f"[{row}]", offset) for offset, row in zip((8, 9, 10), rows, strict=True)]
    found = fresh.send(answer(f"{TRADES}btcidr", 10, *missed, recovered=True))
    assert [event["trade_id"] for event in found[1:]] == ["509", "510"]
    assert [event["kind"] for event in fresh.send(trade(11))] == ["trade"]


def test_trades_that_could_not_be_recovered_are_reported() -> None:
    old = Socket()
    old.send(answer(f"{TRADES}btcidr", 7), trade(8))
    fresh, _ = reconnected(old)
    _, gap = fresh.send(answer(f"{TRADES}btcidr", 600))
    assert gap == Gap(TRADE, BTC, "publications 9 to 600 were not recovered")


def test_nothing_was_missed_where_the_offset_is_the_same() -> None:
    old = Socket()
    old.send(answer(f"{TRADES}btcidr", 7))
    fresh, _ = reconnected(old)
    assert len(fresh.send(answer(f"{TRADES}btcidr", 7))) == 1


def test_another_epoch_is_a_gap_even_where_the_offset_is_the_same() -> None:
    old = Socket()
    old.send(answer(f"{TRADES}btcidr", 7))
    fresh, _ = reconnected(old)
    _, gap = fresh.send(answer(f"{TRADES}btcidr", 7, epoch="E2"))
    assert gap == Gap(TRADE, None, "the stream began again: what came after 7 is not known")


def test_another_epoch_is_no_gap_of_a_book() -> None:
    old = Socket()
    old.send(answer(f"{BOOKS}btcidr", 7))
    fresh, _ = reconnected(old)
    assert len(fresh.send(answer(f"{BOOKS}btcidr", 9, epoch="E2"))) == 1


def test_of_recovered_books_only_the_last_counts() -> None:
    counter = count(1)
    missed = [publication(ladder([(str(1000 + next(counter)), "1")], []), offset) for offset in (4, 5, 6)]
    found = Socket().send(answer(f"{BOOKS}btcidr", 6, *missed, recovered=True))
    assert [(event["seq"], event["bids"]) for event in found[1:]] == [(6, [["1003", "1"]])]


def test_recovered_ticks_of_the_chart_are_not_carried() -> None:
    missed = publication('[[1795291200,4673347,14130,"17.75"]]', 4)
    text = '{"id":2,"result":{"recoverable":true,"epoch":"1","publications":[' + missed + '],"offset":4}}'
    assert Socket().send(text) == [Ack("2")]
    assert Socket().send(push("chart:tick-btcidr", '[[1795291200,1,1632000000,"0.1"]]', 4)) == []


# ---- answers
def test_answers_confirm_and_refuse_by_number() -> None:
    connected = '{"id":1,"result":{"client":"9690f773","version":"2.8.6","expires":true,"ttl":311392452}}'
    assert Socket().send(connected, '{"id":3,"result":{}}', '{"id":4}') == [Ack("1"), Ack("3"), Pong()]
    assert Socket().send('{"id":8,"error":{"code":102,"message":"unknown channel"}}') == [
        Refused("8", "102 unknown channel")
    ]
    assert Socket().send('{"id":11,"error":{"code":105,"message":"already subscribed"}}') == [Ack("11")]


def test_refused_connect_command_ends_the_connection() -> None:
    found = Socket().send('{"id":1,"error":{"code":109,"message":"token expired"}}')
    assert found == [Closing("the venue refuses to connect: 109 token expired", 0.0)]


def test_subscription_that_the_venue_ends_ends_the_connection() -> None:
    channel = f"{TRADES}btcidr"
    found = Socket().send(f'{{"result":{{"type":3,"channel":"{channel}","data":{{}}}}}}')
    assert found == [Closing(f"the venue ended the subscription to {channel}", 0.0)]
    assert Socket().send(f'{{"result":{{"type":1,"channel":"{channel}","data":{{}}}}}}') == []


@pytest.mark.parametrize(
    ("message", "named"),
    [
        (push("market:novel", "[]", 1), "market:novel"),
        ('{"result":{"type":9,"channel":"x","data":{}}}', "type 9"),
        ('{"tea":1}', "result"),
        (trade(1, TRADE_ROW.replace('"buy"', '"none"')), "none"),
        (trade(1, TRADE_ROW.replace("1632000000", '"9,1"')), "price"),
        (trade(1, '["btcidr",1795291200]'), "array"),
        (push(f"{BOOKS}ethidr", ladder([("1", "1")], []), 1), "eth_volume"),
        ("{nonsense", "malformed"),
    ],
)
def test_what_is_wrong_is_named(message: str, named: str) -> None:
    with pytest.raises((FrameError, msgspec.DecodeError), match=named):
        Socket().send(message)


# ---- plan and names
def test_connect_command_comes_first_and_is_waited_for() -> None:
    gate, *others = MAKE.requests
    assert json.loads(gate.frame) == {"params": {"token": PUBLIC_TOKEN}, "id": 1}
    assert (gate.ref, gate.gate, gate.keys) == ("1", True, frozenset())
    assert not any(request.gate for request in others)
    assert MAKE.url == "wss://ws3.indodax.com/ws/"
    trades = next(json.loads(request.frame) for request in others if f"{TRADES}btcidr" in request.keys)
    assert trades == {"method": 1, "params": {"channel": f"{TRADES}btcidr"}, "id": request_id(f"{TRADES}btcidr")}
    assert all(request.ref == str(json.loads(request.frame)["id"]) for request in others)


def test_public_token_names_nobody() -> None:
    payload = PUBLIC_TOKEN.split(".")[1]
    assert json.loads(base64.urlsafe_b64decode(payload + "==")) == {"exp": 1946618415}


def test_each_socket_has_the_summary_of_all_pairs() -> None:
    pairs = [VENUE.guess("spot", f"c{number}idr") for number in range(130)]
    plans = VENUE.plan("ws://sim/indodax", pairs, CHANNELS)
    assert [len(plan.subscriptions) for plan in plans] == [121, 121, 21]
    assert [(plan.subscriptions[-1].key, plan.subscriptions[-1].instrument) for plan in plans] == [(SUMMARY, None)] * 3
    assert {plan.url for plan in plans} == {"ws://sim/indodax/ws/"}
    assert all(plan.requests[0].gate for plan in plans)
    numbers = [request.ref for plan in plans for request in plan.requests[1:-1]]
    assert len(set(numbers)) == len(numbers)
    assert all(2**31 <= int(number) < 2**32 for number in numbers)


def test_channels_without_liquidations() -> None:
    assert VENUE.plan(VENUE.ws_url, [BTC], (LIQUIDATION,)) == ()
    (only,) = VENUE.plan(VENUE.ws_url, [BTC], (BOOK,))
    assert [item.key for item in only.subscriptions] == [f"{BOOKS}btcidr"]


def test_fresh_book_is_asked_for_by_a_new_subscription() -> None:
    assert VENUE.resubscribe is not None
    item = next(item for item in MAKE.subscriptions if item.channel == BOOK)
    methods = [json.loads(frame)["method"] for frame in VENUE.resubscribe(item)]
    assert methods == [2, 1]


@pytest.mark.parametrize(
    ("pair", "symbol"),
    [
        ("btcidr", "BTC/IDR"),
        ("btcusdt", "BTC/USDT"),
        ("usdtidr", "USDT/IDR"),
        ("drkidr", "DASH/IDR"),
        ("ltcbtc", "LTC/BTC"),
    ],
)
def test_pairs_are_named_without_metadata(pair: str, symbol: str) -> None:
    assert VENUE.guess("spot", pair).symbol == symbol


def test_pair_of_no_known_quote_is_refused() -> None:
    with pytest.raises(SymbolSyntaxError, match="idr"):
        VENUE.guess("spot", "idr")


@pytest.mark.parametrize("name", ["BTCIDR", "btc_idr", "btcidr-x", "-idr", "btcxyz", "b cidr"])
def test_name_that_follows_no_rule_of_the_venue_is_refused_by_that_name(name: str) -> None:
    with pytest.raises(SymbolSyntaxError, match=name):
        VENUE.guess("spot", name)


# ---- REST
def test_base_currency_is_the_quote() -> None:
    rows = [
        {"id": "btcidr", "base_currency": "idr", "traded_currency": "btc", "is_maintenance": 0},
        {"id": "stridr", "base_currency": "idr", "traded_currency": "str"},
        {"id": "ethusdt", "base_currency": "usdt", "traded_currency": "eth", "is_maintenance": 0},
        {"id": "oldidr", "base_currency": "idr", "traded_currency": "old", "is_maintenance": 1},
    ]
    found, more = VENUE.rest.decode_instruments("spot", json.dumps(rows).encode())
    assert [item.symbol for item in named(found)] == ["BTC/IDR", "XLM/IDR", "ETH/USDT"]
    assert more is None


def test_depth_has_prices_as_numbers_and_amounts_as_text() -> None:
    body = b'{"buy":[[1631500000,"0.0512"],[1631000000,"0.0"]],"sell":[[1632000000.50,"0.1103"]]}'
    event = VENUE.rest.decode_depth(body, BTC, RECEIVED, sim=True)
    assert event.bids == [("1631500000", "0.0512"), ("1631000000", "0")]
    assert event.asks == [("1632000000.50", "0.1103")]
    assert (event.seq, event.ts_event, event.quality) == (None, None, "sim")
    assert VENUE.rest.depth_call(BTC).path == "/api/depth/btcidr"


@pytest.mark.parametrize(
    ("status", "headers", "body", "said"),
    [
        (
            200,
            {},
            b'{"error":"invalid_pair","error_description":"Invalid Pair"}',
            ("Invalid Pair", "invalid_pair", None),
        ),
        (429, {}, b'{"error":"too_many_requests"}', ("too_many_requests", "too_many_requests", 60.0)),
        (403, {"retry-after": "5"}, b"<html>", ("HTTP 403", "403", 5.0)),
        (503, {}, b"<html>", ("HTTP 503", "503", None)),
    ],
)
def test_failures_are_reported(status: int, headers: dict[str, str], body: bytes, said: tuple[Any, ...]) -> None:
    failure = VENUE.rest.failure(status, headers, body)
    assert failure is not None
    assert (failure.reason, failure.code, failure.retry_after) == said


@pytest.mark.parametrize("body", [b"[]", b'{"buy":[],"sell":[]}'])
def test_data_is_no_failure(body: bytes) -> None:
    assert VENUE.rest.failure(200, {}, body) is None
