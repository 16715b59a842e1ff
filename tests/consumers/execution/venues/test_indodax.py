"""Indodax's adapter piece by piece: signatures, what its answers mean, its limits kept, what it is asked and when."""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator
from dataclasses import replace
from decimal import Decimal
from itertools import product
from typing import Any

import pytest
import pytest_asyncio
from aiohttp import web

from consumers.execution.ports import UnclearError
from consumers.execution.venues.indodax import answers, histories
from consumers.execution.venues.indodax.answers import Refused
from consumers.execution.venues.indodax.pairs import PairsError, read_pairs
from consumers.execution.venues.indodax.signing import sign, write
from consumers.execution.venues.indodax.venue import IndodaxVenue
from consumers.execution.venues.pacing import Pace
from contracts.errors import InvalidParameterError
from producers.simulator.private import PrivateFault, Wanted
from runtime.trading.figures import OrderRefusedError
from runtime.trading.order import Order
from tests.consumers.execution.stage import SECOND, intent
from tests.consumers.execution.venues.indodax_world import IndodaxWorld, opened_indodax
from tests.consumers.execution.venues.matrix import AMOUNT

pytestmark = pytest.mark.asyncio(loop_scope="module")
D = Decimal
DAY = 86_400


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def served() -> AsyncGenerator[IndodaxWorld]:
    async with opened_indodax() as world:
        yield world


@pytest.fixture
def world(served: IndodaxWorld) -> IndodaxWorld:
    served.reset()
    return served


@pytest.fixture
def venue(world: IndodaxWorld) -> IndodaxVenue:
    return world.venue()


def order(world: IndodaxWorld, number: int = 1, **fields: Any) -> Order:
    made = intent(number, symbol=world.symbol, price=world.low, amount=AMOUNT, created_ns=world.stage.now)
    return replace(made, **fields)


VENDOR_SECRET = "f60617a68fcce028f0a90bc9eb765d17379eb548cc935c01a7ee3186eecf870e9b68f27a31bcfe8d"
SWITCH_SECRET = "da78a39e9dda31c399bcc293d997a347dc7fd0408cb5151931243a302b273ec3238510ea61e11f7c"
PAIRS = "countdownTime=10000&timestamp=1578304294001&recvWindow=1578303937000"


@pytest.mark.parametrize(
    ("secret", "text", "begins"),
    [
        (VENDOR_SECRET, "method=getInfo&timestamp=1578304294000&recvWindow=1578303937000", "bab004e5a518740d7a33b38b4"),
        (SWITCH_SECRET, f"pair=btc_idr%2Ceth_idr&{PAIRS}", "29ff89378b9f33954b0f5319488190078f091c7723d886c5c2a4a0b06"),
        (SWITCH_SECRET, f"pair=btc_idr,eth_idr&{PAIRS}", "b4f03574d264ffbaa37eadd8460f50dbb9ae6f12d4852a46d8654d47283"),
        (
            "test-secret",
            "method=getInfo&timestamp=1700000000000&recvWindow=5000",
            "03f9736abf2ace1932b6146c73d270f35e9",
        ),
    ],
)
async def test_signatures_are_the_vendors(secret: str, text: str, begins: str) -> None:
    assert sign(secret, text).startswith(begins)
    assert len(sign(secret, text)) == 128


async def test_what_is_signed_is_what_is_sent() -> None:
    text = write({"method": "trade", "client_order_id": "a-b_c"}, 1_700_000_000_000)
    assert text == "method=trade&client_order_id=a-b_c&timestamp=1700000000000&recvWindow=5000"


