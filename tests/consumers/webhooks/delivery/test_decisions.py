"""What deliveries decide without a bus: outcomes, retries, circuits, order, digests and numbers."""

from __future__ import annotations

from decimal import Decimal

import pytest

from consumers.webhooks.delivery.attempting import of_answer, of_error
from consumers.webhooks.delivery.circuit import CLOSED, Circuit, is_hopeless, on_failure
from consumers.webhooks.delivery.outcome import Outcome, read_retry_after
from consumers.webhooks.delivery.progress import Progress, read_progress
from consumers.webhooks.delivery.rules import RETRY_SECONDS, SECOND_NS, DeliveryRules, DigestRules, pause
from consumers.webhooks.matching.coalescing import Coalescing, Matched
from consumers.webhooks.matching.numbering import Numbering
from consumers.webhooks.matching.reconciler import is_late, is_resumed
from consumers.webhooks.payloads.body import event_id
from consumers.webhooks.payloads.facts import Fact
from consumers.webhooks.store.rows import Overview
from consumers.webhooks.transport import Answer, DeliveryError, RefusedAddressError
from tests.consumers.webhooks.events import START, make_endpoint

RULES = DeliveryRules()
FAILED = Outcome(kind="failed", status=500, error="HTTP 500")
DELIVERED = Outcome(kind="delivered", status=200)


def make_fact(number: int, event_type: str = "whale", base: str = "BTC", usd: str = "1000000.5") -> Fact:
    return Fact(
        event_type=event_type,  # type: ignore[arg-type]
        source_id=f"{event_type}.{base}.{number}",
        ts_ns=START + number,
        sim=False,
        data=b"{}",
        base=base,
        usd_value=Decimal(usd),
    )


def make_matched(number: int, event_type: str = "whale", base: str = "BTC") -> Matched:
    fact = make_fact(number, event_type, base)
    return Matched("wh_1", event_id("wh_1", fact.source_id), fact, "SIGNALS", number - 1)


def make_progress(*lanes: str) -> Progress:
    progress = Progress(endpoint="wh_1", next=len(lanes) + 1)
    for sequence, lane in enumerate(lanes, 1):
        progress.look_at(sequence, lane)
    return progress


def test_an_event_has_eight_attempts_over_28_hours() -> None:
    pauses = [pause(RULES, tries, 0.0) for tries in range(1, 9)]
    assert pauses == [*RETRY_SECONDS, None]
    assert pause(RULES, 1, 1.0) == pytest.approx(6.0)


@pytest.mark.parametrize(
    ("status", "kind"),
    [(200, "delivered"), (204, "delivered"), (301, "failed"), (400, "failed"), (410, "gone"), (500, "failed")],
)
def test_only_2xx_is_a_delivery(status: int, kind: str) -> None:
    outcome = of_answer(Answer(status, {}, b"x" * 5000, 0.1), START)
    assert outcome.kind == kind
    assert len(outcome.answer) == 1024


def test_whose_fault_a_failure_is() -> None:
    assert of_error(RefusedAddressError("loopback")).kind == "hopeless"
    assert of_error(DeliveryError("timeout", "10 s", 10.0)).fault == "receiver"
    assert of_error(ValueError("odd")).fault == "ours"


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("120", 120.0), ("Thu, 01 Jan 2026 12:01:00 GMT", 59.875), ("Thu, 01 Jan 1970 00:00:00 GMT", 0.0), ("soon", None)],
)
def test_retry_after_is_seconds_or_a_date(text: str, seconds: float | None) -> None:
    assert read_retry_after({"retry-after": text}, START) == seconds


def test_retry_after_holds_the_endpoint_and_is_no_failure_of_the_circuit() -> None:
    progress = make_progress("BTC")
    asked = Outcome(kind="failed", status=429, error="HTTP 429", retry_after=60.0)
    for _ in range(6):
        progress.apply(1, asked, START, rules=RULES, chance=0.0)
        progress.open[1].due = 0
    assert not progress.circuit.is_open
    assert progress.blocked_until() == START + 60 * SECOND_NS


def test_a_circuit_opens_doubles_and_closes() -> None:
    circuit = CLOSED
    for _ in range(5):
        assert not circuit.is_open
        circuit = on_failure(circuit, START, RULES)
    assert circuit.until == START + 30 * SECOND_NS
    waits: list[float] = []
    for _ in range(5):
        circuit = on_failure(circuit, circuit.until, RULES)
        waits.append(circuit.wait)
    assert waits == [60, 120, 240, 300, 300]
    assert on_failure(circuit, circuit.until - 1, RULES).wait == 300  # it was under way already
    assert is_hopeless(circuit, START + 3 * 24 * 3600 * SECOND_NS, RULES)
    assert not is_hopeless(circuit, START + SECOND_NS, RULES)


