"""Which media type a client prefers."""

from __future__ import annotations

import pytest

from api.pages.accept import HTML, JSON, preferred

BROWSER = "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,*/*;q=0.8"


@pytest.mark.parametrize(
    ("accept", "wanted"),
    [
        (None, HTML),
        ("", HTML),
        ("*/*", HTML),
        (BROWSER, HTML),
        ("application/json", JSON),
        ("Application/JSON; charset=utf-8", JSON),
        ("text/html;q=0.5, application/json", JSON),
        ("text/*, application/json;q=0.9", HTML),
        ("text/html;q=0, */*", JSON),
        ("application/json;q=x", HTML),
        ("image/png", HTML),
    ],
)
def test_the_best_of_two_is_found(accept: str | None, wanted: str) -> None:
    assert preferred(accept, (HTML, JSON)) == wanted


def test_of_equals_it_is_the_first_offered() -> None:
    assert preferred("*/*", (JSON, HTML)) == JSON
    assert preferred(BROWSER, (JSON, HTML)) == HTML