@pytest.mark.parametrize(
    ("text", "code", "refused"),
    [
        ("Insufficient balance.", "", ("INSUFFICIENT_BALANCE", "amount")),
        ("Order cancelled because it’s not maker.", "", ("POST_ONLY", "post_only")),  # noqa: RUF001 - the venue's text
        ("Minimum order 10000 IDR", "", ("BELOW_MINIMUM", "amount")),
        ("Minimum price 1000 IDR", "", ("BELOW_MINIMUM", "price")),
        ("Invalid pair", "", ("NOT_SUPPORTED", "symbol")),
        ("Invalid credentials. Bad sign.", "bad_sign", ("KEY_REFUSED", "account")),
        ("too many", "too_many_requests", ("RATE_LIMITED", None)),
        ("No permission", "", ("KEY_REFUSED", "account")),
        ("client order id c-1 already exists", "", None),
        ("Failed to process request", "internal_server_error", None),
        ("Invalid timestamp.", "bad_request", None),
        ("something new", "", None),
    ],
)
async def test_only_a_clear_no_is_a_refusal_with_its_field(
    text: str, code: str, refused: tuple[str, str | None] | None
) -> None:
    raised = answers.judge(Refused(text, code))
    if refused is None:
        assert type(raised) is UnclearError
    else:
        assert isinstance(raised, OrderRefusedError)
        assert (raised.refusal.code, raised.refusal.parameter) == refused


BROKEN = (
    (200, ""),
    (200, "<html>maintenance</html>"),
    (503, "<html></html>"),
    (200, "[]"),
    (200, "{}"),
    (200, '{"success":1'),
    (200, '{"success":1,"return":[]}'),
    (200, '{"success":2,"return":{}}'),
    (500, '{"success":1,"return":{}}'),
    (200, '{"success":1,"return":{"order_id":1}}'),
    (200, '{"success":1,"return":{"order_id":1,"client_order_id":"another"}}'),
    (200, '{"success":0}'),
    (200, '{"success":"0","error":"client order id client1 already exists"}'),
)


@pytest.mark.parametrize(("status", "body"), BROKEN)
async def test_an_answer_that_nobody_can_read_says_nothing_of_an_order(
    world: IndodaxWorld, venue: IndodaxVenue, status: int, body: str
) -> None:
    await venue.rules(world.symbol)
    world.before = lambda path: web.Response(status=status, text=body) if path == "/tapi" else None
    with pytest.raises(UnclearError):
        await venue.place(order(world))


ORDERS = ("null", "[]", "{}", '{"btc_idr":[]}')
UNREADABLE = ('"x"', "7", '[{"a":1}]', '{"btc_idr":7}', '{"btc_idr":[7]}', '{"btc_idr":[{"order_id":"1"}]}')


async def test_open_orders_come_in_every_shape(world: IndodaxWorld, venue: IndodaxVenue) -> None:
    await venue.rules(world.symbol)

    def answering(orders: str) -> None:
        body = f'{{"success":1,"return":{{"orders":{orders}}}}}'
        world.before = lambda path: web.Response(text=body) if path == "/tapi" else None

    for shape in ORDERS:
        answering(shape)
        assert list(await venue.list_open()) == []
    for shape in UNREADABLE[:-1]:
        answering(shape)
        with pytest.raises(UnclearError):
            await venue.list_open()
    sized = '{"order_id":"173","client_order_id":"","type":"buy","order_idr":"1000.0","remain_idr":"1000.0"}'
    answering(f'{{"btc_idr":[{sized}],"new_idr":[{{"order_id":"9","client_order_id":"c"}}]}}')
    found = await venue.list_open()
    assert [(one.venue_order_id, one.client_id, one.symbol) for one in found] == [
        ("173", None, "BTC/IDR"),
        ("9", "c", "new_idr"),
    ]


async def test_what_is_nobodys_here_is_reported_by_its_symbol(world: IndodaxWorld, venue: IndodaxVenue) -> None:
    wanted = Wanted(symbol=world.traded, side="sell", type="limit", amount=D("0.5"), price=D(2_000_000_000))
    world.side.exchange.place(world.account, wanted, world.now_us)
    mine = order(world)
    await venue.place(mine)
    found = {one.client_id: (one.symbol, one.filled) for one in await venue.list_open()}
    assert found == {None: (world.symbol, 0), mine.client_id: (world.symbol, 0)}


