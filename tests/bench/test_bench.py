"""The bench's own parts on a handful of frames and on sides that fail: no peers, nothing timed."""

from __future__ import annotations

import json
import sys
import textwrap
from pathlib import Path

import pytest

from producers.registry import VENUES
from tests.bench import __main__ as bench
from tests.bench import counting, harness, peering, references, report, repository, sections
from tests.bench.children import Side
from tests.bench.harness import Ask, Plan, Setting
from tests.bench.recordings import Job, as_text
from tests.bench.sides.worker import read_job
from tests.bench.table import Row, Section

TRADE = (
    '{"stream":"btcusdt@aggTrade","data":{"e":"aggTrade","E":1763700000123,"s":"BTCUSDT","a":7,"p":"91000.10",'
    '"q":"0.0031","f":55,"l":55,"T":1763700000122,"m":true,"M":true}}'
)
WHOLE = '{"lastUpdateId":10,"bids":[["90999.90","1.0"]],"asks":[["91000.00","2.0"]]}'
DELTA = (
    '{"stream":"btcusdt@depth@100ms","data":{"e":"depthUpdate","E":1763700000123,"s":"BTCUSDT","U":11,"u":12,'
    '"b":[["90999.90","0.00000000"]],"a":[["91000.00","1.50000000"]]}}'
)
WORKER = """
import json, os, sys, time
for line in sys.stdin:
    request = json.loads(line)
    if request["do"] == "hang":
        time.sleep(600)
    if request["do"] == "crash":
        os._exit(3)
    if request["do"] == "crash_once":
        path = request["mark"]
        if not os.path.exists(path):
            open(path, "w").close()
            os._exit(3)
    if request["do"] == "pid":
        request["value"] = os.getpid()
    answer = {"error": "ValueError: no"} if request["do"] == "refuse" else {"ok": request.get("value", 1.0)}
    print(json.dumps(answer), flush=True)
"""


def _job(channel: str, frame: str, rest: dict[str, str]) -> Job:
    symbols = [["BTCUSDT", "BTC", "USDT"]]
    return Job(id=channel, venue="binance", market="spot", channel=channel, label="binance", frames=[frame], rest=rest,
               symbols=symbols)  # fmt: skip


def _setting(work: Path, *jobs: Job, turns: int = 1) -> Setting:
    (work / "jobs").mkdir()
    for job in jobs:
        job.save(work / "jobs")
    return Setting(work, "", peering.Peers(None, (), ""), list(jobs), [], turns=turns)


@pytest.fixture
def workers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Setting:
    """A setting whose sides are processes that do as they are asked: answer, refuse, crash, hang."""
    script = tmp_path / "worker.py"
    script.write_text(textwrap.dedent(WORKER), encoding="utf-8")

    def side(setting: Setting, name: str) -> Side:
        return Side(name, (sys.executable, str(script)), setting.work)

    monkeypatch.setattr(Setting, "side", side)
    return _setting(tmp_path, turns=5)


async def _run(setting: Setting, *asks: Ask) -> Row:
    plan = Plan("a plan", "units")
    plan.add(Row("a row", {"cryptofeed": 3.0}), list(asks))
    return (await harness.run(plan, setting)).rows[0]


async def test_decode_section_measures_trades_and_a_kept_book_without_peers(tmp_path: Path):
    setting = _setting(tmp_path, _job("trade", TRADE, {}), _job("book", DELTA, {"BTCUSDT": WHOLE}))
    section = await harness.run(sections.decode(setting), setting)
    assert [row.name for row in section.rows] == ["binance: trade", "binance: book"]
    assert all(row.missing() == "" and (row.middle("ours") or 0) > 0 for row in section.rows)


async def test_book_that_loses_its_continuity_is_no_figure(tmp_path: Path):
    setting = _setting(tmp_path, _job("book", DELTA.replace('"U":11,"u":12', '"U":20,"u":21'), {"BTCUSDT": WHOLE}))
    row = (await harness.run(sections.decode(setting), setting)).rows[0]
    assert "lost their continuity" in row.missing()
    assert row.middle("ours") is None


