"""What every page shares: the header and the script of its own, in one document; and what a page may load."""

from __future__ import annotations

import html
import re
from dataclasses import dataclass
from typing import Final

from fastapi import Response

from api.pages.accept import HTML
from api.pages.assets import Assets

POLICY: Final = (
    "default-src 'self'; img-src 'self' data:; object-src 'none'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'"
)
_HEADERS: Final = {"content-security-policy": POLICY, "vary": "accept"}
_OPEN: Final = re.compile(r"\{\{([a-z-]+)\}\}")
_SHELL: Final = "shell.html"


@dataclass(frozen=True, slots=True)
class Page:
    """One page: static/<name>.html stands in the shell, <name>.js runs it."""

    name: str
    title: str
    description: str


def render_page(assets: Assets, page: Page, *, needs_key: bool) -> Response:
    """Return a page in its shell; it asks for a key before its first request where one is needed."""
    values = {
        **assets.addresses(),
        "name": page.name,
        "key": "needed" if needs_key else "optional",
        "title": html.escape(page.title),
        "description": html.escape(page.description),
    }
    main = _fill(assets.text(f"{page.name}.html"), values)
    return Response(_fill(assets.text(_SHELL), {**values, "main": main}), media_type=HTML, headers=_HEADERS)


def _fill(text: str, values: dict[str, str]) -> str:
    return _OPEN.sub(lambda found: values[found[1]], text)
