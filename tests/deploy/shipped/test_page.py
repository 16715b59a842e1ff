"""docs/DEPLOY.md: its links lead somewhere, and the files that it names are there."""

from __future__ import annotations

import re
from pathlib import Path

DOCS = Path(__file__).parents[3] / "docs"
PAGE = (DOCS / "DEPLOY.md").read_text()


def anchors(page: Path) -> set[str]:
    titles = re.findall(r"^#+ (.+)$", page.read_text(), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}


def test_links_lead_to_files_and_headings_that_are_there() -> None:
    links = re.findall(r"\]\(([^)]+)\)", PAGE)
    assert len(links) > 20
    for link in links:
        path, _, anchor = link.partition("#")
        target = (DOCS / path) if path else DOCS / "DEPLOY.md"
        assert target.exists(), link
        assert not anchor or anchor in anchors(target), link


def test_files_that_are_named_are_there() -> None:
    made = {"deploy/compose/secrets/", "deploy/compose/settings.env"}
    named = set(re.findall(r"\bdeploy/[\w./-]*\w/?", PAGE)) - made
    assert {name for name in named if not (DOCS.parent / name).exists()} == set()


def test_every_rule_is_counted() -> None:
    rules = (DOCS.parent / "deploy" / "observability" / "alerts.yml").read_text().count("- alert: ")
    assert f"has {rules} rules" in PAGE
