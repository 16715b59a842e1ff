"""What becomes of one order, from the intent to its end. Pure: what the venue said and the time go in.

An order is sent once at most. Whoever does not know whether the venue has it asks the venue, with growing pauses, and
never sends it again. What the venue does not know after the last question is given up: it is looked for a few times
more, and cancelled where it turns up all the same. What has ended is looked at once more, for executions that the venue
reports late.

A few lines over the usual length of a file: one order's way from the intent to its end.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from decimal import Decimal
from functools import reduce
from typing import Final, Literal

from contracts.arithmetic.exact import EXACT, FINE, rounded
from contracts.services.trading.refusals import Refusal, refusal

Side = Literal["buy", "sell"]
OrderType = Literal["market", "limit"]
Status = Literal["intended", "unknown", "open", "filled", "cancelled", "rejected"]
VenueStatus = Literal["open", "filled", "cancelled", "rejected"]
Step = Literal["send", "look", "cancel", "wait", "done"]
SECOND: Final = 1_000_000_000
LOOK_AFTER: Final = (1 * SECOND, 3 * SECOND, 10 * SECOND, 30 * SECOND)  # for one that may not have reached the venue
LATE_AFTER: Final = (60 * SECOND, 300 * SECOND, 1800 * SECOND)  # for one that was given up
WATCH_AFTER: Final = 5 * SECOND  # for one that is open
INTENT_LIFE: Final = 30 * SECOND  # what could not be sent by then is not sent: its owner meant the market of then
FINAL: Final[frozenset[Status]] = frozenset({"filled", "cancelled", "rejected"})
_ZERO: Final = Decimal(0)


class SentBeforeError(RuntimeError):
    """The order was sent before: sending it again could make two of it."""


@dataclass(frozen=True, slots=True)
class Fill:
    """One execution as the venue reports it; `fee` in `fee_currency`, below zero for a rebate. `ts` ns UTC."""

    id: str
    amount: Decimal
    price: Decimal
    fee: Decimal
    fee_currency: str
    ts: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What a venue says of an order; `filled` is what it counts, `fills` are those executions that it names.

    `symbol` as the venue says it, None where it does not.
    """

    venue_order_id: str
    client_id: str | None
    status: VenueStatus
    filled: Decimal = _ZERO
    fills: tuple[Fill, ...] = ()
    reason: str | None = None
    symbol: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """One order as it is kept. Times are ns UTC; `version` grows with each change."""

    id: str
    client_id: str
    account: str
    owner: str
    venue: str
    symbol: str
    side: Side
    type: OrderType
    amount: Decimal
    price: Decimal | None = None
    post_only: bool = False
    reduce_only: bool = False
    strategy: str | None = None
    created_ns: int
    status: Status = "intended"
    sent_ns: int | None = None
    looks: int = 0  # questions in a row that were not answered with what was asked for
    look_ns: int | None = None  # when to ask next
    venue_order_id: str | None = None
    counted: Decimal = _ZERO  # filled, by the venue's own count
    fills: tuple[Fill, ...] = ()
    cancel_ns: int | None = None  # since when it is to be cancelled
    cancelling: bool = False  # whether the venue was asked to and its answer is not known
    given_up_ns: int | None = None
    reason: str | None = None
    error: Refusal | None = None  # why it was rejected; None in every other status
    updated_ns: int = 0
    version: int = 1
    published: int = 0  # the version that is on the bus

    @property
    def named(self) -> Decimal:
        """How much the executions that are known come to."""
        return reduce(EXACT.add, (fill.amount for fill in self.fills), _ZERO)

    @property
    def filled(self) -> Decimal:
        """How much was executed: by the venue's count, or by the executions that it named where these are more."""
        return max(self.counted, self.named)

    @property
    def average_price(self) -> Decimal | None:
        """Volume-weighted over the executions that are known; None without any."""
        if not (amount := self.named):
            return None
        value = reduce(EXACT.add, (EXACT.multiply(fill.amount, fill.price) for fill in self.fills), _ZERO)
        return rounded(FINE.divide(value, amount))

    @property
    def is_final(self) -> bool:
        """Whether it has ended at the venue, as far as is known."""
        return self.status in FINAL

    @property
    def is_finished(self) -> bool:
        """Whether nothing is to be done about it any more."""
        return self.is_final and self.look_ns is None and self.published >= self.version


