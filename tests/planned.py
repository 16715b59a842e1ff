"""What `make` would run, as a list of words: read alone, under another make too."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parents[1]
ALONE: Final = {name: value for name, value in os.environ.items() if not name.startswith(("PYTEST_", "MAKE", "MFLAGS"))}


def plan(*words: str) -> list[str]:
    """The last command of `make` with these words, without its Python."""
    command = ["make", "--dry-run", *words]
    said = subprocess.run(command, cwd=ROOT, env=ALONE, capture_output=True, text=True, check=True).stdout
    return said.splitlines()[-1].split()[1:]
