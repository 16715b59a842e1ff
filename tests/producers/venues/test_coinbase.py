"""Coinbase: frames as the vendor's pages describe them, with invented values, and the events they become."""

from __future__ import annotations

import json
import random
from typing import Any
from zlib import crc32

import msgspec
import pytest

from contracts.codec import EVENTS, encode
from contracts.errors import FrameError
from producers.normalize import tables
from producers.normalize.events import Makers
from producers.venue import Ack, Closing, LastTrade, Pong, Refused
from producers.venues.coinbase import VENUE, wire_advanced
from tests.producers.test_mutated_frames import mutated
from tests.producers.test_tables import said, without_tables

BTC = VENUE.guess("spot", "BTC-USD")
TIME = "2026-11-21T20:00:00.122581Z"
TIME_NS = 1_795_291_200_122_581_000
RECEIVED = 1_795_291_200_200_000_000
MATCH = {
    "type": "match",
    "trade_id": 463,
    "sequence": 5097,
    "maker_order_id": "m",
    "taker_order_id": "t",
    "time": TIME,
    "product_id": "BTC-USD",
    "size": "0.05000000",
    "price": "91000.16",
    "side": "sell",
}
TICKER = {
    "type": "ticker",
    "sequence": 5097,
    "product_id": "BTC-USD",
    "price": "91000.16",
    "open_24h": "90000.00",
    "volume_24h": "4242.5",
    "low_24h": "89000",
    "high_24h": "91500",
    "volume_30d": "120000.1",
    "best_bid": "91000.15",
    "best_bid_size": "0.61",
    "best_ask": "91000.16",
    "best_ask_size": "0.20",
    "side": "buy",
    "time": TIME,
    "trade_id": 463,
    "last_size": "0.05",
}
ENVELOPE = {"client_id": "", "timestamp": "2026-11-21T20:00:00.122581123Z", "sequence_num": 7}


def decode(*frames: object, sim: bool = False) -> list[Any]:
    """Decode frames on one connection; every event must pass its model."""
    decoder = VENUE.decoder("spot", lambda text: VENUE.guess("spot", text), makers=Makers(sim=sim))
    found: list[Any] = []
    for frame in frames:
        raw = frame if isinstance(frame, bytes) else json.dumps(frame, separators=(",", ":")).encode()
        found += decoder.decode(raw, RECEIVED)
    for item in found:
        if item.kind in EVENTS:
            EVENTS[item.kind].model_validate_json(encode(item))
    return found


def fields(event: Any) -> dict[str, Any]:
    return json.loads(encode(event))


def common(kind: str, native: str) -> dict[str, Any]:
    return {
        "id": f"coinbase.BTC.USD.spot.{kind}.{native}",
        "venue": "coinbase",
        "symbol": "BTC/USD",
        "venue_symbol": "BTC-USD",
        "ts_event": TIME_NS,
        "ts_recv": RECEIVED,
        "sim": False,
    }


# ---- trades
def test_match_of_a_resting_sell_order_is_an_aggressors_buy() -> None:
    (trade,) = decode(MATCH)
    assert fields(trade) == common("trade", "463") | {
        "trade_id": "463",
        "price": "91000.16",
        "amount": "0.05000000",
        "contracts": None,
        "side": "buy",
        "seq": 5097,
    }


def test_match_of_a_resting_buy_order_is_an_aggressors_sell() -> None:
    assert decode(MATCH | {"side": "buy"})[0].side == "sell"


def test_last_match_is_the_same_trade_as_its_match() -> None:
    first, again = decode(MATCH | {"type": "last_match"}, MATCH)
    assert fields(first) == fields(again)


def test_frames_with_spaces_are_decoded_alike() -> None:
    assert [fields(item) for item in decode(json.dumps(MATCH).encode())] == [fields(item) for item in decode(MATCH)]


def test_events_of_a_simulated_exchange_are_marked() -> None:
    assert all(item.sim for item in decode(MATCH, TICKER, sim=True))