def next_step(order: Order, now_ns: int) -> Step:
    """Return what is to be done with an order now."""
    if order.status == "intended":
        return "send"
    if order.look_ns is not None and order.look_ns > now_ns:
        return "wait"
    if order.is_final:
        return "done" if order.look_ns is None else "look"
    if order.status == "open" and order.cancel_ns is not None and not order.cancelling:
        return "cancel"
    return "look"


def on_sending(order: Order, now_ns: int) -> Order:
    """Return it as it is to be kept before it is sent; raises SentBeforeError where it was sent before."""
    if order.sent_ns is not None or order.status != "intended":
        raise SentBeforeError(f"order {order.id} was sent at {order.sent_ns}")
    return _changed(order, now_ns, status="unknown", sent_ns=now_ns, look_ns=now_ns + LOOK_AFTER[0])


def is_stale(order: Order, now_ns: int) -> bool:
    """Return whether an intent is too old to be sent."""
    return order.status == "intended" and now_ns - order.created_ns > INTENT_LIFE


def on_refused(order: Order, error: Refusal, now_ns: int) -> Order:
    """Return it after the venue, or whoever may forbid it, said no before it was accepted."""
    if order.is_final or order.venue_order_id is not None:
        return order
    return _changed(order, now_ns, status="rejected", reason=error.message, error=error, look_ns=None, cancelling=False)


def on_unclear(order: Order, reason: str, now_ns: int) -> Order:
    """Return it after a request whose outcome is not known: the venue will be asked."""
    reason = order.reason or reason if order.is_final else reason
    look_ns = now_ns + _pause(LOOK_AFTER, order.looks)
    if reason == order.reason:
        return replace(order, look_ns=look_ns)
    return _changed(order, now_ns, reason=reason, look_ns=look_ns)


def on_absent(order: Order, now_ns: int) -> Order:
    """Return it after the venue said that it has no such order; given up after the last question.

    Before that it has no new version, only the time of the next question.
    """
    looks = order.looks + 1
    if order.given_up_ns is not None:
        more = looks < len(LATE_AFTER)
        return replace(order, looks=looks, look_ns=now_ns + LATE_AFTER[looks] if more else None)
    if order.is_final and order.named >= order.filled:  # venues forget what ended without an execution
        return replace(order, looks=looks, look_ns=None)
    if order.venue_order_id is not None:  # it was there: what it became is not said yet
        return replace(order, looks=looks, look_ns=now_ns + _pause(LOOK_AFTER, looks))
    if looks < len(LOOK_AFTER):
        return replace(order, looks=looks, look_ns=now_ns + LOOK_AFTER[looks])
    reason = f"the venue does not have it after {looks} questions"
    return _changed(
        order,
        now_ns,
        status="cancelled" if order.cancel_ns is not None else "rejected",
        reason=reason,
        error=refusal("NOT_FOUND_AT_VENUE", reason),
        looks=0,
        look_ns=now_ns + LATE_AFTER[0],
        cancelling=False,
        given_up_ns=now_ns,
    )


