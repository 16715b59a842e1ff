"""Whether what CCXT Pro gave equals what the simulator did: by ids, by sequences, times and checksums, never nearly."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from itertools import zip_longest
from typing import Any
from zlib import crc32

from tests.peers.cases import Case
from tests.peers.truth import Figures, Levels, Truth
from tests.peers.watching import Seen, SeenBook

SUMMED = {"kraken": 10, "bitfinex": 25}


@dataclass(slots=True)
class Score:
    """How many of one kind were compared and agreed; `wrong` are the first that did not."""

    agreed: int = 0
    compared: int = 0
    wrong: list[str] = field(default_factory=list[str])

    def note(self, what: str, *, is_right: bool) -> None:
        """Count one comparison."""
        self.compared += 1
        self.agreed += is_right
        if not is_right and len(self.wrong) < 3:
            self.wrong.append(what)


def judge_trades(case: Case, truth: Truth, seen: Seen, score: Score) -> None:
    """Compare every trade from the first to the last that CCXT gave: each is there, and equal; none is made up."""
    listing, terms = truth.listing, truth.listing.instrument
    true: dict[str, tuple[float, float, str, int]] = {}
    for fills in case.prints(truth.trades):
        first, amount = fills[0], sum(fill.amount for fill in fills)
        side = "buy" if first.taker_buys != case.takes_maker_for_taker else "sell"
        price, size = float(terms.price_text(first.price)), float(terms.amount_text(amount))
        true[case.trade_id(listing, fills)] = price, size, side, case.ms_of(first.ts_us)
    got = {case.seen_id(trade): trade for trade in seen.trades}
    for key, trade in got.items():
        if key not in true:
            score.note(f"{key} was never traded: {trade['info']}", is_right=False)
    order = list(true)
    known = [at for at, key in enumerate(order) if key in got]
    for key in order[known[0] : known[-1] + 1] if known else ():
        trade = got.get(key)
        found = None if trade is None else tuple(trade[name] for name in ("price", "amount", "side", "timestamp"))
        score.note(f"{key}: {found}, truly {true[key]}", is_right=found == true[key])


def judge_books(case: Case, truth: Truth, seen: Seen, score: Score) -> None:
    """Compare every book that CCXT had with the true one of the same sequence, moment or checksum."""
    if case.replays:
        seen.books = _after_snapshot(seen.books)
    pairs = list(_books_by_checksum(truth, seen) if case.book == "checksum" else _books_by_state(case, truth, seen))
    true = truth.books({update_id for ids, _ in pairs for update_id in ids})
    for ids, book in pairs:
        found = [tuple(map(tuple, levels[: case.depth])) for levels in (book.bids, book.asks)]
        wanted = [[numbers_of(truth, levels[: case.depth]) for levels in true[at]] for at in ids if at in true]
        state = f"{case.book} {ids} {book.nonce} {book.time_ms}"
        score.note(f"{state}: {_difference(found, wanted[-1] if wanted else None)}", is_right=found in wanted)


def _books_by_state(case: Case, truth: Truth, seen: Seen) -> Iterable[tuple[list[int], SeenBook]]:
    for book in seen.books:
        moments = truth.find_moments(book.time_ms or _frame_ms(book.frame)) if case.book == "time" else []
        if moments:
            yield [moment.update_id for moment in moments], book
        else:
            name = book.frame["seq"] if case.book == "seq" else book.nonce
            yield [] if name is None else [name], book


def _after_snapshot(books: list[SeenBook]) -> list[SeenBook]:
    """Return the first book and those beyond it."""
    first = books[0].nonce or 0 if books else 0
    return [book for book in books if book is books[0] or (book.nonce or 0) > first]


def _frame_ms(frame: Any) -> int:
    """Return the time of a frame of Kraken or Coinbase, which CCXT leaves out of a snapshot; 0 where there is none."""
    rows = frame.get("data") if isinstance(frame, dict) else None
    text = rows[0].get("timestamp") if isinstance(rows, list) else frame.get("time")
    return int(datetime.fromisoformat(text).timestamp() * 1000) if isinstance(text, str) else 0


def _books_by_checksum(truth: Truth, seen: Seen) -> Iterable[tuple[list[int], SeenBook]]:
    moments = {moment.update_id for moment in truth.moments}
    by_sum = {_bitfinex_sum(truth, *_floats(truth, sides)): at for at, sides in truth.books(moments).items()}
    for value, book in seen.sums:
        yield [by_sum[value]] if value in by_sum else [], book


def judge_sums(case: Case, truth: Truth, seen: Seen, score: Score) -> None:
    """Compare the venue's checksums with those of the books that CCXT had."""
    for value, book in seen.sums:
        sides = ([(price, amount) for price, amount in levels] for levels in (book.bids, book.asks))
        own = (_kraken_sum if case.venue == "kraken" else _bitfinex_sum)(truth, *sides)
        score.note(f"{value} {own}", is_right=value == own)


