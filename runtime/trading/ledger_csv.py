"""The ledger as CSV (RFC 4180), safe to be opened in a spreadsheet. Pure.

A text that a spreadsheet would take for a formula gets an apostrophe before it; a number is left as it is.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable
from datetime import UTC, datetime
from decimal import Decimal
from io import StringIO
from typing import Final

from contracts.services.trading.portfolio import LEDGER_COLUMNS, LedgerRow

_FORMULA: Final = re.compile(r"[\s\x00]*[=+\-@|%\uff1d\uff0b\uff0d\uff20]")


def ledger_csv(rows: Iterable[LedgerRow], *, head: bool = True) -> str:
    """Return rows as lines of CSV, those of the columns' names first where there is to be a `head`."""
    out = StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    if head:
        writer.writerow(LEDGER_COLUMNS)
    for row in rows:
        writer.writerow([_cell(getattr(row, column)) for column in LEDGER_COLUMNS])
    return out.getvalue()


def _cell(value: object) -> str:
    match value:
        case Decimal():
            return format(value, "f")
        case datetime():
            return value.astimezone(UTC).isoformat().replace("+00:00", "Z")
        case _:
            text = str(value)
            return f"'{text}" if _FORMULA.match(text) or text.startswith(("\t", "\r", "\n")) else text
