"""README.md and docs/*.md: links lead somewhere, examples compile, commands and settings that are named exist."""

from __future__ import annotations

import ast
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from runtime.config.settings import names

ROOT = Path(__file__).parents[1]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md")), *sorted((ROOT / "docs" / "id").glob("*.md"))]
FENCE = re.compile(r"^```([^\n]*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
TARGETS = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
SETTING = re.compile(
    r"(?<![\w$/{])((?:HYDROPHONE|GPT_API|TELEGRAM|NATS|MONGO|APP_SECRET|USER_TOKEN|BOT_INTERNAL)_[A-Z_0-9]+)(?![\w…<*-])"
)
# Of the examples' programs and of compose, not of the parts.
OF_EXAMPLES = {"HYDROPHONE_URL", "HYDROPHONE_KEY"}
ACCEPTED = {"GPT_API_REDIS_URL", "NATS_ADDRESS", "NATS_NAMES"}  # with a warning; what deploy/compose/secrets.sh takes
VENUE_ADDRESS = re.compile(r"HYDROPHONE_[A-Z]+_(WS|REST)_URL")

pytestmark = pytest.mark.docs


def prose(page: Path) -> str:
    """Return a page without its fenced blocks."""
    return FENCE.sub("", page.read_text())


def anchors(page: Path) -> set[str]:
    """Return the anchors of a page's headings, as GitHub makes them."""
    found: dict[str, int] = {}
    for title in re.findall(r"^#+ (.+)$", prose(page), re.MULTILINE):
        plain = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", title)
        slug = re.sub(r"[^\w\- ]", "", plain.strip().lower()).replace(" ", "-")
        found[slug] = found.get(slug, -1) + 1
    return {f"{slug}-{at}" if at else slug for slug, most in found.items() for at in range(most + 1)}


def blocks(*kinds: str) -> list[tuple[str, str]]:
    """Return the fenced blocks whose info string is one of these, with where they stand."""
    found: list[tuple[str, str]] = []
    for page in PAGES:
        for match in FENCE.finditer(page.read_text()):
            if match[1].strip() in kinds:
                line = page.read_text()[: match.start()].count("\n") + 1
                found.append((f"{page.name}:{line}", match[2]))
    return found


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_to_files_and_headings(page: Path) -> None:
    broken: list[str] = []
    for link in re.findall(r"\]\(([^)\s]+)\)", prose(page)):
        if re.match(r"[a-z]+:", link):
            continue
        path, _, anchor = link.partition("#")
        target = (page.parent / path).resolve() if path else page
        if not target.exists() or (anchor and anchor not in anchors(target)):
            broken.append(link)
    assert broken == []


def test_every_page_is_in_the_index() -> None:
    index = (ROOT / "docs" / "README.md").read_text()
    for page in PAGES[1:]:
        if page.name != "README.md":
            assert f"]({page.relative_to(ROOT / 'docs')})" in index, page.name


@pytest.mark.parametrize(("place", "code"), blocks("python", "python run"))
def test_python_examples_compile(place: str, code: str) -> None:
    compile(code, place, "exec", flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)


@pytest.mark.parametrize(("place", "code"), blocks("python run"))
def test_python_examples_that_are_marked_run(place: str, code: str) -> None:
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, f"{place}: {done.stderr}"


@pytest.mark.skipif(shutil.which("node") is None, reason="node is not installed")
def test_javascript_examples_parse(tmp_path: Path) -> None:
    for at, (place, code) in enumerate(blocks("javascript", "js")):
        (tmp_path / f"{at}.mjs").write_text(code)
        checked = ["node", "--check", str(tmp_path / f"{at}.mjs")]
        done = subprocess.run(checked, capture_output=True, text=True, timeout=30, check=False)
        assert done.returncode == 0, f"{place}: {done.stderr}"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_make_targets_that_are_named_exist(page: Path) -> None:
    named = set(re.findall(r"(?:`|^|&& )make ([a-z][a-z-]*)", page.read_text(), re.MULTILINE))
    assert named <= TARGETS


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_settings_that_are_named_exist(page: Path) -> None:
    known = set(names()) | OF_EXAMPLES | ACCEPTED
    named = {name for name in SETTING.findall(page.read_text()) if not VENUE_ADDRESS.fullmatch(name)}
    shown = {name for name in named if not name.endswith("_")}  # followed by …
    assert {name for name in shown if not {name, name.removesuffix("_FILE")} & known} == set()


def test_modules_that_are_run_exist() -> None:
    for page in PAGES:
        for module in re.findall(r"python -m ([a-z][\w.]*\w)", page.read_text()):
            if module.split(".")[0] in {"pip", "pytest", "venv"}:
                continue
            place = ROOT / module.replace(".", "/")
            assert (place / "__main__.py").exists() or place.with_suffix(".py").exists(), f"{page.name}: {module}"
