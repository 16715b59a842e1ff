"""The house as a whole: rooms are small enough to be looked over, and a long file says why it is one."""

from __future__ import annotations

import ast
import subprocess
from collections import Counter
from pathlib import Path

ROOT = Path(__file__).parents[1]
ROOMS = ("contracts", "runtime", "producers", "consumers", "api", "bot", "deploy", "examples")
MOST_FILES = 15
MOST_LINES = 300
UNCOUNTED = {"__init__.py", "py.typed"}
REASONS = ("longer than other files because", "over the usual length of a file:")


def tracked() -> list[Path]:
    listed = subprocess.run(["git", "ls-files", *ROOMS], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    return [Path(name) for name in listed.splitlines()]


def test_no_folder_has_more_files_than_can_be_looked_over() -> None:
    counts = Counter(path.parent for path in tracked() if path.name not in UNCOUNTED)
    assert {str(folder): count for folder, count in counts.items() if count > MOST_FILES} == {}


def test_a_file_is_short_or_says_why_it_is_not() -> None:
    for path in tracked():
        if path.suffix == ".py" and len((ROOT / path).read_text().splitlines()) > MOST_LINES:
            words = " ".join((ast.get_docstring(ast.parse((ROOT / path).read_text())) or "").split()).lower()
            assert any(reason in words for reason in REASONS), f"{path} has more than {MOST_LINES} lines and no reason"
