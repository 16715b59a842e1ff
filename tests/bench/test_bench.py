"""The bench's own parts on a handful of frames: no peers, no timing."""

from __future__ import annotations

from pathlib import Path

from tests.bench import peering, sections
from tests.bench.recordings import Job
from tests.bench.table import Row

TRADE = (
    '{"stream":"btcusdt@aggTrade","data":{"e":"aggTrade","E":1763700000123,"s":"BTCUSDT","a":7,"p":"91000.10",'
    '"q":"0.0031","f":55,"l":55,"T":1763700000122,"m":true,"M":true}}'
)
WHOLE = '{"lastUpdateId":10,"bids":[["90999.90","1.0"]],"asks":[["91000.00","2.0"]]}'
DELTA = (
    '{"stream":"btcusdt@depth@100ms","data":{"e":"depthUpdate","E":1763700000123,"s":"BTCUSDT","U":11,"u":12,'
    '"b":[["90999.90","0.00000000"]],"a":[["91000.00","1.50000000"]]}}'
)


def _job(channel: str, frame: str, rest: dict[str, str]) -> Job:
    symbols = [["BTCUSDT", "BTC", "USDT"]]
    return Job(id=channel, venue="binance", market="spot", channel=channel, label="binance", frames=[frame], rest=rest,
               symbols=symbols)  # fmt: skip


async def test_decode_section_measures_trades_and_a_kept_book_without_peers(tmp_path: Path):
    (tmp_path / "jobs").mkdir()
    jobs = [_job("trade", TRADE, {}), _job("book", DELTA, {"BTCUSDT": WHOLE})]
    for job in jobs:
        job.save(tmp_path / "jobs")
    setting = sections.Setting(tmp_path, "", peering.Peers(None, (), ""), jobs, [], repeats=1)
    section = await sections.decode(setting, part=1)
    assert [row.name for row in section.rows] == ["binance: trade", "binance: book"]
    assert all(row.note == "" and row.middle("ours") > 0 for row in section.rows)


async def test_book_that_loses_its_continuity_is_no_figure(tmp_path: Path):
    (tmp_path / "jobs").mkdir()
    job = _job("book", DELTA.replace('"U":11,"u":12', '"U":20,"u":21'), {"BTCUSDT": WHOLE})
    job.save(tmp_path / "jobs")
    setting = sections.Setting(tmp_path, "", peering.Peers(None, (), ""), [job], [], repeats=1)
    row = (await sections.decode(setting)).rows[0]
    assert "lost their continuity" in row.note
    assert "ours" not in row.figures


def test_gain_is_met_from_its_target_on_and_a_limit_up_to_it():
    gain = Row("trades", {"ours": [2.0, 2.0], "cryptofeed": [8.0, 8.0]}, {"cryptofeed": 4.0})
    limit = Row("p99", {"ours": [3.0], "bare": [1.0]}, {"bare": 2.0}, at_most=True)
    assert gain.met("cryptofeed") is True
    assert limit.met("bare") is False
    assert limit.ratio("bare") == 3.0