async def test_absence_is_believed_only_where_nothing_shows_the_order(world: IndodaxWorld, venue: IndodaxVenue) -> None:
    mine = order(world)
    assert await venue.find(mine) is None
    await venue.place(mine)
    unknown = '{"success":0,"error":"some text for an order that is not known"}'
    real = world.simulated.answer

    def answer(request: Any, now_us: int) -> Any:
        answered = real(request, now_us)
        return replace(answered, body=unknown) if "getOrderBy" in request.body else answered

    world.simulated.answer = answer
    found = await venue.find(mine)
    assert found is not None
    assert found.status == "open"
    world.side.exchange.cancel(world.account, world.orders()[0].id, world.now_us)
    ended = await venue.find(mine)
    assert ended is not None
    assert ended.status == "cancelled"
    assert await venue.find(order(world, 2)) is None
    world.before = lambda path: web.Response(status=503) if path.startswith("/api/v2") else None
    with pytest.raises(UnclearError):
        await venue.find(order(world, 2))


async def test_a_market_buy_costs_what_the_live_book_shows_at_most(world: IndodaxWorld, venue: IndodaxVenue) -> None:
    asks = world.book()[1]
    amount = asks[0][1] + asks[1][1]
    most = asks[0][0] * asks[0][1] + asks[1][0] * asks[1][1]
    report = await venue.place(order(world, type="market", price=None, amount=amount))
    assert report.status == "filled"
    assert most * D("0.99") < world.begin["IDR"] - world.balances()["IDR"] <= most
    with pytest.raises(OrderRefusedError, match="shows less"):
        await venue.place(order(world, 2, type="market", price=None, amount=D(10**9)))
    world.stage.advance(61)  # the book is older than a minute
    with pytest.raises(OrderRefusedError, match="shows less"):
        await venue.place(order(world, 3, type="market", price=None))
    assert len(world.orders()) == 1


async def test_post_only_is_maker_or_cancel(world: IndodaxWorld, venue: IndodaxVenue) -> None:
    with pytest.raises(OrderRefusedError, match="taker"):
        await venue.place(order(world, post_only=True, price=world.best("ask")[0]))
    assert (await venue.place(order(world, 2, post_only=True))).status == "open"


async def test_steps_and_minimums_are_the_venues(world: IndodaxWorld, venue: IndodaxVenue) -> None:
    rules = await venue.rules(world.symbol)
    assert (rules.base, rules.quote, rules.price_step, rules.least_value) == ("BTC", "IDR", D(1000), D(10_000))
    assert (venue.fees.maker, venue.fees.taker) == (D("0.003"), D("0.003"))
    with pytest.raises(InvalidParameterError, match="does not trade XYZ/IDR"):
        await venue.rules("XYZ/IDR")
    assert sorted(await venue.balances()) == [("BTC", D(10), D(0)), ("IDR", D(10_000_000_000), D(0))]


async def test_pairs_are_read_row_by_row() -> None:
    row = {
        "id": "stridr", "ticker_id": "str_idr", "base_currency": "idr", "traded_currency": "str",
        "trade_min_base_currency": 50000, "trade_min_traded_currency": "0.1", "is_maintenance": 1,
    }  # fmt: skip
    pairs = read_pairs([row, {"id": "x"}, 7, {**row, "ticker_id": "no_tick"}], {"increments": {"str_idr": "1"}})
    assert list(pairs.by_symbol) == ["XLM/IDR"]
    assert pairs.by_symbol["XLM/IDR"].rules.least_value == 50_000
    with pytest.raises(InvalidParameterError, match="maintenance"):
        pairs.find("XLM/IDR")
    for rows, increments in (({}, {}), ([], []), ("x", {"increments": {}})):
        with pytest.raises(PairsError):
            read_pairs(rows, increments)


