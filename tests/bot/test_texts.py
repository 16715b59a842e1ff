"""Any reply makes a message that Telegram takes, in both languages, with figures, age and whether it is real."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import BaseModel

from bot.texts import charts, errors, market, menus, overview
from bot.texts.answer import Answer
from bot.texts.language import make_reader
from contracts import errors as refusals
from contracts.alerts import ALERT_KINDS, Alert
from contracts.errors import HydrophoneError
from contracts.services.replies.market import (
    HealthReply,
    Liquidations,
    Orderbook,
    PriceReply,
    Snapshot,
    StatusReply,
    WhaleReply,
)
from contracts.services.replies.multi import OhlcReply, TickerReply
from contracts.services.sentiment import SentimentReply
from runtime.texts import alerts
from runtime.texts.markup import MOST_CAPTION_UNITS, MOST_UNITS, Html, fit
from runtime.texts.reader import Reader, language_of
from tests.bot.telegram_html import shown, units

EXAMPLES: dict[str, Any] = json.loads((Path(__file__).parents[2] / "api/http/examples.json").read_text())
EN, ID = make_reader("en"), make_reader("id")
LANGUAGES = st.sampled_from([EN, ID, make_reader("en", ZoneInfo("Asia/Kathmandu"))])
NOW_NS = 1_767_268_800_000_000_000
TEXT = st.text(alphabet=st.sampled_from("ABCaz19/:<>&\"'{}_*`😀 币"), max_size=90)
FIGURE = st.floats(allow_nan=False, allow_infinity=False, min_value=-1e15, max_value=1e15)
MOMENT = st.datetimes(min_value=datetime(2000, 1, 1), max_value=datetime(2100, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001

st.register_type_strategy(float, FIGURE)
st.register_type_strategy(str, TEXT)
st.register_type_strategy(Decimal, st.decimals(0, 100, places=4))
st.register_type_strategy(datetime, MOMENT)

RENDERERS: list[tuple[type[BaseModel], Callable[[Any, Reader], Html], int]] = [
    (PriceReply, market.price, MOST_UNITS),
    (Snapshot, market.snapshot, MOST_UNITS),
    (Orderbook, market.orderbook, MOST_UNITS),
    (WhaleReply, market.whales, MOST_UNITS),
    (Liquidations, market.liquidations, MOST_UNITS),
    (TickerReply, overview.spread, MOST_UNITS),
    (SentimentReply, overview.sentiment, MOST_UNITS),
    (OhlcReply, charts.candles, MOST_CAPTION_UNITS),
    (Orderbook, charts.depth, MOST_CAPTION_UNITS),
]


def replies(model: type[BaseModel]) -> st.SearchStrategy[Any]:
    if model is SentimentReply:
        return st.builds(model, confidence=st.floats(0, 1), keywords=st.just([]))
    return st.builds(model)


@pytest.mark.parametrize(
    ("model", "render", "most"), RENDERERS, ids=lambda value: getattr(value, "__name__", str(value))
)
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(data=st.data())
def test_any_reply_is_a_message_that_telegram_takes(
    model: type[BaseModel], render: Callable[[Any, Reader], Html], most: int, data: st.DataObject
) -> None:
    reader = data.draw(LANGUAGES)
    answer = Answer(data.draw(replies(model)), data.draw(TEXT), data.draw(st.floats(0, 1e6)), data.draw(st.booleans()))
    text = render(answer, reader)
    assert units(text) <= most
    seen = shown(text)
    assert seen.strip()
    if answer.stale and model is not SentimentReply:
        assert reader.plain("quality.stale") in seen


def whole(model: type[BaseModel], name: str, *, data: bool = True) -> Any:
    found = EXAMPLES[name]
    return model.model_validate(found["data"] if data else found)


@pytest.mark.parametrize("reader", [EN, ID], ids=["en", "id"])
def test_a_snapshot_says_every_figure_of_the_reply(reader: Reader) -> None:
    seen = shown(market.snapshot(Answer(whole(Snapshot, "getMarketSnapshot"), "BTC"), reader))
    for figure in ("90,971.8 USDT", "-0.9266%", "95,541.51", "86,413.79", "17,451.5 BTC", "90,965.52", "90,983.72"):
        assert figure in seen
    for figure in (
        "18.2",
        "+0.01%",
        "-0.0025%",
        "81,234.567",
        "123,456.78",
        "$48,512.85",
        "$1,746,847.25",
        "91,023.76",
    ):
        assert figure in seen
    assert "0.3 s" in seen


def test_a_price_says_its_exchanges_its_age_and_its_time() -> None:
    reply = whole(PriceReply, "getPrice", data=False)
    seen = shown(market.price(Answer(reply, "BTC", grown=4.0), make_reader("en", ZoneInfo("Asia/Jakarta"))))
    assert "90,971.8 USDT" in seen
    assert "binance, bybit" in seen
    assert "4.3 s ago" in seen
    assert "2026-11-22 03:00:34 WIB" in seen


@pytest.mark.parametrize(("reader", "word"), [(EN, "simulated"), (ID, "simulasi")], ids=["en", "id"])
def test_what_is_simulated_says_so(reader: Reader, word: str) -> None:
    reply = whole(PriceReply, "getPrice", data=False)
    simulated = reply.model_copy(update={"sim": True})
    assert word in market.price(Answer(simulated, "BTC"), reader)
    assert word not in market.price(Answer(reply, "BTC"), reader)
    assert market.price(Answer(reply.model_copy(update={"quality": "sim", "sim": True})), reader).count(word) == 1


def test_a_reply_that_the_core_no_longer_gives_is_called_stale() -> None:
    seen = market.price(Answer(whole(PriceReply, "getPrice", data=False), "BTC", grown=90.0, stale=True), EN)
    assert "🟡 stale" in seen
    assert "2 min ago" in seen
    assert "does not answer" in seen


def test_a_book_has_its_best_levels_next_to_each_other() -> None:
    seen = shown(market.orderbook(Answer(whole(Orderbook, "getOrderbook"), "BTC"), EN))
    places = [seen.index(price) for price in ("91,000.12", "91,000.11", "91,000.09", "91,000.08")]
    assert places == sorted(places)
    assert "862,680.8532" in seen


def test_liquidations_say_what_is_a_sample_and_what_has_no_side() -> None:
    seen = shown(market.liquidations(Answer(whole(Liquidations, "getLiquidations"), "BTC"), EN))
    assert "lower bounds" in seen
    assert "unknown side" in seen
    assert "$22,725.12" in seen


@pytest.mark.parametrize(
    ("reader", "says"),
    [
        (EN, "Not all of it was received: 1h 99.99 % · 24h 87.5 %"),
        (ID, "Tidak semuanya diterima: 1h 99.99 % · 24h 87.5 %"),
    ],
)
def test_liquidations_say_how_much_of_a_window_was_received_where_it_was_not_all(reader: Reader, says: str) -> None:
    example = EXAMPLES["getLiquidations"]["data"]
    shares = {"1h": "99.9999", "4h": "100", "24h": "87.5"}
    for coverage, wanted in ((shares, says), ({"1h": "100", "4h": "100", "24h": "100"}, None), (None, None)):
        rests = coverage and {window: {"percent": share, "sampled": False} for window, share in coverage.items()}
        reply = Liquidations.model_validate({**example, "coverage": rests})
        seen = shown(market.liquidations(Answer(reply, "BTC"), reader))
        assert says in seen if wanted else says[:10] not in seen


@pytest.mark.parametrize(
    ("reader", "says"),
    [(EN, "2 of {all} candles may lack trades"), (ID, "2 dari {all} lilin mungkin kurang transaksi")],
)
def test_a_chart_says_how_many_of_its_candles_may_lack_trades(reader: Reader, says: str) -> None:
    reply: OhlcReply = whole(OhlcReply, "getCandles", data=False)
    for lacking in (2, 0):
        bars = [bar.model_copy(update={"whole": at >= lacking}) for at, bar in enumerate(reply.candles * 3)]
        found = reply.model_copy(update={"candles": bars, "complete": not lacking, "holes": []})
        seen = shown(charts.candles(Answer(found, "BTC"), reader))
        assert (says.format(all=len(bars)) in seen) == bool(lacking)


def test_spread_leaves_other_quotes_out_of_its_table() -> None:
    seen = shown(overview.spread(Answer(whole(TickerReply, "getConsolidatedTicker", data=False), "BTC"), EN))
    assert "Crossed" in seen
    assert "-11.83" in seen
    assert "binanceusdm" not in seen


def status_reply(**parts: Any) -> Answer[StatusReply]:
    kept = {"entries": 0, "hits": 0, "misses": 0}
    fields = {
        "waiting_for": [],
        "degraded": [],
        "buckets": {},
        "fetched": {**kept, "oldest_age": None},
        "answers": kept,
    }
    return Answer(StatusReply.model_validate({**fields, **parts}))


def test_status_names_what_is_waited_for_and_each_feed() -> None:
    feeds = Answer(HealthReply.model_validate(EXAMPLES["getFeedHealth"]["data"]))
    seen = shown(overview.status(status_reply(degraded=["okx: <down>"]), feeds, EN))
    assert "okx: <down>" in seen
    assert "1 of 1 live" in seen
    assert "binance" in seen
    assert "does not answer" in overview.status(None, None, EN)
    assert "Semua berjalan" in overview.status(status_reply(), feeds, ID)


REFUSALS = [kind for kind in HydrophoneError.__subclasses__() if kind.__module__ == refusals.__name__]


@pytest.mark.parametrize("reader", [EN, ID], ids=["en", "id"])
@pytest.mark.parametrize("kind", REFUSALS, ids=lambda kind: kind.__name__)
def test_every_refusal_has_its_text(kind: type[HydrophoneError], reader: Reader) -> None:
    error = kind("<b>no</b> & never", waiting_for=["core"], supported_symbols=["BTC/USDT"], candidates=["a:BTC/USDT"])
    found = errors.refusal(error, "<BTC>", reader)
    assert shown(found.text).strip()


def test_an_unknown_symbol_names_those_alike() -> None:
    error = refusals.UnknownSymbolError("no", supported_symbols=["BTC/USDT", "ETH/USDT", "BTC/USD"])
    found = errors.refusal(error, "btc/usdx", EN)
    assert found.candidates[0] in {"BTC/USDT", "BTC/USD"}
    assert "ETH/USDT" not in found.candidates
    assert "<code>BTC/USDT</code>" in found.text
    ambiguous = refusals.AmbiguousSymbolError("which", candidates=["x:BTC", "y:BTC"])
    assert errors.refusal(ambiguous, "BTC", EN).candidates == ("x:BTC", "y:BTC")


def test_no_error_echoes_more_than_a_line_of_what_was_asked() -> None:
    text = errors.refusal(refusals.UnknownSymbolError("no", supported_symbols=[]), "<" * 5000, EN).text
    assert units(text) < 500


# ---------------------------------------------------------------------------------------------------------- alerts
def make_alert(kind: str, **parts: Any) -> Alert:
    fields: dict[str, Any] = {
        "id": f"{kind}.1",
        "venue": "binance",
        "symbol": "BTC/USDT",
        "venue_symbol": None,
        "ts_event": NOW_NS,
        "ts_recv": NOW_NS,
        "sim": False,
        "alert": kind,
        "rule": f"{kind}/1",
        "fired_at": NOW_NS,
        "late": False,
        "stands_for": 1,
        "causes": ["a"],
        "side": "buy",
        "usd_value": "1500000.5",
        "price": "91000.10",
        "tier": "majors",
    }
    return Alert.model_validate({**fields, **parts})


@pytest.mark.parametrize("reader", [EN, ID], ids=["en", "id"])
@pytest.mark.parametrize("kind", ALERT_KINDS)
def test_every_kind_of_alert_says_what_happened_and_when(kind: str, reader: Reader) -> None:
    seen = shown(alerts.alert(make_alert(kind), reader, NOW_NS + 3_000_000_000))
    for part in (
        "BTC/USDT",
        "$1,500,000.50",
        "91,000.1",
        "binance",
        "3.0 s",
        f"/why {kind}.1",
        "2026-01-01 12:00:00 UTC",
    ):
        assert part in seen


@pytest.mark.parametrize("condition", ["above", "below", "crosses", "change", "every"])
def test_a_price_alert_says_its_direction_and_its_note(condition: str) -> None:
    found = make_alert(
        "price_alert",
        condition=condition,
        threshold="91000",
        previous_price="90900",
        note="<sell> & run",
        usd_value=None,
        side=None,
        late=True,
        sim=True,
        stands_for=4,
        venue="all",
    )
    seen = shown(alerts.alert(found, EN, NOW_NS))
    assert "⬆️ from 90,900 to 91,000.1" in seen
    assert "<sell> & run" in seen
    assert "4 times since" in seen
    assert "late" in seen
    assert "simulated" in seen
    assert "over all exchanges" in seen


@settings(max_examples=60, deadline=None)
@given(
    note=TEXT, symbol=st.sampled_from(["BTC/USDT", "币安/USDT"]), kind=st.sampled_from(ALERT_KINDS), reader=LANGUAGES
)
def test_any_note_is_escaped(note: str, symbol: str, kind: str, reader: Reader) -> None:
    found = make_alert(kind, note=note or None, symbol=symbol)
    assert note.strip() in shown(alerts.alert(found, reader, NOW_NS))
    assert len(alerts.line(found, reader).splitlines()) == 1


# ------------------------------------------------------------------------------------------------------------ menus
@pytest.mark.parametrize("reader", [EN, ID], ids=["en", "id"])
def test_help_lists_every_command(reader: Reader) -> None:
    text = menus.help_text("hydrophone_bot", "https://example.test/docs", reader)
    assert units(text) <= MOST_UNITS
    seen = shown(text)
    for command in menus.COMMANDS:
        assert f"/{command.name}" in seen
    assert all(3 <= len(what) <= 256 for _, what in menus.command_list(reader))


def test_a_name_cannot_break_the_menu() -> None:
    assert "</b>&" in shown(menus.start("</b>&", EN))


def test_what_does_not_fit_is_left_out_whole() -> None:
    text = fit([Html(f"<b>{at:0>100}</b>") for at in range(100)], [Html("end")], 1000)
    assert units(text) <= 1000
    assert shown(text).endswith("…\nend")


@pytest.mark.parametrize(
    ("code", "language"), [("id", "id"), ("id-ID", "id"), ("en-GB", "en"), ("fr", "en"), (None, "en")]
)
def test_the_language_is_that_of_the_users_own_telegram(code: str | None, language: str) -> None:
    assert language_of(code) == language


def test_candles_that_are_missing_are_counted() -> None:
    found = whole(OhlcReply, "getCandles", data=False)
    seen = shown(charts.candles(Answer(found, "BTC"), EN))
    assert "4 candles are missing" in seen
    assert "91,018.5 USDT" in seen
    assert found.candles[-1].timestamp - found.candles[0].timestamp == timedelta(hours=1)