@pytest.mark.parametrize(("fault", "named"), [("crash", "ended with 3"), ("refuse", "ValueError: no")])
async def test_side_that_fails_is_named_and_the_other_has_its_figures(
    workers: Setting, fault: str, named: str, capsys: pytest.CaptureFixture[str]
):
    row = await _run(workers, Ask("ours", "answer", {"value": 2.0}), Ask("cryptofeed", fault, {}))
    assert row.figures == {"ours": [2.0] * 5, "cryptofeed": [None, None]}
    assert named in row.missing()
    assert "cryptofeed" in row.missing()
    assert f"a row: cryptofeed, turn 1 of 5: failed: {named}" in capsys.readouterr().err
    assert row.met("cryptofeed") is None


async def test_side_that_does_not_answer_costs_its_time_twice_and_no_more(
    workers: Setting, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(harness, "SECONDS", 1.5)  # in which a process that answers is started, too
    row = await _run(workers, Ask("cryptofeed", "hang", {}), Ask("ours", "answer", {"value": 2.0}))
    assert row.figures == {"cryptofeed": [None, None], "ours": [2.0] * 5}
    assert "no answer within" in row.missing()


async def test_run_in_which_a_side_hangs_writes_the_figures_of_the_others(
    workers: Setting, monkeypatch: pytest.MonkeyPatch
):
    def plan(_setting: Setting) -> Plan:
        made = Plan("a plan", "units")
        made.add(Row("a row"), [Ask("cryptofeed", "hang", {}), Ask("ours", "answer", {"value": 2.0})])
        return made

    async def settings(_asked: object, _nats: str, source: list[str]) -> Setting:
        source.append("frames")
        return workers

    monkeypatch.setattr(harness, "SECONDS", 1.5)
    monkeypatch.setattr(bench, "WORK", workers.work)
    monkeypatch.setattr(bench, "SECTIONS", {"chain": plan, "books": plan})
    monkeypatch.setattr(bench, "_setting", settings)
    asked = bench._arguments(["chain", "books", "--no-instructions"])
    workers.turns = 1
    await bench._measure(["chain", "books"], asked)
    reported = json.loads((workers.work / "bench.json").read_text(encoding="utf-8"))
    for name in ("chain", "books"):
        (row,) = reported["sections"][name][0]["rows"]
        assert row["medians"] == {"cryptofeed": None, "ours": 2.0}
        assert "no answer within" in row["missing"]["cryptofeed"][0]


async def test_side_that_crashes_once_is_started_again_and_lacks_one_turn(workers: Setting, tmp_path: Path):
    about = {"mark": str(tmp_path / "crashed"), "value": 6.0}
    row = await _run(workers, Ask("ours", "answer", {"value": 2.0}), Ask("cryptofeed", "crash_once", about))
    assert row.figures["cryptofeed"] == [None, 6.0, 6.0, 6.0, 6.0]
    assert row.ratio("cryptofeed") == 3.0
    assert "turn 1 of 5" in row.missing()


async def test_what_is_not_measured_in_time_is_left_out_and_named(workers: Setting):
    workers.until = 0.0
    row = await _run(workers, Ask("ours", "answer", {}))
    assert row.middle("ours") is None
    assert "time was up" in row.missing()


async def test_answer_with_several_figures_fills_a_row_each(workers: Setting):
    plan = Plan("a plan", "units")
    rows = {"p50": Row("p50"), "p99": Row("p99")}
    plan.entries.append((rows, [Ask("ours", "answer", {"value": {"p50": 1.0, "p99": 9.0, "messages": 7}})]))
    await harness.run(plan, workers)
    assert (rows["p50"].middle("ours"), rows["p99"].middle("ours")) == (1.0, 9.0)


async def test_without_valgrind_the_run_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    made = await counting.prepare(tmp_path)
    assert isinstance(made, str)
    assert "valgrind" in made


def test_gain_is_met_from_its_target_on_and_a_limit_up_to_it():
    gain = Row("trades", {"cryptofeed": 4.0}, figures={"ours": [2.0, 2.0], "cryptofeed": [8.0, 8.0]})
    limit = Row("p99", {"bare": 2.0}, at_most=True, figures={"ours": [3.0], "bare": [1.0]})
    assert gain.met("cryptofeed") is True
    assert limit.met("bare") is False
    assert limit.ratio("bare") == 3.0


def test_ratio_is_that_of_medians_and_its_spread_that_of_turns_that_both_have():
    row = Row("books", figures={"ours": [2.0, None, 1.0, 4.0], "cryptofeed": [8.0, 5.0, None, 4.0]})
    assert row.ratio("cryptofeed") == 2.5
    assert row.spread("cryptofeed") == (1.0, 4.0)


def test_frame_that_is_no_text_is_kept_in_a_job_as_it_came(tmp_path: Path):
    job = _job("trade", as_text(b"\x1f\x8b\x08\x00"), {})
    assert read_job(str(job.save(tmp_path)))["frames"] == [b"\x1f\x8b\x08\x00"]


async def test_side_that_is_asked_afresh_is_another_process_each_time(workers: Setting):
    row = await _run(workers, Ask("ours", "pid", {}, fresh=True))
    assert len(set(row.figures["ours"])) == 5


async def test_frames_of_the_repository_are_measured_for_every_venue(tmp_path: Path):
    jobs = repository.jobs()
    assert {job.venue for job in jobs if job.channel == "trade"} == set(VENUES)
    setting = _setting(tmp_path, *jobs)
    section = await harness.run(sections.decode(setting), setting)
    assert {row.name: row.missing() for row in section.rows if row.missing()} == {}


def test_variant_of_ours_has_its_own_target_and_is_no_reference():
    figures: dict[str, list[float | None]] = {"ours": [1.0], "ours, Python books": [2.0], "cryptofeed": [8.0]}
    row = Row("books", {"cryptofeed": 9.0}, {"ours, Python books": {"cryptofeed": 4.0}}, figures=figures)
    assert row.references() == ["cryptofeed"]
    assert row.verdicts() == [False, True]


def test_run_of_ours_alone_is_compared_with_what_was_counted_before(tmp_path: Path):
    def counted(**figures: list[float | None]) -> Section:
        return Section("a section", "instructions", [Row("a row", figures=figures)])

    assert references.complete(counted(ours=[10.0], cryptofeed=[30.0]), tmp_path, ()) == []
    again = counted(ours=[5.0])
    assert "Not of this run" in references.complete(again, tmp_path, ("ours",))[0]
    assert again.rows[0].ratio("cryptofeed") == 6.0


def test_report_writes_its_tables_between_the_marks(tmp_path: Path):
    row = Row("books", {"cryptofeed": 4.0}, figures={"ours": [2.0, 2.0], "cryptofeed": [5.0, 7.0]})
    row.fail("ccxt", 0, "turn 1 of 2: no answer within 60 s")
    data = {"began": "now", "python": "3", "frames": "frames", "turns": 2, "peers": ["cryptofeed"]}
    section = Section("a section", "instructions", [row], ["a note"])
    run, page = tmp_path / "bench.json", tmp_path / "page.md"
    run.write_text(json.dumps({**data, "sections": {"chain": [section.as_data()]}}), encoding="utf-8")
    page.write_text(f"before\n{report.BEGIN}\nold\n{report.END}\nafter\n", encoding="utf-8")
    report.write(run, page)
    text = page.read_text(encoding="utf-8")
    assert text.startswith("before\n")
    assert text.endswith("\nafter\n")
    assert (
        "| books | 2.00 | 6.00 | - | 3.00 (2.50-3.50), asked 4: **not met** | - | ccxt: turn 1 of 2: no answer" in text
    )
    assert "old" not in text
    with pytest.raises(ValueError, match="no marks"):
        report.write(run, _written(tmp_path / "other.md"))


def _written(path: Path) -> Path:
    path.write_text("nothing", encoding="utf-8")
    return path


def test_page_of_the_figures_has_their_marks():
    text = report.PAGE.read_text(encoding="utf-8")
    assert text.count(report.BEGIN) == text.count(report.END) == 1
