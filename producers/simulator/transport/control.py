"""The simulator's own HTTP face for other processes: `/_control/...`, JSON answers, 400 that names the parameter."""

from __future__ import annotations

import json
from typing import Any, Protocol, cast

from producers.simulator.faults import Fault, Kind
from producers.simulator.hub import Answer, encode
from producers.simulator.private.control import open_account, read_private_fault
from producers.simulator.private.side import PrivateSide
from producers.simulator.venue import Truth


class Controls(Protocol):
    """What can be ordered of a running simulator."""

    def inject(self, fault: Fault) -> None:
        """Orders a fault."""
        ...

    def clear_faults(self) -> None:
        """Ends every fault."""
        ...

    def pause(self) -> None:
        """Freezes the market."""
        ...

    def resume(self) -> None:
        """Lets it move again."""
        ...

    def book(self, venue: str, market: str, venue_symbol: str) -> Truth:
        """The true book."""
        ...

    def cut(self, venue: str | None = None) -> bool:
        """Aborts one random socket."""
        ...

    def stats(self) -> dict[str, object]:
        """Counters."""
        ...

    def private(self, venue: str) -> PrivateSide:
        """A venue's accounts and orders, and what goes wrong with them."""
        ...

    @property
    def now_us(self) -> int:
        """The venues' clock."""
        ...


def answer_control(controls: Controls, path: str, query: dict[str, str]) -> Answer:
    """Carries out one order, e.g. `/_control/fault?venue=binance&kind=gap&channel=depth&count=2`."""
    try:
        return Answer(200, encode(_carry_out(controls, path.removeprefix("/_control/"), query)))
    except LookupError as error:
        return Answer(404, encode({"error": str(error.args[0])}))
    except ValueError as error:
        return Answer(400, encode({"error": str(error)}))


def read_fault(query: dict[str, str]) -> Fault:
    """A fault from query parameters; ValueError names the parameter at fault."""
    known = {"venue", "kind", "channel", "symbol", "count", "seconds", "probability", "delay"}
    for name in query:
        if name not in known:
            raise ValueError(f"{name}: unknown parameter, known are {', '.join(sorted(known))}")
    seconds = query.get("seconds")
    return Fault(
        venue=_required(query, "venue"),
        kind=cast("Kind", _required(query, "kind")),
        channel=query.get("channel") or None,
        symbol=query.get("symbol") or None,
        count=_count(query.get("count", "1")),
        seconds=None if seconds is None else _number("seconds", seconds),
        probability=_number("probability", query.get("probability", "1")),
        delay=_number("delay", query.get("delay", "0.5")),
    )


def _carry_out(controls: Controls, order: str, query: dict[str, str]) -> object:
    if order == "stats":
        return controls.stats()
    if order == "book":
        return controls.book(_required(query, "venue"), _required(query, "market"), _required(query, "symbol"))
    if order == "cut":
        return {"cut": controls.cut(query.get("venue") or None)}
    if order == "fault":
        controls.inject(read_fault(query))
    elif order == "account":
        return open_account(controls.private(_required(query, "venue")), query)
    elif order == "private":
        controls.private(_required(query, "venue")).faults.order(read_private_fault(query), controls.now_us)
    elif order == "clear":
        controls.clear_faults()
    elif order == "pause":
        controls.pause()
    elif order == "resume":
        controls.resume()
    else:
        names = "fault, clear, account, private, pause, resume, book, cut and stats"
        raise LookupError(f"{order}: no such order; {names} are")
    return {"ok": True}


def _required(query: dict[str, str], name: str) -> str:
    if not query.get(name):
        raise ValueError(f"{name}: missing")
    return query[name]


def _number(name: str, text: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise ValueError(f"{name}: {text!r} is not a number") from None


def _count(text: str) -> int | None:
    if text in ("", "none", "all"):
        return None
    try:
        return int(text)
    except ValueError:
        raise ValueError(f"count: {text!r} is not a whole number") from None


def shorten_batch(text: str) -> str:
    """The request without the last entry of its batch: what a venue that acts on a part only would have read."""
    try:
        message = json.loads(text)
    except json.JSONDecodeError:
        return text
    if not isinstance(message, dict):
        return text
    order = cast("dict[str, Any]", message)
    params = order.get("params")
    if isinstance(params, dict):
        order["params"] = _shorten(cast("dict[str, Any]", params))
    return encode(_shorten(order))


def _shorten(order: dict[str, Any]) -> dict[str, Any]:
    topic = order.get("topic")
    if isinstance(topic, str) and "," in topic:
        return order | {"topic": topic.rpartition(",")[0]}
    batches = {key: order.get(key) for key in ("params", "args", "product_ids", "symbol", "channels")}
    return order | {key: cast("list[Any]", rows)[:-1] for key, rows in batches.items() if isinstance(rows, list)}
