"""The tone of labelled texts: the bars that it is held to, the words that decide, and how those change each other."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from importlib import resources

import pytest
from vaderSentiment.vaderSentiment import SentimentIntensityAnalyzer

from consumers.market.sentiment.core import MOST_KEYWORDS, read_analyzer
from tests.consumers.market.sentiment import train
from tests.consumers.market.sentiment.labelled import Labelled, count, describe, is_balanced, macro_f1, read

LEAST_F1 = 0.75
ABOVE_VADER = 0.15
_VADER = SentimentIntensityAnalyzer()


def find_label(text: str) -> str:
    return read_analyzer().analyze(text).label


def plain_vader(text: str) -> str:
    compound = _VADER.polarity_scores(text)["compound"]
    return "Bullish" if compound >= 0.05 else "Bearish" if compound <= -0.05 else "Neutral"


def held_out() -> list[Labelled]:
    return [row for row in read("headlines.txt") if not row.development]


def test_the_labelled_texts_are_many_balanced_and_apart() -> None:
    headlines, fresh = read("headlines.txt"), read("fresh.txt")
    assert len(headlines) >= 300
    assert len(held_out()) >= 150
    assert len(fresh) >= 90
    assert is_balanced(headlines)
    assert is_balanced(held_out())
    assert is_balanced(fresh)
    texts = Counter(row.text for row in (*train.list_rows(), *held_out(), *fresh))
    assert [text for text, number in texts.items() if number > 1] == []


@pytest.mark.parametrize("rows", [held_out, lambda: read("fresh.txt")], ids=["held out", "fresh"])
def test_texts_that_it_was_not_made_by_are_judged_well_and_better_than_by_plain_vader(
    rows: Callable[[], Sequence[Labelled]],
) -> None:
    given = rows()
    table = count(given, find_label)
    baseline = macro_f1(count(given, plain_vader))
    print(f"\n{len(given)} texts: macro-F1 {macro_f1(table):.3f}, plain VADER {baseline:.3f}\n{describe(table)}")
    assert macro_f1(table) >= max(LEAST_F1, baseline + ABOVE_VADER)
    for language in ("en", "id"):
        of_one = [row for row in given if row.language == language]
        assert macro_f1(count(of_one, find_label)) >= LEAST_F1, language


def test_the_language_of_texts_is_found() -> None:
    given = [*held_out(), *read("fresh.txt")]
    right = sum(read_analyzer().analyze(row.text).language == row.language for row in given)
    print(f"language: {right} of {len(given)}")
    assert right / len(given) >= 0.97
    assert read_analyzer().analyze("Биткоин 64000").language == "unknown"


@pytest.mark.slow
def test_the_weights_are_those_that_the_labelled_texts_give() -> None:
    kept = resources.files("consumers.market.sentiment").joinpath("data/head.json").read_text("utf-8")
    assert train.render() == kept


# ---- what changes what
TURNED = [
    ("Bitcoin is bullish", "Bitcoin is not bullish"),
    ("Inflation rises again", "Inflation eases again"),
    ("Exchange reserves of Bitcoin rise", "Exchange reserves of Bitcoin fall"),
    ("BTC outflows from exchanges rise", "BTC inflows to exchanges rise"),
    ("$200M in shorts liquidated", "$200M in longs liquidated"),
    ("Court dismisses lawsuit against Ripple", "Court files lawsuit against Ripple"),
    ("Bitcoin rallies, but momentum fades and price falls", "Bitcoin falls, but buyers step in and price rallies"),
    ("Despite the hack, ETH surges", "Despite the surge, ETH was hacked"),
    ("BTC hits record high", "ETF outflows hit record high"),
    ("Larangan kripto dicabut", "Larangan kripto berlaku"),
    ("Harga BTC naik 5 persen", "Harga BTC turun 5 persen"),
    ("Meski sempat anjlok, BTC menguat", "Meski sempat menguat, BTC anjlok"),
    ("BTC berhasil tembus resistance", "BTC gagal tembus resistance"),
    ("Posisi short terlikuidasi", "Posisi long terlikuidasi"),
    ("Serok bawah, cuan lagi", "Nyangkut di pucuk, boncos lagi"),
    ("BTC to the moon 🚀", "BTC rekt 📉"),
]


@pytest.mark.parametrize(("one", "other"), TURNED)
def test_small_words_turn_a_text(one: str, other: str) -> None:
    assert {find_label(one), find_label(other)} == {"Bullish", "Bearish"}, (one, other)


@pytest.mark.parametrize(
    "text",
    [
        "Great, another rug pull. Love this space",
        "Mantap, baru beli langsung longsor",
        "Wow, account hacked again. Nice 🙄",
    ],
)
def test_praise_beside_what_is_bad_is_none(text: str) -> None:
    assert find_label(text) == "Bearish"


def test_emphasis_makes_surer() -> None:
    def confidence(text: str) -> float:
        return read_analyzer().analyze(text).confidence

    assert confidence("Bitcoin falls 0.3%") < confidence("Bitcoin falls") < confidence("Bitcoin falls 12%!!!")
    assert confidence("Bitcoin slightly up") < confidence("Bitcoin massively up")


# ---- the words that decided
@pytest.mark.parametrize("row", read("fresh.txt")[::4], ids=lambda row: row.text[:30])
def test_keywords_stand_in_the_text_and_their_weights_have_a_sign(row: Labelled) -> None:
    found = read_analyzer().analyze(row.text)
    assert len(found.keywords) <= MOST_KEYWORDS
    assert all(keyword.word in row.text and -1 <= keyword.weight <= 1 for keyword in found.keywords)
    assert all(keyword.weight for keyword in found.keywords)
    weights = [abs(keyword.weight) for keyword in found.keywords]
    assert weights == sorted(weights, reverse=True)


def test_a_keyword_has_the_sign_that_it_has_there() -> None:
    def words(text: str) -> dict[str, float]:
        return {keyword.word: keyword.weight for keyword in read_analyzer().analyze(text).keywords}

    assert words("Bitcoin is NOT bullish")["NOT bullish"] < 0
    assert words("Selling pressure eases")["Selling pressure"] > 0
    assert words("Selling pressure builds")["Selling pressure"] < 0
    assert words("Harga Bitcoin Anjlok")["Anjlok"] < 0
    assert words("Binance to list new trading pairs on Thursday") == {}


@pytest.mark.parametrize(
    "text", ["", " ", "🚀" * 5000, "(" * 5000, "not " * 1250, "1" * 5000, "a" * 5000, "\x00\ud7ff%,.", "+5%"]
)
def test_any_text_is_answered(text: str) -> None:
    found = read_analyzer().analyze(text)
    assert 1 / 3 <= found.confidence <= 1
    assert found == read_analyzer().analyze(text)