@pytest.mark.parametrize("field", ["trade_id", "sequence", "time", "product_id", "size", "price", "side"])
def test_match_without_a_required_field_is_an_error_that_names_it(field: str) -> None:
    with pytest.raises(msgspec.ValidationError, match=field):
        decode({key: value for key, value in MATCH.items() if key != field})


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("price", "1_000"),
        ("price", "0.00"),
        ("price", "-1"),
        ("size", "NaN"),
        ("size", ""),
        ("time", "yesterday"),
        ("time", TIME[:-1]),
    ],
)
def test_malformed_value_of_a_match_is_an_error_that_names_it(field: str, value: str) -> None:
    with pytest.raises(FrameError, match=field):
        decode(MATCH | {field: value})


@pytest.mark.parametrize(
    ("text", "nanoseconds"),
    [
        ("2026-11-21T20:00:00Z", 1_795_291_200_000_000_000),
        ("2026-11-21T20:00:00.5Z", 1_795_291_200_500_000_000),
        ("2026-11-21T20:00:00.000001Z", 1_795_291_200_000_001_000),
        ("2026-11-21T20:00:00.123456789Z", 1_795_291_200_123_456_789),
    ],
)
def test_times_keep_every_digit(text: str, nanoseconds: int) -> None:
    assert decode(MATCH | {"time": text})[0].ts_event == nanoseconds


# ---- ticker
def test_ticker_gives_last_best_and_day_figures() -> None:
    (ticker,) = decode(TICKER)
    assert fields(ticker) == common("ticker", "5097-53926b8e") | {
        "last": "91000.16",
        "bid": "91000.15",
        "bid_amount": "0.61",
        "ask": "91000.16",
        "ask_amount": "0.20",
        "open_24h": "90000.00",
        "high_24h": "91500",
        "low_24h": "89000",
        "volume_24h": "4242.5",
        "quote_volume_24h": None,
        "change_24h": None,
        "seq": 5097,
    }


def test_ticker_of_the_old_kind_has_no_amounts_and_no_time() -> None:
    old = {key: value for key, value in TICKER.items() if key not in {"best_bid_size", "best_ask_size", "time"}}
    (ticker,) = decode(old)
    assert (ticker.bid, ticker.bid_amount, ticker.ask_amount, ticker.ts_event) == ("91000.15", None, None, None)


# ---- books
def snapshot(**changed: object) -> dict[str, object]:
    rows: dict[str, object] = {
        "type": "snapshot",
        "product_id": "BTC-USD",
        "bids": [["90999.90", "1.2"], ["90999.80", "0.00000000"]],
        "asks": [["91000.10", "0.8"]],
        "time": TIME,
    }
    return rows | changed


def update(*changes: list[str], time: str = TIME) -> dict[str, object]:
    return {"type": "l2update", "product_id": "BTC-USD", "time": time, "changes": list(changes)}


def test_snapshot_is_a_delta_that_replaces_the_book() -> None:
    (delta,) = decode(snapshot())
    found = fields(delta)
    assert found.pop("id").startswith(f"coinbase.BTC.USD.spot.delta.{TIME_NS}-")
    expected = common("delta", "")
    del expected["id"]
    assert found == expected | {
        "bids": [["90999.90", "1.2"], ["90999.80", "0"]],
        "asks": [["91000.10", "0.8"]],
        "seq": None,
        "prev_seq": None,
        "is_snapshot": True,
        "unit": "base",
    }


def test_malformed_amount_in_a_snapshot_drops_that_level_only() -> None:
    (delta,) = decode(snapshot(bids=[["40533.24", "0.02"], ["40531.19", "0.-10000"], ["40530.00", "-1"]]))
    assert delta.bids == [("40533.24", "0.02")]


def test_snapshot_of_the_old_kind_has_no_time() -> None:
    rows = snapshot()
    del rows["time"]
    (delta,) = decode(rows)
    assert delta.ts_event is None


def test_l2update_gives_absolute_amounts_by_side_without_a_sequence() -> None:
    changes = (["buy", "90999.90", "0.00000000"], ["sell", "91000.10", "0.45"], ["buy", "90999.5", "0.0"])
    (delta,) = decode(update(*changes))
    assert delta.bids == [("90999.90", "0"), ("90999.5", "0")]
    assert delta.asks == [("91000.10", "0.45")]
    assert (delta.seq, delta.prev_seq, delta.is_snapshot, delta.ts_event) == (None, None, False, TIME_NS)


