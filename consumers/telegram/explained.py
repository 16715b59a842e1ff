"""Finds what became of an alert's messages: those that were sent or dropped, and those that wait."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Final

from contracts import streams, subjects
from contracts.services.explaining import Deliveries, Delivery, DeliveryState, FindDeliveries
from contracts.services.telegram.jobs import State, TelegramJob, TelegramResult, is_of_alert
from runtime import clock
from runtime.nats.bus import Bus
from runtime.nats.streams.past import scan_past
from runtime.nats.streams.reader import Row

SECOND_NS: Final = 1_000_000_000
_BEFORE_NS: Final = 60 * SECOND_NS
_WITHIN_NS: Final = 3_600 * SECOND_NS  # what is everybody's and was not sent by then was dropped long before
_OWN_WITHIN_NS: Final = 2 * 86_400 * SECOND_NS  # of a price alert
_READ_SECONDS: Final = 2.5
_Row = tuple[int, DeliveryState, str | None, int | None]
"""(chat, state, reason, when: ns UTC)."""
_WAITS: Final[tuple[DeliveryState, str | None, int | None]] = ("waiting", None, None)
_STATES: Final[dict[State, DeliveryState]] = {
    "done": "done",
    "digested": "done",
    "dropped": "failed",
    "failed": "failed",
}


async def find_deliveries(bus: Bus, waiting: Iterable[TelegramJob], query: FindDeliveries) -> Deliveries:
    """Return what was done with an alert, the oldest first."""
    found: dict[str, TelegramResult] = {}

    def on_rows(rows: Sequence[Row]) -> None:
        for row in rows:
            if _may_be(row.payload, query.id):
                result = TelegramResult.model_validate_json(row.payload)
                if is_of_alert(result.id, query.id):
                    found[result.id] = result

    begin = query.since - _BEFORE_NS
    within, chats = (_WITHIN_NS, "*") if query.chat is None else (_OWN_WITHIN_NS, str(query.chat))
    span = (begin, min(clock.now_ns(), begin + within))
    wanted = (f"{subjects.TELEGRAM_RESULT}{chats}.>",)
    await scan_past(bus, streams.TELEGRAM, wanted, span, on_rows=on_rows, timeout=_READ_SECONDS)
    asked = (job for job in waiting if query.chat in {None, job.chat_id})
    waits = [job for job in asked if job.id not in found and is_of_alert(job.id, query.id)]
    return Deliveries(deliveries=list_deliveries(sorted(found.values(), key=lambda one: one.ts), waits, query))


def list_deliveries(
    results: Sequence[TelegramResult], waiting: Sequence[TelegramJob], query: FindDeliveries
) -> list[Delivery]:
    """Return what the asker may see: its own chat, and how many others there are. Pure."""
    own: list[Delivery] = []
    others: Counter[tuple[DeliveryState, str | None]] = Counter()
    newest: dict[tuple[DeliveryState, str | None], int] = {}
    rows: list[_Row] = [(one.asked_chat_id, _STATES[one.state], _reason_of(one), one.ts) for one in results]
    for chat_id, state, reason, at in [*rows, *((job.chat_id, *_WAITS) for job in waiting)]:
        if query.owner is None or chat_id == query.chat or query.owner == f"telegram:{chat_id}":
            own.append(Delivery(to="telegram", target=str(chat_id), state=state, at=at, reason=reason))
            continue
        others[state, reason] += 1
        if at is not None:
            newest[state, reason] = at
    return own + [
        Delivery(
            to="telegram", target=f"{count} chat{'s' * (count > 1)}", state=kind[0], at=newest.get(kind), reason=kind[1]
        )
        for kind, count in others.items()
    ]


def _reason_of(result: TelegramResult) -> str | None:
    return "in a message for many" if result.state == "digested" else result.reason


def _may_be(payload: bytes, alert_id: str) -> bool:
    """Return whether a result may be of an alert: its id may be cut at its beginning."""
    return alert_id[-32:].encode() in payload
