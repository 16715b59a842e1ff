"""Actions in pages: up to fifty of one request in one document of `actions`.

An action is found by its id: that names its request and its place there, and so its page. What a page says for all of
its rows stands in none of them: the group, the time, the request, and by the place of a row its number in the group.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from itertools import groupby
from typing import Any, Final

from consumers.community.store.days import end_of_day
from runtime.store import Document

MOST_ROWS: Final = 50  # of one page; what is written stays in pages of this size, so it is not to be changed
DONE: Final = "done"  # the state of a row that names none
Fits = Callable[[Mapping[str, Any]], bool]


def page_id(action_id: str) -> str:
    """Return the id of the page that holds an action, if there is one."""
    batch, _, number = action_id.partition(".")
    return f"{batch}:{int(number or 0) // MOST_ROWS}"


def pages_of(key: str, entries: Mapping[str, Document], first: int, at: datetime) -> list[Document]:
    """Return the pages of new actions by id, in the order of their ids; the first one has the number `first`."""
    ends, pages = end_of_day(at), list[Document]()
    for name, ids in groupby(entries, key=page_id):
        rows = [_row(one, entries[one]) for one in ids]
        by_rule = {"by_rule": True} if any("rule_id" in row for row in rows) else {}
        place = {"first": first, "last": first + len(rows) - 1}
        pages.append({"_id": name, "group": key, **place, "at": at, "ended_at": ends, **by_rule, "rows": rows})
        first += len(rows)
    return pages


def _row(action_id: str, entry: Mapping[str, Any]) -> Document:
    state = {} if entry["state"] == DONE else {"state": entry["state"]}
    fields = {name: value for name, value in entry.items() if name != "state"}
    return {"number": int(action_id.partition(".")[2]), **fields, **state}


def actions_of(page: Mapping[str, Any], fits: Fits = lambda _row: True) -> list[Document]:
    """Return the actions of a page in the order of their numbers, those whose rows fit."""
    batch, first, at = page["_id"].partition(":")[0], page["first"], page["at"]
    return [
        {"id": f"{batch}.{row['number']}", "seq": first + place, "at": at, "state": DONE, **row}
        for place, row in enumerate(page["rows"])
        if fits(row)
    ]


def has(given: Mapping[str, Any]) -> Fits:
    """Return what says whether a row has all of these values."""
    wanted = tuple(given.items())
    return lambda row: all(row.get(name) == value for name, value in wanted)


def changes_of(page: Mapping[str, Any], fields: Mapping[str, Mapping[str, Any]]) -> Document:
    """Return what sets fields of a page's actions, by their ids; a row stays in its place, whoever writes it."""
    batch = page["_id"].partition(":")[0]
    return {
        f"rows.{place}.{name}": value
        for place, row in enumerate(page["rows"])
        for name, value in fields.get(f"{batch}.{row['number']}", {}).items()
    }


def entry_of_single(document: Mapping[str, Any]) -> Document:
    """Return the entry of an action that was a document of its own (see `migrations`)."""
    said = {"_id", "group", "seq", "at", "ended_at", "by_rule"}
    return {name: value for name, value in document.items() if name not in said and value is not None}


def newest_first(actions: Iterable[Document]) -> list[Document]:
    """Return actions, the greatest number first."""
    return sorted(actions, key=lambda one: one["seq"], reverse=True)


def standing(pages: Iterable[Mapping[str, Any]], fits: Fits) -> list[Document]:
    """Return the actions of pages that were done, were not taken back, and fit, the newest first."""
    return newest_first(one for page in pages for one in actions_of(page, lambda row: "state" not in row and fits(row)))
