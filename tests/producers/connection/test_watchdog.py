"""The watchdog notices what a connection owes: acks, first data, data on each channel, any frame at all."""

from __future__ import annotations

from dataclasses import replace

from contracts.instrument import make_instrument
from producers.connection.watchdog import Lost, Patience, Stale, Watchdog
from producers.venue import ConnectionPlan, ConnectionPolicy, SubscribeRequest, Subscription

BTC = make_instrument("binance", "BTC/USDT", "BTCUSDT")
ETH = make_instrument("binance", "ETH/USDT", "ETHUSDT")
TRADES = Subscription("btcusdt@trade", "trade", BTC, silence=20)
BOOK = Subscription("btcusdt@depth", "book", BTC, silence=10)
ETH_TRADES = Subscription("ethusdt@trade", "trade", ETH, silence=20)
QUIET = Subscription("!forceOrder", "liquidation", None)
REQUEST = SubscribeRequest("1", "{}", frozenset({TRADES.key, BOOK.key}))
PLAN = ConnectionPlan("p", "spot", "ws://x", (TRADES, BOOK, ETH_TRADES, QUIET), (REQUEST,))
POLICY = ConnectionPolicy(quiet=60, ack_deadline=5, first_data_deadline=30, max_age=1000)


def make_watchdog(policy=POLICY, patience=None):
    return Watchdog(PLAN, policy, patience or Patience(), now=0.0)


def feed(watchdog, *, now, trades=("BTC/USDT", "ETH/USDT"), books=("BTC/USDT",)):
    watchdog.now = now
    watchdog.on_frame()
    for symbol in trades:
        watchdog.on_event("trade", symbol)
    for symbol in books:
        watchdog.on_event("delta", symbol)


def stale(verdict):
    assert isinstance(verdict, Stale)
    return verdict.subscription


def test_connection_with_data_on_every_channel_is_fine():
    watchdog = make_watchdog()
    for second in range(0, 100, 5):
        feed(watchdog, now=second)
        assert watchdog.verdicts(second) == []


def test_missing_ack_loses_the_connection_and_names_the_subscription():
    watchdog = make_watchdog()
    watchdog.on_sent(REQUEST)
    assert not watchdog.acked
    assert watchdog.verdicts(5) == []
    (verdict,) = watchdog.verdicts(5.1)
    assert isinstance(verdict, Lost)
    assert "btcusdt@trade" in verdict.reason


def test_ack_of_the_request_covers_its_subscriptions():
    watchdog = make_watchdog()
    watchdog.on_sent(REQUEST)
    watchdog.on_ack("1")
    assert watchdog.acked


def test_request_without_subscriptions_is_waited_for_by_its_own_name():
    login = SubscribeRequest("login", "{}", frozenset(), gate=True)
    watchdog = make_watchdog()
    watchdog.on_sent(login)
    assert not watchdog.answered(login)
    watchdog.on_ack("login")
    assert watchdog.answered(login)


def test_ack_of_one_subscription_leaves_the_others_waiting():
    watchdog = make_watchdog()
    watchdog.on_sent(REQUEST)
    watchdog.on_ack(TRADES.key)
    (verdict,) = watchdog.verdicts(6)
    assert isinstance(verdict, Lost)
    assert verdict.reason.endswith("btcusdt@depth")


def test_silence_of_one_channel_is_noticed_while_others_speak():
    watchdog = make_watchdog()
    feed(watchdog, now=0)
    feed(watchdog, now=15, books=())
    (verdict,) = watchdog.verdicts(15)
    assert isinstance(verdict, Stale)
    assert verdict.subscription is BOOK


def test_silence_of_one_instrument_is_noticed_while_others_of_the_channel_speak():
    watchdog = make_watchdog()
    feed(watchdog, now=0)
    feed(watchdog, now=25, trades=("BTC/USDT",))
    assert [stale(item) for item in watchdog.verdicts(25)] == [ETH_TRADES]


def test_silence_is_told_once():
    watchdog = make_watchdog()
    feed(watchdog, now=0)
    feed(watchdog, now=15, books=())
    assert len(watchdog.verdicts(15)) == 1
    assert watchdog.verdicts(16) == []


def test_channel_that_never_spoke_is_noticed_after_the_first_data_deadline():
    watchdog = make_watchdog()
    for now in (0, 10, 20, 29):
        feed(watchdog, now=now, trades=("BTC/USDT",))
        assert watchdog.verdicts(now) == []
    feed(watchdog, now=31, trades=("BTC/USDT",))
    assert [stale(item) for item in watchdog.verdicts(31)] == [ETH_TRADES]


def test_quiet_channel_without_a_limit_is_never_stale():
    watchdog = make_watchdog()
    for second in range(0, 500, 5):
        feed(watchdog, now=second)
        assert all(item.subscription is not QUIET for item in watchdog.verdicts(second) if isinstance(item, Stale))


def test_patience_doubles_with_each_silence_and_is_forgotten_with_data():
    patience = Patience()
    assert patience.limit(BOOK) == 10
    patience.on_silence(BOOK)
    patience.on_silence(BOOK)
    assert patience.limit(BOOK) == 40
    patience.on_data(BOOK.key)
    assert patience.limit(BOOK) == 10
    assert patience.limit(QUIET) is None