@pytest.mark.parametrize("change", [["buy", "90999.90", "0.-10000"], ["offer", "90999.90", "1"], ["buy", "x", "1"]])
def test_update_that_cannot_be_read_is_a_gap_of_its_book(change: list[str]) -> None:
    unreadable, gap = decode(update(["buy", "90999.80", "1"], change))
    assert (unreadable.kind, gap.channel, gap.instrument) == ("unreadable", "book", BTC)
    assert "changes" in str(unreadable.error)
    assert str(unreadable.error) in gap.reason
    assert decode(update(change) | {"product_id": None})[1].instrument is None


def test_book_id_follows_the_frame_alone() -> None:
    one, two = update(["buy", "90999.90", "1"]), update(["buy", "90999.90", "2"])
    first, second, again = decode(one, two, one)
    assert first.id == again.id == decode(one)[0].id
    assert first.id != second.id


@pytest.mark.parametrize("nothing", ["0001-01-01T00:00:00Z", "0001-01-01T00:00:00.000000Z"])
def test_absent_time_of_an_update_is_the_time_before_it(nothing: str) -> None:
    later = update(["buy", "90999.90", "2"], time=nothing)
    assert decode(later)[0].ts_event is None
    assert decode(snapshot(), later)[1].ts_event == TIME_NS


def test_update_of_the_old_kind_has_no_time() -> None:
    old = {name: value for name, value in update(["buy", "90999.90", "2"]).items() if name != "time"}
    assert (decode(old)[0].ts_event, decode(old)[0].bids) == (None, [("90999.90", "2")])


# ---- controls
def test_new_types_of_messages_are_ignored() -> None:
    assert decode({"type": "surprise", "message": "of no product"}) == []


def test_heartbeat_without_a_trade_says_only_that_the_socket_lives() -> None:
    frame = {"type": "heartbeat", "sequence": 90, "last_trade_id": 0, "product_id": "BTC-USD", "time": TIME}
    assert decode(frame, frame | {"last_trade_id": None}) == [Pong(), Pong()]


def test_heartbeat_tells_the_newest_trade() -> None:
    frame = {"type": "heartbeat", "sequence": 90, "last_trade_id": 20, "product_id": "BTC-USD", "time": TIME}
    assert decode(frame) == [LastTrade(instrument=BTC, trade_id="20")]


@pytest.mark.parametrize("name", ["level2", "level2_50", "level2_batch"])
def test_subscription_list_acknowledges_what_the_plan_asked_for(name: str) -> None:
    frame = {
        "type": "subscriptions",
        "channels": [
            {"name": "matches", "product_ids": ["BTC-USD", "ETH-USD"]},
            {"name": name, "product_ids": ["BTC-USD"], "account_ids": None},
        ],
    }
    assert decode(frame) == [Ack("matches:BTC-USD"), Ack("matches:ETH-USD"), Ack("level2_batch:BTC-USD")]


def test_error_refuses_the_product_it_names() -> None:
    frame = {"type": "error", "message": "Failed to subscribe", "reason": "FOO-USD is not a valid product"}
    reason = "Failed to subscribe: FOO-USD is not a valid product"
    assert decode(frame) == [
        Refused("matches:FOO-USD", reason),
        Refused("ticker:FOO-USD", reason),
        Refused("level2_batch:FOO-USD", reason),
    ]


def test_error_about_no_product_refuses_nothing_in_particular() -> None:
    frame = {"type": "error", "message": "level2, level3, and full channels now require authentication."}
    assert decode(frame) == [Refused(None, frame["message"])]


def test_error_of_a_slow_reader_announces_the_end() -> None:
    assert decode({"type": "error", "message": "ErrSlowConsume"}) == [Closing("ErrSlowConsume", 0.0)]


@pytest.mark.parametrize("name", ["received", "open", "done", "change", "activate", "status"])
def test_channels_that_are_not_carried_give_nothing(name: str) -> None:
    assert decode({"type": name, "product_id": "BTC-USD"}) == []