def judge_tickers(case: Case, truth: Truth, seen: Seen, score: Score) -> None:
    """Compare every ticker with the moment of its time or sequence; one that names neither, with all moments."""
    moments = [(moment, figures_of(truth, moment)) for moment in truth.moments]
    prices = {str(trade.id): float(truth.listing.instrument.price_text(trade.price)) for trade in truth.trades}
    for ticker in seen.tickers:
        fits = [figures for moment, figures in moments if not case.ticker_names_trade and _is_of(ticker, moment)]
        fits = fits or [figures for _, figures in moments]
        wanted = {name: theirs or name for name, theirs in case.ticker.items()}
        is_right = any(all(ticker[ours] == figures[theirs] for ours, theirs in wanted.items()) for figures in fits)
        if case.ticker_names_trade:
            is_right = is_right and ticker["last"] == prices[str(ticker["info"]["trade_id"])]
        found = {name: ticker[name] for name in wanted}
        score.note(f"{found}, truly (last of {len(fits)}) {fits[-1]}", is_right=is_right)


def _is_of(ticker: dict[str, Any], moment: Figures) -> bool:
    """Whether a ticker names this moment, by the book's sequence or by its time."""
    sequence = ticker["info"].get("sequence") if isinstance(ticker["info"], dict) else None
    return moment.update_id == sequence or moment.now_ms == ticker["timestamp"]


def figures_of(truth: Truth, moment: Figures) -> dict[str, float]:
    """Return an instrument's figures at a moment as numbers, by CCXT's names and some more."""
    t = truth.listing.instrument
    prices = {name: float(t.price_text(getattr(moment, name))) for name in ("open", "high", "low")}
    best = {
        "bid": float(t.price_text(moment.bid[0])),
        "bidVolume": float(t.amount_text(moment.bid[1])),
        "ask": float(t.price_text(moment.ask[0])),
        "askVolume": float(t.amount_text(moment.ask[1])),
    }
    volume = Decimal(moment.volume).scaleb(-t.amount_scale)
    mid = Decimal(moment.bid[0] + moment.ask[0]).scaleb(-t.price_scale) / 2
    return {
        "last": float(t.price_text(moment.trade.price)),
        **prices,
        **best,
        "baseVolume": float(t.amount_text(moment.volume)),
        "coins": float(volume * Decimal(t.contract)),
        "mid": float(mid),
        "value": float(Decimal(moment.value).scaleb(-t.price_scale - t.amount_scale)),
    }


def numbers_of(truth: Truth, levels: Levels) -> tuple[tuple[float, float], ...]:
    """Return levels as numbers."""
    t = truth.listing.instrument
    return tuple((float(t.price_text(price)), float(t.amount_text(amount))) for price, amount in levels)


def _floats(truth: Truth, sides: tuple[Levels, Levels]) -> tuple[list[tuple[float, float]], list[tuple[float, float]]]:
    return list(numbers_of(truth, sides[0][:25])), list(numbers_of(truth, sides[1][:25]))


def _kraken_sum(truth: Truth, bids: list[tuple[float, float]], asks: list[tuple[float, float]]) -> int:
    """Return the checksum of ten levels a side as the vendor's page has it."""
    t = truth.listing.instrument
    texts = [
        f"{number:.{decimals}f}".replace(".", "").lstrip("0")
        for level in (*asks[:10], *bids[:10])
        for number, decimals in zip(level, (t.price_decimals, t.amount_decimals), strict=True)
    ]
    return crc32("".join(texts).encode())


def _bitfinex_sum(_truth: Truth, bids: list[tuple[float, float]], asks: list[tuple[float, float]]) -> int:
    """Return the checksum of 25 levels a side as the vendor's page has it: signed, no zeros at a number's end."""
    parts: list[str] = []
    for bid, ask in zip_longest(bids[:25], asks[:25]):
        for level, sign in ((bid, ""), (ask, "-")):
            if level is not None:
                parts.append(f"{_plain(level[0])}:{sign}{_plain(level[1])}")
    found = crc32(":".join(parts).encode())
    return found - (1 << 32) if found >= 1 << 31 else found


def _plain(number: float) -> str:
    return f"{Decimal(repr(number)).normalize():f}"


def _difference(found: list[Any], wanted: list[Any] | None) -> str:
    """Return the first level that differs."""
    if wanted is None:
        return "no such state of the book"
    for side, ours, theirs in zip(("bids", "asks"), found, wanted, strict=True):
        for at, (one, other) in enumerate(zip_longest(ours, theirs)):
            if one != other:
                return f"{side}[{at}] {one}, truly {other}"
    return "equal"