def on_report(order: Order, report: Report, now_ns: int) -> Order:
    """Return it after what the venue said of it; what it says late or twice changes nothing.

    One that is as it was gets no new version, only the time of the next question. One that was given up and is there
    all the same is to be cancelled.
    """
    late = order.given_up_ns is not None
    if order.is_final and not late:
        return _on_report_of_ended(order, report, now_ns)
    merged = _merged(order, report)
    status: Status = "filled" if report.status == "open" and merged.filled >= order.amount else report.status
    reason, error = "it reached the venue after it was given up" if late else report.reason, None
    if status == "rejected":
        reason = report.reason or "the exchange rejected it"
        error = refusal("VENUE_REFUSED", reason)
    after = _changed(
        merged,
        now_ns,
        status=status,
        reason=reason,
        error=error,
        cancel_ns=now_ns if late and order.cancel_ns is None else order.cancel_ns,
        cancelling=False,
        look_ns=_look_after(replace(merged, status=status), now_ns, late=late),
        looks=0,
        given_up_ns=None,
    )
    asked = replace(order, look_ns=after.look_ns, looks=0)
    same = replace(after, version=order.version, updated_ns=order.updated_ns) == asked
    return asked if same else after


def _on_report_of_ended(order: Order, report: Report, now_ns: int) -> Order:
    """Return one that has ended with the executions that were missing; asked for again while some are."""
    merged = _merged(order, report)
    status: Status = "filled" if merged.filled >= order.amount else order.status
    merged = replace(merged, status=status)
    if merged.named < merged.filled:
        looks = order.looks + 1
        after = replace(merged, looks=looks, look_ns=now_ns + _pause(LOOK_AFTER, looks))
    else:
        after = replace(merged, look_ns=None)
    if merged != order:
        return _changed(after, now_ns)
    return order if after == order else after


def on_found_open(order: Order, report: Report, now_ns: int) -> Order:
    """Return one that counts as ended after the venue, asked for it, said that it is open: it is to be cancelled."""
    if not order.is_final or order.given_up_ns is not None or _merged(order, report).filled >= order.amount:
        return on_report(order, report, now_ns)
    return _changed(
        _merged(order, report),
        now_ns,
        status="open",
        reason="the venue has it open after it had ended here",
        cancel_ns=order.cancel_ns or now_ns,
        cancelling=False,
        look_ns=None,
        looks=0,
    )


def on_cancel_wanted(order: Order, now_ns: int) -> Order:
    """Return it as it is to be cancelled; one that is not sent yet never will be."""
    if order.is_final or order.cancel_ns is not None:
        return order
    if order.status == "intended":
        return _changed(order, now_ns, status="cancelled", cancel_ns=now_ns, reason="cancelled before it was sent")
    return _changed(order, now_ns, cancel_ns=now_ns, look_ns=None if order.status == "open" else order.look_ns)


def on_cancelling(order: Order, now_ns: int) -> Order:
    """Return it as it is to be kept before the venue is asked to cancel it."""
    return _changed(order, now_ns, cancelling=True, look_ns=now_ns + LOOK_AFTER[0], looks=0)


def on_published(order: Order, version: int) -> Order:
    """Return it after a version of it was published."""
    return replace(order, published=max(order.published, version))


def _look_after(order: Order, now_ns: int, *, late: bool) -> int | None:
    """Return when the venue is to be asked again about one that it has just reported."""
    if order.is_final:
        return now_ns + LOOK_AFTER[1]
    if order.cancel_ns is not None or late:  # a cancel takes its time where it was asked for
        return now_ns + LOOK_AFTER[0] if order.cancelling else None
    return now_ns + (LOOK_AFTER[0] if order.type == "market" else WATCH_AFTER)


def _merged(order: Order, report: Report) -> Order:
    ids = {fill.id for fill in order.fills}
    fills = order.fills + tuple(fill for fill in dict.fromkeys(report.fills) if fill.id not in ids)
    counted = max(order.counted, report.filled)
    return replace(order, venue_order_id=report.venue_order_id, fills=fills, counted=counted)


def _pause(pauses: tuple[int, ...], looks: int) -> int:
    return pauses[min(looks, len(pauses) - 1)]


def _changed(order: Order, now_ns: int, **fields: object) -> Order:
    """Return its next version; only what is rejected has an error."""
    after = replace(order, version=order.version + 1, updated_ns=now_ns, **fields)  # type: ignore[arg-type]
    return after if after.status == "rejected" or after.error is None else replace(after, error=None)
