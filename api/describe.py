"""Writes the HTTP API's OpenAPI document: `python -m api.describe [--check]`.

Without a flag it writes docs/openapi.json; `--check` only says whether that file is up to date. Both refuse what
breaks clients of the file as it is, unless the major version is another one.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any, Final

from api.app import ROUTERS
from api.http.app import make_app
from api.pages.compatibility import list_breaks, major
from runtime.app.entry import take_arguments

ROOT: Final = Path(__file__).resolve().parents[1]
DOCUMENT: Final = Path("docs/openapi.json")


def make_document() -> dict[str, Any]:
    """Describe every route."""
    return make_app(ROUTERS).openapi()


def render(document: dict[str, Any]) -> str:
    """Write a document as text; the same document gives the same text."""
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"


def find_problems(committed: str | None, document: dict[str, Any]) -> list[str]:
    """List what the document breaks of the committed one within a major version."""
    known: dict[str, Any] | None = None if committed is None else json.loads(committed)
    return [] if known is None or major(known) != major(document) else list_breaks(known, document)


def main(arguments: list[str], root: Path = ROOT) -> int:
    """Write or check the document; gives the process's exit status."""
    if not set(arguments) <= {"--check"}:
        sys.stderr.write("usage: python -m api.describe [--check]\n")
        return 2
    document, path = make_document(), root / DOCUMENT
    committed = path.read_text() if path.exists() else None
    problems = find_problems(committed, document)
    if "--check" in arguments and committed != render(document):
        problems.append(f"{DOCUMENT} is not what the routes say: run `make openapi`")
    if problems:
        sys.stderr.writelines(f"{problem}\n" for problem in problems)
        return 1
    if "--check" not in arguments:
        path.write_text(render(document))
    return 0


if __name__ == "__main__":
    raise SystemExit(main(take_arguments()))
