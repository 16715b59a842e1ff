"""Texts as Telegram parses them: entities in UTF-16 code units, and the words of what cannot be parsed."""

from __future__ import annotations

from typing import Any

import pytest

from bot.simulator.errors import ApiError
from bot.simulator.formatting import read_text


def found(text: str, mode: str) -> tuple[str, list[tuple[Any, ...]]]:
    read = read_text(text, mode)
    rest = ("url", "language", "custom_emoji_id")
    rows = [
        (one["type"], one["offset"], one["length"], *(one[key] for key in rest if key in one)) for one in read.entities
    ]
    return read.text, rows


@pytest.mark.parametrize(
    ("source", "text", "entities"),
    [
        ("<b>x</b> <strong>y</strong>", "x y", [("bold", 0, 1), ("bold", 2, 1)]),
        ("😀<i>é</i>", "😀é", [("italic", 2, 1)]),
        ("<b>a<i>b</i></b>", "ab", [("bold", 0, 2), ("italic", 1, 1)]),
        ("&lt;&amp;&gt;&quot;&#65;&#x42;&nbsp;", '<&>"AB&nbsp;', []),
        ('<a href="https://a.io/?x=1&amp;y">go</a>', "go", [("text_link", 0, 2, "https://a.io/?x=1&amp;y")]),
        ("<pre><code class='language-python'>x=1</code></pre>", "x=1", [("pre", 0, 3, "python")]),
        ('<span class="tg-spoiler">s</span><tg-spoiler>t</tg-spoiler>', "st", [("spoiler", 0, 1), ("spoiler", 1, 1)]),
        (
            "<u>a</u><ins>b</ins><s>c</s><del>d</del>",
            "abcd",
            [("underline", 0, 1), ("underline", 1, 1), ("strikethrough", 2, 1), ("strikethrough", 3, 1)],
        ),
        ("<blockquote expandable>q</blockquote>", "q", [("blockquote", 0, 1)]),
        ("  <b> x </b>  ", "x", [("bold", 0, 1)]),
    ],
)
def test_html(source: str, text: str, entities: list[tuple[Any, ...]]) -> None:
    assert found(source, "HTML") == (text, entities)


@pytest.mark.parametrize(
    ("source", "text", "entities"),
    [
        (
            r"*x* _y_ __z__ ~s~ ||t||",
            "x y z s t",
            [("bold", 0, 1), ("italic", 2, 1), ("underline", 4, 1), ("strikethrough", 6, 1), ("spoiler", 8, 1)],
        ),
        (r"1\.5\! \_", "1.5! _", []),
        (r"[a\.b](https://c.io/\))", "a.b", [("text_link", 0, 3, "https://c.io/)")]),
        ("`a.b\\``", "a.b`", [("code", 0, 4)]),
        ("```python\nx = 1.5\n```", "x = 1.5", [("pre", 0, 7, "python")]),
        (">one\n>two\nthree", "one\ntwo\nthree", [("blockquote", 0, 7)]),
        ("*a_b_*", "ab", [("bold", 0, 2), ("italic", 1, 1)]),
        ("![👍](tg://emoji?id=53)", "👍", [("custom_emoji", 0, 2, "53")]),
    ],
)
def test_markdown_v2(source: str, text: str, entities: list[tuple[Any, ...]]) -> None:
    assert found(source, "MarkdownV2") == (text, entities)


def test_old_markdown() -> None:
    assert found(r"*x* _y_ `z` [t](u.io) \_", "Markdown") == (
        "x y z t _",
        [("bold", 0, 1), ("italic", 2, 1), ("code", 4, 1), ("text_link", 6, 1, "u.io")],
    )


@pytest.mark.parametrize(
    ("mode", "source", "words"),
    [
        ("HTML", "<b>x", 'Can\'t find end tag corresponding to start tag "b" at byte offset 0'),
        ("HTML", "é<b>x</i>", 'Unmatched end tag at byte offset 6, expected "</b>", found "</i>"'),
        ("HTML", "x</b>", "Unexpected end tag at byte offset 1"),
        ("HTML", "<h1>x</h1>", 'Unsupported start tag "h1" at byte offset 0'),
        ("HTML", "5 < 6", "Unclosed start tag at byte offset 2"),
        ("HTML", "a < b > c", 'Unsupported start tag "" at byte offset 2'),
        ("MarkdownV2", "a-b", "Character '-' is reserved and must be escaped with the preceding '\\'"),
        ("MarkdownV2", "*x", "Can't find end of Bold entity at byte offset 0"),
        ("MarkdownV2", "*a _b* c_", "Can't find end of Italic entity at byte offset 3"),
        ("MarkdownV2", "`x", "Can't find end of Code entity at byte offset 0"),
        ("MarkdownV2", "[a](b", "Can't find end of a URL at byte offset 2"),
        ("Markdown", "a *b", "Can't find end of the entity starting at byte offset 2"),
    ],
)
def test_what_cannot_be_parsed(mode: str, source: str, words: str) -> None:
    with pytest.raises(ApiError) as caught:
        read_text(source, mode)
    assert caught.value.description == f"Bad Request: can't parse entities: {words}"


def test_commands_mentions_and_links_are_found() -> None:
    assert found("/ban@my_bot @spam 2h #x $BTC https://a.io/b", "") == (
        "/ban@my_bot @spam 2h #x $BTC https://a.io/b",
        [("bot_command", 0, 11), ("mention", 12, 5), ("hashtag", 21, 2), ("cashtag", 24, 4), ("url", 29, 14)],
    )
    assert found("<code>/start @x</code>", "HTML") == ("/start @x", [("code", 0, 9)])