def test_no_frame_at_all_loses_the_connection():
    watchdog = make_watchdog()
    feed(watchdog, now=0)
    watchdog.verdicts(0)
    (verdict,) = watchdog.verdicts(61)
    assert isinstance(verdict, Lost)
    assert "60 s" in verdict.reason


def test_announced_close_is_left_before_it_comes():
    watchdog = make_watchdog()
    feed(watchdog, now=0)
    watchdog.on_closing("notice 64008", 30)
    assert not any(isinstance(item, Lost) for item in watchdog.verdicts(9))
    feed(watchdog, now=15)
    assert watchdog.verdicts(15.1) == [Lost("notice 64008")]


def test_connection_is_renewed_before_the_venue_forces_it():
    watchdog = make_watchdog(replace(POLICY, max_age=50))
    for second in range(0, 50, 5):
        feed(watchdog, now=second)
        assert watchdog.verdicts(second) == []
    feed(watchdog, now=51)
    (verdict,) = watchdog.verdicts(51)
    assert isinstance(verdict, Lost)


def test_refusal_names_its_subscriptions_and_ends_the_wait():
    watchdog = make_watchdog()
    watchdog.on_sent(REQUEST)
    assert watchdog.on_refused("1", "no such symbol") == REQUEST.keys
    assert watchdog.acked
    feed(watchdog, now=40, trades=("ETH/USDT",), books=())
    assert watchdog.verdicts(40) == []


def test_refusal_without_a_name_ends_the_wait_of_all():
    watchdog = make_watchdog()
    watchdog.on_sent(REQUEST)
    assert watchdog.on_refused(None, "bad") == REQUEST.keys


def test_answer_that_leaves_subscriptions_out_gives_them_for_refusal():
    watchdog = make_watchdog()
    watchdog.on_sent(REQUEST)
    assert watchdog.on_answered("1", frozenset({TRADES.key})) == [BOOK.key]
    assert not watchdog.acked
    watchdog.on_refused(BOOK.key, "left out")
    assert watchdog.acked
    assert watchdog.on_answered("1", REQUEST.keys) == []


def test_book_is_heard_once_its_subscription_is_answered():
    watchdog = make_watchdog()
    assert not watchdog.is_book_subscribed(BTC)  # not even sent
    watchdog.on_sent(REQUEST)
    assert not watchdog.is_book_subscribed(BTC)
    watchdog.on_ack("1")
    assert watchdog.is_book_subscribed(BTC)


# ---- how long it was silent
ETH_BOOK = Subscription("ethusdt@depth", "book", ETH, silence=10)
TICKERS = (
    Subscription("btcusdt@bbo", "ticker", BTC, silence=10),
    Subscription("ethusdt@bbo", "ticker", ETH, silence=10),
)


def silent_after(last, *, now, others=()):
    """Give the verdicts where each (kind, symbol) had its last data then; `others` go on until now."""
    plan = replace(PLAN, subscriptions=(TRADES, ETH_TRADES, BOOK, ETH_BOOK, *TICKERS))
    watchdog = Watchdog(plan, POLICY, Patience(), now=0.0)
    for (kind, symbol), at in sorted(last.items(), key=lambda item: item[1]):
        watchdog.now = at
        watchdog.on_event(kind, symbol)
    watchdog.now = now
    watchdog.on_frame()
    for kind, symbol in others:
        watchdog.on_event(kind, symbol)
    verdicts = watchdog.verdicts(now)
    assert all(isinstance(verdict, Stale) for verdict in verdicts)
    return [(v.subscription.key, round(v.seconds, 1)) for v in verdicts if isinstance(v, Stale)]


BOTH = ("BTC/USDT", "ETH/USDT")
TRADED = [("trade", symbol) for symbol in BOTH]
QUOTED = [("ticker", symbol) for symbol in BOTH]


def test_a_lost_connection_says_for_how_long_nothing_came():
    watchdog = make_watchdog()
    feed(watchdog, now=7)
    (verdict,) = watchdog.verdicts(67.5)
    assert isinstance(verdict, Lost)
    assert verdict.seconds == 60.5


def test_a_channel_of_which_nothing_comes_of_any_instrument_is_silent_as_a_whole():
    books = {("delta", "BTC/USDT"): 1.0, ("delta", "ETH/USDT"): 3.0}
    assert silent_after(books, now=11.5, others=[*TRADED, *QUOTED]) == [("btcusdt@depth", 10.5), ("book", 8.5)]
    tickers = {("ticker", "BTC/USDT"): 1.0, ("ticker", "ETH/USDT"): 3.0}
    others = [*TRADED, *(("delta", symbol) for symbol in BOTH)]
    assert silent_after(tickers, now=11.5, others=others) == [("btcusdt@bbo", 10.5), ("ticker", 8.5)]


def test_one_quiet_instrument_and_quiet_trades_are_no_silent_channel():
    books = {("delta", "BTC/USDT"): 1.0, ("delta", "ETH/USDT"): 8.0}
    assert silent_after(books, now=11.5, others=[*TRADED, *QUOTED]) == [("btcusdt@depth", 10.5)]
    trades = {("trade", "BTC/USDT"): 1.0, ("trade", "ETH/USDT"): 3.0}
    others = [*QUOTED, *(("delta", symbol) for symbol in BOTH)]
    assert silent_after(trades, now=22.0, others=others) == [("btcusdt@trade", 21.0)]