async def test_a_clock_that_went_wrong_is_measured_again(world: IndodaxWorld, venue: IndodaxVenue) -> None:
    await venue.balances()
    world.before = lambda path: (
        web.Response(text=json.dumps({"server_time": world.now_us // 1000 - 60_000})) if "server_time" in path else None
    )
    venue._public.forget_clock()
    with pytest.raises(UnclearError, match="timestamp"):
        await venue.balances()
    world.before = lambda _path: None
    assert await venue.balances()


async def test_too_many_requests_are_not_sent_again_for_five_seconds(world: IndodaxWorld, venue: IndodaxVenue) -> None:
    world.side.faults.order(PrivateFault("rate_limit", "trade", 1), world.now_us)
    with pytest.raises(OrderRefusedError, match="too many"):
        await venue.place(order(world))
    world.stage.advance(2)  # the venue would take it: it said 5 s
    sent = len(world.answered)
    with pytest.raises(OrderRefusedError, match="not sent"):
        await venue.place(order(world, 2))
    assert len(world.answered) == sent
    world.stage.advance(3.1)
    assert (await venue.place(order(world, 3))).status == "open"


async def test_our_own_count_keeps_within_a_limit() -> None:
    pace = Pace(3, 1.0)
    taken = [pace.take(100.0, 2.0) for _ in range(10)]
    assert taken == [0, 0, 0, 1, 1, 1, 2, 2, 2, None]
    assert pace.take(101.5, 2.0) == 1.5
    turns = [100.0 + (wait or 0) for wait in taken[:9]]
    assert all(sum(one <= other < one + 1 for other in turns) <= 3 for one in turns)
    fresh = Pace(3, 1.0)
    fresh.block(10.0, 5.0)
    assert (fresh.take(11.0, 2.0), fresh.take(14.0, 2.0)) == (None, 1.0)


async def test_the_venue_counts_down_while_orders_are_open_and_stops_with_them(
    world: IndodaxWorld, venue: IndodaxVenue
) -> None:
    mine, foreign = (
        order(world),
        Wanted(symbol=world.traded, side="sell", type="limit", amount=D(1), price=D(2 * 10**9)),
    )
    await venue.place(mine)
    await venue.countdown(20)
    await venue.cancel(mine)
    other = world.side.exchange.place(world.account, foreign, world.now_us)
    world.stage.advance(30)
    world.side.tick(world.now_us)
    assert other.status == "open"  # nothing of ours was: it was stopped
    again = order(world, 2)
    await venue.place(again)
    await venue.countdown(20)
    world.stage.advance(21)
    world.side.tick(world.now_us)
    report = await venue.find(again)
    assert report is not None
    assert report.status == "cancelled"


async def test_executions_are_read_over_weeks_and_pages(
    world: IndodaxWorld, venue: IndodaxVenue, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(histories, "_ROWS", 10)
    mine = order(world, amount=D("0.03"))
    await venue.place(mine)
    for number, _ in product(range(3), range(9)):
        world.stage.advance(DAY * 3 / 9)
        world.offer(world.low, D("0.001"))
        world.offer(world.low, D(0))
        if number == 1:  # others of the account are between them
            await venue.place(order(world, world.stage.now // SECOND, price=world.best("ask")[0], amount=D("0.0001")))
    report = await venue.find(mine)
    assert report is not None
    there = world.orders()[0]
    assert [int(fill.id) for fill in report.fills] == [fill.id for fill in there.fills]
    assert (len(report.fills), report.filled) == (27, D("0.027"))
    assert report.status == "open"


async def test_nothing_secret_is_shown(world: IndodaxWorld, venue: IndodaxVenue) -> None:
    shown = f"{venue!r} {venue._client!r} {world.account!r}"
    assert "of-the-test" not in shown.replace(world.account.key, "")
