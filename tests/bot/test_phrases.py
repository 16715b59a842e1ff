"""The catalog: both languages have every phrase, with the same values and the same markup, and nothing is unused."""

from __future__ import annotations

import ast
import re
from pathlib import Path
from string import Formatter

import pytest

from bot.texts.phrases import PHRASES, TOPICS
from runtime.texts.figures import number, percent, rate, span, usd
from tests.bot.telegram_html import shown

ROOT = Path(__file__).parents[2]
LETTERS = re.compile(r"[^\W\d_]{4,}")
SAME = {"volume", "status", "total", "long", "short", "open", "interest", "menu", "hydrophone"}


def names(template: str) -> list[str]:
    return sorted(name for _, name, _, _ in Formatter().parse(template) if name is not None)


def keys_that_are_said() -> tuple[set[str], set[str]]:
    """The keys that the source names, and the beginnings of those that it makes from a value."""
    found: set[str] = set()
    begun: set[str] = set()
    for path in [*(ROOT / "bot").rglob("*.py"), *(ROOT / "runtime/texts").glob("*.py")]:
        if "phrases" in path.parts or path.stem in {"alert_phrases", "order_phrases"}:
            continue
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Constant) and isinstance(node.value, str) and node.value in PHRASES:
                found.add(node.value)
            match node:
                case ast.Call(func=ast.Attribute(attr="say" | "plain"), args=[ast.Constant(value=str(key)), *_]):
                    found.add(key)
                case ast.Call(
                    func=ast.Attribute(attr="say" | "plain"),
                    args=[ast.JoinedStr(values=[ast.Constant(value=str(begin)), *_]), *_],
                ):
                    begun.add(begin)
                case _:
                    pass
    return found, begun


def test_no_key_is_in_two_topics() -> None:
    assert len(PHRASES) == sum(len(topic) for topic in TOPICS)


@pytest.mark.parametrize("key", sorted(PHRASES))
def test_a_phrase_says_the_same_in_both_languages(key: str) -> None:
    phrase = PHRASES[key]
    assert phrase.en.strip()
    assert phrase.id.strip()
    assert names(phrase.en) == names(phrase.id)
    assert re.findall(r"</?[a-z]+>", phrase.en) == re.findall(r"</?[a-z]+>", phrase.id)
    shown(phrase.en)
    shown(phrase.id)


def test_every_phrase_that_is_said_is_there() -> None:
    said, begun = keys_that_are_said()
    assert said - set(PHRASES) == set()
    assert [begin for begin in begun if not any(key.startswith(begin) for key in PHRASES)] == []


def test_every_phrase_that_is_there_is_said() -> None:
    said, begun = keys_that_are_said()
    unused = {key for key in PHRASES if key not in said and not any(key.startswith(begin) for begin in begun)}
    assert unused == set()


def test_no_phrase_is_left_untranslated() -> None:
    same = {
        key
        for key, phrase in PHRASES.items()
        if phrase.en == phrase.id and any(word.lower() not in SAME for word in LETTERS.findall(strip(phrase.en)))
    }
    assert same == set()


def strip(template: str) -> str:
    return re.sub(r"<[^>]*>|\{[^}]*\}|/[a-z]+", "", template)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (90971.8, "90,971.8"),
        (1456176320.19, "1,456,176,320.19"),
        (0.00001234, "0.00001234"),
        (1e-9, "0.000000001"),
        (12.5, "12.5"),
        (0, "0"),
        (-0.9266, "-0.9266"),
        (100.0, "100"),
        (123456789012345.0, "123,456,789,012,345"),
        ("12.50000000000000000001", "12.5"),
        (1 / 3, "0.333333333333"),
        (None, "n/a"),
        (float("nan"), "n/a"),
    ],
)
def test_a_number_is_what_the_reply_says(value: float | str | None, text: str) -> None:
    assert number(value) == text


def test_dollars_percent_and_spans() -> None:
    assert [usd(value) for value in (1746847.25, 22725.125, -5.5, 0.0123, None)] == [
        "$1,746,847.25",
        "$22,725.12",
        "-$5.50",
        "$0.0123",
        "n/a",
    ]
    assert [percent(value) for value in (2.25, -0.5, 0.0, None)] == ["+2.25%", "-0.5%", "0%", "n/a"]
    assert [rate(value) for value in (0.0001, -2.5e-05)] == ["+0.01%", "-0.0025%"]
    assert [span(value) for value in (0.3, 12, 240, 7200, 200_000, 1e6)] == [
        "0.3 s",
        "12 s",
        "4 min",
        "2 h",
        "2 d",
        "12 d",
    ]
