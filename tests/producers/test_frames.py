"""One row that cannot be read costs that row; what the contract refuses does not come out."""

from __future__ import annotations

import json
from typing import Any

from contracts.errors import FrameError
from contracts.instrument import make_instrument
from producers.connection.frames import FrameReader, rows_at
from producers.normalize.events import Makers

NOW = 1_795_600_000 * 10**9


class Rows:
    """A decoder of `{"data":[{"id":…}]}` that reads no row called "bad"."""

    def __init__(self, *, recorded: bool = False) -> None:
        self._make = Makers(sim=False, recorded=recorded).maker("trade", make_instrument("v", "A/B", "AB"))

    def decode(self, frame: bytes, ts_recv: int) -> list[Any]:
        return [self._trade(row, ts_recv) for row in json.loads(frame)["data"]]

    def _trade(self, row: Any, ts_recv: int) -> Any:
        if row["id"] == "bad":
            raise FrameError("row bad cannot be named")
        return self._make(
            id=row["id"], ts_event=row.get("ts", NOW), ts_recv=ts_recv, trade_id="1", price="1", seq=row.get("seq")
        )


def read(*rows: Any, recorded: bool = False) -> list[str]:
    reader = FrameReader(Rows(recorded=recorded), rows_at(("data",)))
    frame = json.dumps({"a": 1, "data": list(rows)}).encode()
    return [f"- {item.error}" if item.kind == "unreadable" else item.id for item in reader.read(frame, NOW)]


def test_bad_row_costs_that_row() -> None:
    assert read({"id": "1"}, {"id": "bad"}, {"id": "2"}) == ["1", "- row bad cannot be named", "2"]
    assert read({"id": "bad"}) == ["- row bad cannot be named"]
    assert read({"id": "1"}, 5)[0] == "1"


def test_what_the_contract_refuses_is_unreadable() -> None:
    assert read({"id": "1", "seq": 2**63}, {"id": "2"}) == [f"- trade of A/B: seq {2**63} is no int64", "2"]
    assert read({"id": "é"})[0].startswith("- trade of A/B: the id")
    assert read({"id": "x" * 257})[0].startswith("- trade of A/B: the id")
    assert "is no time" in read({"id": "1", "ts": 0})[0]
    assert "more than a day after" in read({"id": "1", "ts": NOW + 86_401 * 10**9})[0]
    assert read({"id": "1", "ts": 1}) == ["1"], "an old print is a print"


def test_receipt_of_a_recording_may_be_of_another_clock() -> None:
    assert read({"id": "1", "ts": NOW + 10**18}, recorded=True) == ["1"]
    assert "no int64" in read({"id": "1", "ts": 2**63}, recorded=True)[0]


def test_nesting_without_end_is_unreadable() -> None:
    items = FrameReader(Rows(), rows_at(("data",))).read(b"[" * 20_000, NOW)
    assert [item.kind for item in items] == ["unreadable"]


def test_rows_are_found_at_their_paths() -> None:
    split = rows_at(("data",), ("data", 0, "details"), (1,))
    assert split(b'{"x":1.50,"data":[1,2]}') == [b'{"x":1.50,"data":[1]}', b'{"x":1.50,"data":[2]}']
    inner = b'{"data":[{"n":"A","details":[{"p":1},{"p":2}]}]}'
    assert split(inner) == [
        b'{"data":[{"n":"A","details":[{"p":1}]}]}',
        b'{"data":[{"n":"A","details":[{"p":2}]}]}',
    ]
    assert split(b'[8,[[1],[2]],"z"]') == [b'[8,[[1]],"z"]', b'[8,[[2]],"z"]']
    assert rows_at(())(b"[1,2]") == [b"[1]", b"[2]"]
    assert split(b'{"data":[1]}') == split(b'{"data":{"a":1}}') == split(b"[8]") == []