@pytest.mark.parametrize(
    ("frame", "named"),
    [
        ({"type": "surprise", "product_id": "BTC-USD"}, "surprise"),
        ({"channel": "surprise", "events": []}, "surprise"),
        ({"a": 1}, "type"),
    ],
)
def test_unknown_frame_is_an_error_that_names_it(frame: dict[str, object], named: str) -> None:
    with pytest.raises(FrameError, match=named):
        decode(frame)


@pytest.mark.parametrize("raw", [b"", b"{", b"[]", b'{"type":"match"', b'{"type":5}'])
def test_broken_json_is_an_error(raw: bytes) -> None:
    with pytest.raises(msgspec.DecodeError):
        decode(raw)


# ---- Advanced Trade
def test_advanced_trades_are_inverted_too() -> None:
    row = {
        "trade_id": "11",
        "product_id": "BTC-USD",
        "price": "91000.16",
        "size": "0.004",
        "side": "SELL",
        "time": TIME,
    }
    events = [{"type": "update", "trades": [row, row | {"trade_id": "12", "side": "BUY"}]}]
    first, second = decode({"channel": "market_trades", **ENVELOPE, "events": events})
    assert fields(first) == common("trade", "11") | {
        "trade_id": "11",
        "price": "91000.16",
        "amount": "0.004",
        "contracts": None,
        "side": "buy",
        "seq": None,
    }
    assert (second.side, second.trade_id) == ("sell", "12")


def test_advanced_trades_come_in_the_order_of_their_numbers() -> None:
    row = {"product_id": "BTC-USD", "price": "91000.16", "size": "0.004", "side": "SELL", "time": TIME}
    events = [{"type": "snapshot", "trades": [row | {"trade_id": number} for number in ("101", "100", "99")]}]
    found = decode({"channel": "market_trades", **ENVELOPE, "events": events})
    assert [trade.trade_id for trade in found] == ["99", "100", "101"]


def test_advanced_level2_has_bids_and_offers() -> None:
    row = {"event_time": TIME, "price_level": "91000.1", "new_quantity": "0.5"}
    bid, offer = row | {"side": "bid", "new_quantity": "0.00000000"}, row | {"side": "offer"}
    events = [
        {"type": "snapshot", "product_id": "BTC-USD", "updates": [bid, offer]},
        {"type": "update", "product_id": "ETH-USD", "updates": [offer]},
    ]
    first, second = decode({"channel": "l2_data", **ENVELOPE, "events": events})
    assert (first.bids, first.asks, first.is_snapshot) == ([("91000.1", "0")], [("91000.1", "0.5")], True)
    assert (second.symbol, second.bids, second.is_snapshot) == ("ETH/USD", [], False)
    assert first.ts_event == TIME_NS + 123
    assert first.seq is None


def test_advanced_ticker_gives_the_change_in_percent() -> None:
    row = {"product_id": "BTC-USD", "price": "91000.5", "price_percent_chg_24_h": "-5E-05", "volume_24_h": "15.1"}
    batch = {"channel": "ticker_batch", **ENVELOPE, "events": [{"type": "snapshot", "tickers": [row, row]}]}
    first, second = decode(batch)
    assert (first.last, first.change_24h, first.volume_24h, first.bid) == ("91000.5", "-0.00005", "15.1", None)
    assert first.id != second.id


def test_advanced_candle_covers_five_minutes() -> None:
    row = {"start": "1795291200", "high": "9", "low": "7", "open": "8", "close": "8.5", "volume": "4.2"}
    events = [{"type": "update", "candles": [row | {"product_id": "BTC-USD"}]}]
    (candle,) = decode({"channel": "candles", **ENVELOPE, "events": events})
    assert (candle.timeframe, candle.start_ts, candle.closed) == ("5m", 1_795_291_200_000_000_000, False)
    assert (candle.open, candle.high, candle.low, candle.close, candle.volume) == ("8", "9", "7", "8.5", "4.2")


def test_advanced_controls() -> None:
    beat = {"channel": "heartbeats", **ENVELOPE, "events": [{"current_time": TIME, "heartbeat_counter": 3}]}
    listed = {"channel": "subscriptions", **ENVELOPE, "events": [{"subscriptions": {"level2": ["BTC-USD"]}}]}
    assert decode(beat, listed) == [Pong(), Ack("level2:BTC-USD")]


