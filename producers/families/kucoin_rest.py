"""KuCoin's REST, spot and futures: budget, envelope, listing, rows of the past, and what its failures mean.

Pages: https://www.kucoin.com/docs-new/rate-limit, https://www.kucoin.com/docs-new/error-code
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

import msgspec
from msgspec import Raw, Struct

from contracts.errors import FrameError
from contracts.instrument import Instrument
from producers.connection.frames import read_each
from producers.venue import Decoded, RestBudget, RestCall, RestFailure, Unreadable

BUDGET: Final = RestBudget(weight=2000, seconds=30.0)  # of an address; the pages give more to known accounts only
_OK: Final = 200
_TOO_MANY: Final = 429
_SUCCESS: Final = "200000"
_LIMITED: Final = "429000"
_WINDOW_SECONDS: Final = 30.0
_MOST_PAUSE: Final = 600.0


class _Rows(Struct):
    """A list, of candles or trades null where there are none."""

    data: list[Raw] | None


class _Listing(Struct, gc=False):
    data: list[Raw]


class _Envelope(Struct):
    """`{"code":"400100","msg":"symbol is required"}`; `200000` is success, whatever HTTP says."""

    code: str
    msg: str = ""


_read_rows: Final = msgspec.json.Decoder(_Rows).decode
_read_listing: Final = msgspec.json.Decoder(_Listing).decode
_read_envelope: Final = msgspec.json.Decoder(_Envelope).decode


def failure(status: int, headers: Mapping[str, str], body: bytes) -> RestFailure | None:
    """Judge an answer; one that came too fast pauses until the venue's window is over (`gw-ratelimit-reset`, ms)."""
    try:
        envelope = _read_envelope(body)
    except msgspec.DecodeError as error:
        envelope = _Envelope(str(status), f"HTTP {status}, and no answer of the venue: {error}")
    if status == _OK and envelope.code == _SUCCESS:
        return None
    pause: float | None = None
    if status in {_TOO_MANY, 403} or envelope.code == _LIMITED:
        after, reset = headers.get("retry-after", ""), headers.get("gw-ratelimit-reset", "")
        pause = float(after) if after.isdecimal() else float(reset) / 1000 if reset.isdecimal() else _WINDOW_SECONDS
        pause = min(pause, _MOST_PAUSE)
    return RestFailure(envelope.msg or f"HTTP {status}", envelope.code, pause)


def decode_listing(
    body: bytes, read: Callable[[Raw], Instrument | None]
) -> tuple[list[Instrument | Unreadable], RestCall | None]:
    """Return what `read` makes of each row of the listing, which comes in one page."""
    return read_each(_read_listing(body).data, read), None


def decode_rows(body: bytes, what: str, read: Callable[[Raw], Any]) -> list[Decoded]:
    """Return what `read` makes of each candle or trade; raises FrameError that names `what` for no such answer."""
    try:
        rows = _read_rows(body).data or []
    except msgspec.DecodeError as error:
        raise FrameError(f"{what}: {error}", field="data") from error
    return read_each(rows, read)
