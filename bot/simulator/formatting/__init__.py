"""Texts with entities: HTML, MarkdownV2 and Markdown as the Bot API reads them."""

from __future__ import annotations

from typing import Any

from bot.simulator.errors import bad_request
from bot.simulator.formatting.entities import Formatted, find_entities, trimmed
from bot.simulator.formatting.html import parse_html
from bot.simulator.formatting.markdown import parse_markdown
from bot.simulator.formatting.markdown_v2 import parse_markdown_v2

__all__ = ["Formatted", "find_entities", "read_text"]


def read_text(text: str, mode: str | None, entities: list[dict[str, Any]] | None = None) -> Formatted:
    """Return the text without its marks, and its entities; 400 where it cannot be parsed."""
    match (mode or "").lower():
        case "":
            read = Formatted(text, list(entities or []))
        case "html":
            read = parse_html(text)
        case "markdownv2":
            read = parse_markdown_v2(text)
        case "markdown":
            read = parse_markdown(text)
        case _:
            raise bad_request("unsupported parse_mode")
    return trimmed(Formatted(read.text, sorted([*read.entities, *find_entities(read.text, read.entities)], key=_order)))


def _order(entity: dict[str, Any]) -> tuple[int, int]:
    return entity["offset"], -entity["length"]