ADVANCED_TRADE = {"trade_id": "11", "product_id": "BTC-USD", "price": "91000.16", "size": "0.004", "side": "SELL",
                  "time": TIME}  # fmt: skip
ADVANCED_TICKER = {"product_id": "BTC-USD", "price": "91000.5", "best_bid": "91000.15", "best_bid_quantity": "0.61",
                   "best_ask": "91000.16", "best_ask_quantity": "0.20", "high_24_h": "91500", "low_24_h": "89000",
                   "volume_24_h": "4242.5", "price_percent_chg_24_h": "-0.5"}  # fmt: skip


def advanced(channel: str, **rows: Any) -> bytes:
    frame = {"channel": channel, **ENVELOPE, "events": [{"type": "update", **rows}]}
    return json.dumps(frame, separators=(",", ":")).encode()


def written_decoder() -> Any:
    """Return a decoder of which both products were met."""
    decoder = VENUE.decoder("spot", lambda text: VENUE.guess("spot", text), makers=Makers(sim=False, written=True))
    for product in ("BTC-USD", "ETH-USD"):
        decoder.decode(advanced("market_trades", trades=[ADVANCED_TRADE | {"product_id": product}]), RECEIVED)
    return decoder


@pytest.mark.skipif(not tables.is_compiled(), reason="not built here")
def test_plain_advanced_frames_are_read_by_tables(monkeypatch: pytest.MonkeyPatch) -> None:
    decoder = written_decoder()
    for name in ("decode_trades", "decode_tickers"):
        monkeypatch.delattr(wire_advanced, name)
    (trade,) = decoder.decode(advanced("market_trades", trades=[ADVANCED_TRADE]), RECEIVED)
    frame = advanced("ticker", tickers=[ADVANCED_TICKER])
    (ticker,) = decoder.decode(frame, RECEIVED)
    assert (trade.event.side, trade.event.trade_id, trade.event.ts_event) == ("buy", "11", TIME_NS)
    assert ticker.event.id.endswith(f".ticker.{TIME_NS + 123}-{crc32(frame):08x}")
    assert (ticker.event.bid_amount, ticker.event.change_24h) == ("0.61", "-0.5")
    with pytest.raises(AttributeError):
        decoder.decode(advanced("market_trades", trades=[ADVANCED_TRADE] * 2), RECEIVED)


@pytest.mark.skipif(not tables.is_compiled(), reason="not built here")
def test_advanced_frames_give_the_same_by_tables_and_without(monkeypatch: pytest.MonkeyPatch) -> None:
    with without_tables(monkeypatch):
        own = written_decoder()
    by_tables = written_decoder()
    odd_trades: list[dict[str, Any]] = [
        *({"trade_id": number} for number in ("9" * 18, "9" * 19, "007", "-1", "")),
        *({"product_id": product} for product in ("NEW-USD", "ETH-USD")),
        *({field: "0"} for field in ("side", "size", "price")),
    ]
    odd_tickers: list[dict[str, Any]] = [
        *({field: None} for field in ADVANCED_TICKER),
        *({field: odd} for field in ADVANCED_TICKER for odd in ("", "0", "-5E-05", "x")),
    ]
    frames = [
        *(advanced("market_trades", trades=[ADVANCED_TRADE | odd]) for odd in ({}, *odd_trades)),
        *(advanced("ticker", tickers=[ADVANCED_TICKER | odd]) for odd in ({}, *odd_tickers)),
        advanced("market_trades", trades=[ADVANCED_TRADE | {"trade_id": number} for number in ("100", "99")]),
        advanced("market_trades", trades=[]),
        advanced("ticker_batch", tickers=[ADVANCED_TICKER, ADVANCED_TICKER]),
        advanced("tick\\u0065r", tickers=[ADVANCED_TICKER]).replace(b"\\\\", b"\\"),
    ]
    rng = random.Random(5)
    frames += [mutated(rng.choice(frames).decode(), rng) for _ in range(2000)]
    for frame in frames:
        assert said(by_tables.decode, frame, RECEIVED) == said(own.decode, frame, RECEIVED), frame
