"""The decode command: recorded frames in on standard input, events out, line by line."""

from __future__ import annotations

import base64
import gzip
import io
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from producers.recording.decode_command import main

ROOT = Path(__file__).resolve().parents[3]
TRADE = (
    '{"stream":"btcusdt@trade","data":{"e":"trade","E":1763700000123,"s":"BTCUSDT","t":%d,'
    '"p":"91000.10","q":"0.00310000","T":1763700000122,"m":true,"M":true}}'
)
DEPTH = '{"lastUpdateId":160,"bids":[["90999.90","1.20000000"]],"asks":[["91000.00","0.80000000"]]}'


def line(raw: str, **more: Any) -> str:
    return json.dumps({"raw": raw, "recv_ts": None, **more})


def decode(venue: str, *lines: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "producers", "decode", venue]
    return subprocess.run(
        command, input="\n".join(lines) + "\n", capture_output=True, text=True, cwd=ROOT, timeout=30, check=False
    )


def events(done: subprocess.CompletedProcess[str]) -> list[dict[str, Any]]:
    return [json.loads(text) for text in done.stdout.splitlines()]


def test_a_trade_comes_out_with_its_line_its_kind_and_every_field() -> None:
    done = decode("binance", line('{"result":null,"id":1}'), line(TRADE % 5500000001))
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    assert done.stdout == (
        '{"line":1,"kind":"trade","id":"binance.BTC.USDT.spot.trade.5500000001","venue":"binance","symbol":"BTC/USDT",'
        '"venue_symbol":"BTCUSDT","ts_event":1763700000122000000,"ts_recv":0,"sim":false,"trade_id":"5500000001",'
        '"price":"91000.10","amount":"0.00310000","contracts":null,"side":"sell","seq":null}\n'
    )


def test_the_receive_time_is_exact_to_the_nanosecond() -> None:
    recorded = {
        '"recv_ts":1633998512.0633569': 1633998512063356900,
        '"recv_ts":1723161253.9370856,"recv_ts_ns":1723161253937085768': 1723161253937085768,
        '"recv_ts":1763700000.123456789': 1763700000123456789,
        '"recv_ts":"1763700000.123456789"': 1763700000123456789,
        '"recv_ts":1763700000': 1763700000000000000,
        '"recv_ts":null': 0,
        '"venue":"binance"': 0,
    }
    done = decode("binance", *(f'{{"raw":{json.dumps(TRADE % 1)},{text}}}' for text in recorded))
    assert [event["ts_recv"] for event in events(done)] == list(recorded.values())


def test_undecodable_lines_are_reported_and_all_others_still_come_out() -> None:
    nameless = (TRADE % 2).replace('"p":"91000.10",', "")
    done = decode(
        "binance",
        line(TRADE % 1),
        line(nameless),
        "no json",
        "",
        line('{"e":"surprise","s":"BTCUSDT","p":"1"}'),
        line(TRADE % 3),
    )
    assert done.returncode == 1
    assert [(event["line"], event["trade_id"]) for event in events(done)] == [(0, "1"), (5, "3")]
    reasons = done.stderr.splitlines()
    assert [reason.partition(":")[0] for reason in reasons] == ["line 1", "line 2", "line 4"]
    assert "`p`" in reasons[0]
    assert "surprise" in reasons[2]


def test_a_rest_depth_line_comes_out_as_a_book_of_its_symbol_and_is_refused_without_one() -> None:
    done = decode(
        "binance", line(DEPTH, channel="rest_depth", symbol="BTCUSDT"), line(DEPTH, channel="rest_depth", symbol=None)
    )
    (event,) = events(done)
    assert (event["kind"], event["symbol"], event["seq"], event["quality"]) == ("book", "BTC/USDT", 160, "live")
    assert event["bids"] == [["90999.90", "1.20000000"]]
    assert event["asks"] == [["91000.00", "0.80000000"]]
    assert done.returncode == 1
    assert done.stderr.startswith("line 1: ")
    assert "`symbol`" in done.stderr


def test_base64_frames_are_read_whether_packed_or_not() -> None:
    frames = [gzip.compress((TRADE % 7).encode()), (TRADE % 8).encode()]
    done = decode("binance", *(json.dumps({"raw_b64": base64.b64encode(frame).decode()}) for frame in frames))
    assert [event["trade_id"] for event in events(done)] == ["7", "8"]


@pytest.mark.parametrize(
    ("arguments", "reported"),
    [(["nowhere"], "binance, binanceusdm"), (["binanceusdm", "--market", "spot"], "linear")],
    ids=["venue", "market"],
)
def test_an_unknown_venue_or_market_is_refused_with_the_supported_ones(
    arguments: list[str], reported: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(arguments) == 2
    assert reported in capsys.readouterr().err


@pytest.mark.parametrize(
    ("market", "symbol"),
    [("spot", "BTC/USDT"), ("linear", "BTC/USDT:USDT"), ("swap", "BTC/USDT:USDT"), ("inverse", None)],
)
def test_a_market_may_be_called_by_what_is_traded_on_it(
    market: str, symbol: str | None, capfdbinary: pytest.CaptureFixture[bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    row = '{"T":1763700000100,"s":"BTCUSDT","S":"Buy","v":"1","p":"2","i":"3"}'
    frame = f'{{"topic":"publicTrade.BTCUSDT","type":"snapshot","ts":1,"data":[{row}]}}'
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(line(frame).encode())))
    assert main(["bybit", "--market", market]) == 0
    said = json.loads(capfdbinary.readouterr().out)
    assert symbol is None or said["symbol"] == symbol
    for venue in ("okx", "krakenfutures", "binanceusdm"):
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"")))
        assert main([venue, "--market", "linear"]) == 0


def test_a_reader_that_leaves_early_makes_no_noise(tmp_path: Path) -> None:
    recording = tmp_path / "frames.jsonl"
    recording.write_text("".join(line(TRADE % number) + "\n" for number in range(5000)))
    with recording.open() as frames:
        command = [sys.executable, "-m", "producers", "decode", "binance"]
        with subprocess.Popen(
            command, stdin=frames, stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=ROOT
        ) as process:
            assert process.stdout is not None
            assert process.stderr is not None
            assert process.stdout.readline().startswith(b'{"line":0')
            process.stdout.close()
            assert process.stderr.read() == b""
            assert process.wait(timeout=30) == 0