def test_a_probe_counts_only_when_its_event_is_due() -> None:
    progress = make_progress("BTC", "ETH")
    progress.circuit = Circuit(failures=5, failing_since=START, opened=START, until=START, wait=30.0)
    progress.open[1].tries, progress.open[1].due = 1, START + 10
    assert progress.find_probe("none") == 2
    progress.apply(2, FAILED, START, rules=RULES, chance=0.0)
    progress.apply(1, FAILED, START, rules=RULES, chance=0.0)
    assert [one.tries for one in progress.open.values()] == [1, 1]
    progress.apply(2, DELIVERED, START, rules=RULES, chance=0.0)
    assert progress.circuit == CLOSED
    assert progress.open[1].due == 0
    assert progress.notice == "closed"


def test_ordered_events_wait_for_the_one_before_of_their_symbol_only() -> None:
    progress = make_progress("BTC", "BTC", "ETH", "SOL")
    progress.open[1].due = START + 1
    assert progress.may_post("symbol", START, skip=(), busy=(), most=4) == [3, 4]
    assert progress.may_post("symbol", START, skip=(), busy=("ETH",), most=4) == [4]
    assert progress.may_post("none", START, skip=(3,), busy=(), most=4) == [2, 4]
    assert progress.next_due("symbol") == 0
    assert make_progress().next_due("symbol") is None


def test_progress_is_read_as_it_was_written() -> None:
    progress = make_progress("BTC", "ETH")
    progress.apply(1, FAILED, START, rules=RULES, chance=0.5)
    progress.page, progress.quiet_until = 2, START
    again = read_progress("wh_1", {**progress.document(), "version": 0})
    assert again == progress


def test_a_window_holds_what_follows_and_gives_it_together() -> None:
    coalescing = Coalescing(DigestRules(seconds=30.0))
    admitted = [coalescing.admit(make_matched(number), START) for number in (5, 6, 7)]
    assert admitted == [True, False, False]
    assert coalescing.admit(make_matched(8, base="ETH"), START)
    assert coalescing.positions() == {"SIGNALS": 5}
    assert list(coalescing.ended(START + 30 * SECOND_NS - 1)) == []
    (held,) = coalescing.ended(START + 30 * SECOND_NS)
    assert [one.fact.source_id for one in held] == ["whale.BTC.6", "whale.BTC.7"]
    assert coalescing.positions() == {}
    assert not coalescing.admit(make_matched(9), START + 31 * SECOND_NS)  # a digest begins the next window


def test_price_alerts_are_held_only_where_they_are_many() -> None:
    coalescing = Coalescing(DigestRules(seconds=30.0))
    admitted = [coalescing.admit(make_matched(number, "price_alert"), START) for number in range(12)]
    assert admitted == [True] * 10 + [False] * 2
    assert all(coalescing.admit(make_matched(number, "test"), START) for number in range(12))


def test_numbers_have_no_holes_and_a_digest_follows_what_it_stands_for() -> None:
    numbering = Numbering()
    numbering.begin("wh_1", 41)
    groups = [[make_matched(1)], [make_matched(2), make_matched(3)], *([make_matched(n)] for n in range(4, 150))]
    pages = numbering.pages(groups, {"wh_1": "alice"}, START)
    rows = [row for page in pages for row in page.rows]
    assert [row.sequence for row in rows] == list(range(42, 42 + 150))
    assert max(len(page.rows) for page in pages) == 100
    digest = rows[3]
    assert digest.event_type == "digest"
    assert [row.digest for row in rows[:5]] == [None, digest.event_id, digest.event_id, None, None]


def seen(**fields: object) -> Overview:
    values = {
        "next": 5,
        "wake": -1,
        "blocked_until": 0,
        "disabled": 0,
        "open": 0,
        "is_stopped": False,
        "notice": False,
        "asked": False,
    }
    return Overview(**{**values, **fields})  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("overview", "last", "late"),
    [
        (None, 1, True),
        (None, 0, False),
        (seen(), 4, False),
        (seen(), 5, True),
        (seen(wake=START - 11 * SECOND_NS), 4, True),
        (seen(wake=START - SECOND_NS), 4, False),
        (seen(blocked_until=START + 1), 9, False),
        (seen(asked=True, blocked_until=START + 1), 4, True),
        (seen(disabled=START - SECOND_NS), 9, False),
        (seen(disabled=START - 8 * 24 * 3600 * SECOND_NS), 9, True),
    ],
)
def test_what_is_late(overview: Overview | None, last: int, *, late: bool) -> None:
    assert is_late(make_endpoint(), overview, last, now_ns=START, rules=RULES) is late


def test_what_waited_for_an_endpoint_that_was_never_posted_to_ends_too() -> None:
    endpoint = make_endpoint(state="disabled", updated_ns=START)
    assert not is_late(endpoint, None, 5, now_ns=START + SECOND_NS, rules=RULES)
    assert is_late(endpoint, None, 5, now_ns=START + 8 * 24 * 3600 * SECOND_NS, rules=RULES)


def test_an_active_endpoint_whose_delivery_is_stopped_was_resumed() -> None:
    assert is_resumed(make_endpoint(), seen(is_stopped=True))
    assert not is_resumed(make_endpoint(), seen(is_stopped=True, notice=True))
    assert not is_resumed(make_endpoint(state="open"), seen(is_stopped=True))
