"""Gate's books as typed structs (pages: wire)."""

from __future__ import annotations

from typing import Final

from msgspec import Struct

from producers.venues.gate.wire import Envelope, Number, Row, reader


class SpotDepth(Struct, gc=False):
    """`{"t":1606294781123,"s":"BTC_USDT","U":48776301,"u":48776306,"b":[["19137.74","0"]],"a":[],"l":"100"}`.

    With `full` the levels are the whole book.
    """

    s: str
    u: int
    t: int | None = None
    U: int | None = None
    b: list[Row] | None = None
    a: list[Row] | None = None
    full: bool = False


class SpotDepths(Struct, gc=False):
    """Channels `spot.order_book_update`, `spot.obu` and `futures.obu`; the last two name `ob.BTC_USDT.50` as `s`."""

    result: SpotDepth


class NumberDepth(Struct, gc=False):
    """As `SpotDepth`, with sizes as JSON numbers: contracts where no decimal sizes were asked for."""

    s: str
    u: int
    t: int | None = None
    U: int | None = None
    b: list[tuple[Number, Number]] | None = None
    a: list[tuple[Number, Number]] | None = None
    full: bool = False


class NumberDepths(Struct, gc=False):
    """Channels `spot.obu` and `futures.obu`."""

    result: NumberDepth


class Level(Struct, gc=False):
    """`{"p":"54672.1","s":"95"}`: price, and contracts."""

    p: Number
    s: Number

    @property
    def pair(self) -> Row:
        """Price and size as text."""
        return (str(self.p), str(self.s))


class FuturesDepth(Struct, gc=False):
    """`{"t":1615366381417,"s":"BTC_USDT","U":2517661101,"u":2517661113,"b":[{"p":"54672.1","s":"0"}],"a":[]}`."""

    s: str
    u: int
    t: int | None = None
    U: int | None = None
    b: list[Level] | None = None
    a: list[Level] | None = None
    full: bool = False


Depth = SpotDepth | NumberDepth | FuturesDepth


class FuturesDepths(Struct, gc=False):
    """Channel `futures.order_book_update`."""

    result: FuturesDepth


class WholeBook(Struct, gc=False):
    """`{"t":1774443214909,"id":93973511,"contract":"ETH_USDT","asks":[{"p":"97.1","s":2245}],"bids":[]}`."""

    contract: str
    asks: list[Level] | None = None
    bids: list[Level] | None = None
    t: int = 0
    id: int = 0


class WholeBooks(Envelope, kw_only=True, gc=False):
    """Channel `futures.order_book`, event `all`."""

    result: WholeBook


class SignedLevel(Struct, gc=False):
    """`{"p":"222.25","s":-390,"c":"BCH_USDT","id":242207247}`: a negative size is an ask, 0 removes."""

    p: Number
    s: Number
    c: str
    id: int


class SignedLevels(Envelope, kw_only=True, gc=False):
    """Channel `futures.order_book`, event `update`."""

    result: list[SignedLevel] | None


read_spot_depths: Final = reader(SpotDepths)
read_number_depths: Final = reader(NumberDepths)
read_futures_depths: Final = reader(FuturesDepths)
read_whole_books: Final = reader(WholeBooks)
read_signed_levels: Final = reader(SignedLevels)
