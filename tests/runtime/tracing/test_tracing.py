"""What is traced, what a message carries of it, and that nothing is where nothing is sampled."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from opentelemetry.trace import SpanKind

from contracts import codec, subjects
from producers.traced_lane import TracedLane
from runtime import clock
from runtime.config.settings import TraceSettings
from runtime.nats.bus import Bus
from runtime.nats.lanes.message import make_parts, split_message
from runtime.nats.signals import publish_signal
from runtime.tracing.context import KnownParents, Parent, find_header, read_parent, write_parent
from runtime.tracing.exporting import make_tracing, read_headers
from runtime.tracing.tracing import OFF, trace_of
from tests.consumers.alerts.test_explaining import whale
from tests.recording import TRACE, recording

TRADE = subjects.TRADE + "binance.BTC.USDT.spot"


class Lane:
    def __init__(self) -> None:
        self.sent: list[tuple[bytes, ...]] = []

    def write(self, parts: tuple[bytes, ...]) -> None:
        self.sent.append(parts)


def received(subject: str = TRADE) -> tuple[bytes, ...]:
    """Return an event of any kind that has headers, as a producer writes it: of what is in it only the envelope."""
    now = clock.now_ns()
    body = b'{"id":"binance.1","venue":"binance","symbol":"BTC/USDT","sim":true,"ts_event":%d,"ts_recv":%d}'
    return make_parts(subject, body % (now - 5_000_000, now), schema="trade/1", msg_id="binance.1")


@pytest.mark.parametrize(
    "text",
    [
        *(None, "", "00-0-0-01", TRACE.upper(), TRACE[:-2] + "00", "01" + TRACE[2:], TRACE + "-1"),
        *("00-" + "0" * 32 + "-b7ad6b7169203331-01", "00-0af7651916cd43dd8448eb211c80319c-" + "0" * 16 + "-01"),
    ],
)
def test_what_is_no_sampled_context_is_none(text: str | None) -> None:
    assert read_parent(text) is None


def test_a_context_is_found_among_the_headers_as_they_came_and_written_as_it_was() -> None:
    headers = f"NATS/1.0\r\nHydrophone-Schema: trade/1\r\ntraceparent: {TRACE}\r\n\r\n".encode()
    parent = read_parent(find_header(headers))
    assert parent is not None
    assert write_parent(parent.trace_id, parent.span_id) == TRACE
    assert find_header(b"NATS/1.0\r\nHydrophone-Schema: trade/1\r\n\r\n") is None


def test_only_the_newest_contexts_are_kept() -> None:
    known = KnownParents(2)
    for number in (1, 2, 3):
        known.put(str(number), Parent(number, number))
    assert known.find("1") is None
    assert known.find_all(["1", "3", "2"]) == [Parent(3, 3), Parent(2, 2)]


def test_without_an_endpoint_nothing_is_traced_and_nothing_of_the_exporter_is_made() -> None:
    assert make_tracing(TraceSettings.model_validate({}), "test") is OFF
    assert not OFF.on
    assert not OFF.chooses()
    assert not OFF.chooses_id("anything")


@pytest.mark.parametrize(
    "prefix",
    [subjects.TRADE, subjects.LIQUIDATION, subjects.FUNDING, subjects.INTEREST],
    ids=lambda prefix: prefix[6:-1],
)
def test_a_sampled_event_carries_its_publishing_under_its_frame(prefix: str) -> None:
    tracing, spans = recording()
    lane, parts = Lane(), received(f"{prefix}binance.BTC.USDT.perp")
    TracedLane(lane, tracing).write(parts)
    sent, before = split_message(lane.sent[0]), split_message(parts)
    publish, frame = spans.get_finished_spans()
    assert (sent.subject, sent.body) == (before.subject, before.body)
    assert sent.headers == {**before.headers, "traceparent": trace_of(publish_of(publish))}
    assert publish.parent is not None
    assert frame.context is not None
    assert publish.parent.span_id == frame.context.span_id
    assert (frame.name, publish.name) == ("frame binance", f"publish {prefix[:-1]}")
    assert frame.attributes is not None
    assert frame.attributes["hydrophone.receive_ms"] == 5


def publish_of(span: Any) -> Any:
    return SimpleNamespace(get_span_context=lambda: span.context)


@pytest.mark.parametrize("kind", ["ticker", "delta", "book"])
def test_tickers_books_and_deltas_carry_no_header_however_much_is_sampled(kind: str) -> None:
    tracing, spans = recording()
    lane, parts = Lane(), make_parts(f"md.v1.{kind}.binance.BTC.USDT.spot", b"{}")
    TracedLane(lane, tracing).write(parts)
    assert lane.sent == [parts]
    assert lane.sent[0] is parts
    assert spans.get_finished_spans() == ()


def test_of_what_is_not_sampled_the_bytes_are_as_they_were() -> None:
    tracing, spans = recording(0.0)
    lane, parts = Lane(), received()
    TracedLane(lane, tracing).write(parts)
    assert lane.sent[0] is parts
    assert spans.get_finished_spans() == ()


def test_about_so_many_are_sampled_as_the_ratio_says() -> None:
    tracing, _ = recording(0.25)
    lane, parts = Lane(), received()
    traced = TracedLane(lane, tracing)
    for _ in range(4000):
        traced.write(parts)
    share = sum(one is not parts for one in lane.sent) / 4000
    assert 0.2 < share < 0.3
    assert 0.2 < sum(tracing.chooses_id(f"whale.{number}") for number in range(4000)) / 4000 < 0.3


def test_what_follows_from_several_sampled_events_continues_the_last_and_links_the_others() -> None:
    tracing, spans = recording(0.0)
    tracing.known.put("a", Parent(1, 11))
    tracing.known.put("b", Parent(2, 22, 5_000))
    event = SimpleNamespace(id="whale.1", trade_ids=["a", "b", "c"])
    with tracing.publishing("publish signal.v1.whale", event) as headers:
        assert headers["traceparent"].startswith(f"00-{2:032x}-")
    (span,) = spans.get_finished_spans()
    assert span.parent is not None
    assert (span.parent.trace_id, span.parent.span_id, span.start_time) == (2, 22, 5_000)
    assert [link.context.span_id for link in span.links] == [11]


def test_no_text_of_an_error_is_exported() -> None:
    tracing, spans = recording()
    trace = trace_of(tracing.start("before", None))
    with (
        pytest.raises(ValueError, match="hunter2"),
        tracing.continuing("after", trace, kind=SpanKind.CLIENT),
    ):
        raise ValueError("the password is hunter2")
    (span,) = spans.get_finished_spans()
    assert span.attributes is not None
    assert span.attributes["error.type"] == "ValueError"
    assert "hunter2" not in span.to_json()
    assert not span.status.is_ok


def test_headers_of_the_exporter_are_read_as_opentelemetry_writes_them() -> None:
    assert read_headers("Authorization=Basic%20YTpi, x-team = a") == {"authorization": "Basic YTpi", "x-team": "a"}


@pytest.mark.nats
@pytest.mark.parametrize("ratio", [None, 0.0, 1.0])
async def test_a_signal_has_a_trace_only_where_it_is_sampled(bus: Bus, ratio: float | None) -> None:
    messages: list[Any] = []

    async def on_message(message: Any) -> None:
        messages.append(message)
        await message.respond(b'{"stream":"SIGNALS","seq":1}')

    own = await Bus(bus.options, tracing=OFF if ratio is None else recording(ratio)[0]).connect()
    subject, event = whale(int(10 * (ratio or 0)) + 5 * (ratio is None), clock.now_ns())
    listening = await own.client.subscribe(subject, cb=on_message)
    await publish_signal(own, subject, event)
    await own.client.flush()
    await listening.unsubscribe()
    await own.close()
    (message,) = messages
    named = {"Nats-Msg-Id", "Hydrophone-Schema", "Nats-Expected-Stream"}
    assert set(message.headers) == (named | {"traceparent"} if ratio else named)
    assert message.data == codec.encode(event)
