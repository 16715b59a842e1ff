"""The pages' files: whole, of the versions that are named, and referring only to what is there."""

from __future__ import annotations

import hashlib
import posixpath
import re
from pathlib import Path

import pytest

from api.pages.assets import STATIC, VENDOR, read_assets
from deploy.vendor import read_libraries, read_sums

IMPORTED = re.compile(r'^import [^"]*"([^"]+)";$', re.MULTILINE)
OUTSIDE = re.compile(r"(?:src|href|url|import|fetch)\W{1,3}https?://", re.IGNORECASE)
LINKED = {'<a href="https://www.tradingview.com/">'}  # the licence of the charts asks for it
SCRIPTS = sorted(STATIC.rglob("*.js"))
OURS = sorted(path for path in STATIC.rglob("*") if path.is_file())


def test_other_peoples_files_are_what_was_fetched() -> None:
    sums = read_sums()
    expected = {f"{library.name}/{name}" for library in read_libraries() for name in library.files}
    there = {path.relative_to(VENDOR).as_posix() for path in VENDOR.rglob("*") if path.parent != VENDOR}
    assert set(sums) == expected == {path for path in there if (VENDOR / path).is_file()}
    assert {path: hashlib.sha256((VENDOR / path).read_bytes()).hexdigest() for path in sums} == sums


def test_every_library_comes_with_its_licence() -> None:
    for library in read_libraries():
        assert library.licence
        assert "LICENSE" in library.files


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.name)
def test_a_script_imports_what_is_there(script: Path) -> None:
    assets = read_assets()
    for wanted in IMPORTED.findall(script.read_text()):
        here = script.parent.relative_to(STATIC).as_posix()
        name, _, path = posixpath.normpath(f"pages/{here}/{wanted}").partition("/")
        found = assets.find(name, path)
        assert found is not None, wanted
        assert found[1] or name == "pages", f"{wanted} has no version"


@pytest.mark.parametrize(
    "path", sorted(path for path in STATIC.rglob("*") if path.is_file()), ids=lambda path: path.name
)
def test_nothing_comes_from_elsewhere_and_nothing_is_inline(path: Path) -> None:
    text = path.read_text()
    for link in LINKED:
        text = text.replace(link, "")
    assert not OUTSIDE.search(text)
    if path.suffix == ".html":
        assert not re.search(r"<script(?![^>]*\bsrc=)|<style|\sstyle=|\son\w+=", text)
    if path.suffix == ".js":
        assert "innerHTML" not in text


def test_a_version_stands_for_what_the_files_say(tmp_path: Path) -> None:
    (tmp_path / "a.js").write_text("1")
    before = read_assets(tmp_path).addresses()["pages"]
    assert read_assets(tmp_path).addresses()["pages"] == before
    (tmp_path / "a.js").write_text("2")
    assert read_assets(tmp_path).addresses()["pages"] != before


def test_only_what_is_listed_is_found() -> None:
    assets = read_assets()
    assert assets.find("pages", "live.js") is not None
    for name, path in (("pages", "../assets.py"), ("pages", ""), ("nothing", "live.js"), ("pages@old", "live.js")):
        assert assets.find(name, path) is None
