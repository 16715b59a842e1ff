"""Builds a compiled part with the sanitizers of GCC or Clang, has a child play with it, and reads what was found."""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Final

from deploy.extension import ROOT, SOURCES, build

FLAGS: Final = ("-g", "-fno-omit-frame-pointer", "-fsanitize=address,undefined", "-fno-sanitize-recover=undefined")
SHOWN: Final = 20_000  # characters of what was found
LEAVING: Final = 300.0  # seconds that a child has besides its operations: to start, to look for leaks
PLAYED: Final = "played"  # what a child says at its end, and how many operations it did


@dataclass(frozen=True, slots=True)
class Found:
    """What the sanitizers say of a part, `text` in their words; `done`: operations, None where it broke off."""

    errors: int
    leaks: int
    done: int | None
    text: str

    @property
    def clean(self) -> bool:
        """Whether nothing was found."""
        return self.done is not None and not self.errors and not self.leaks


def load(name: str, path: Path) -> ModuleType:
    """Load a built file as the module `name`, in place of the one that stands in the checkout."""
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec is not None
    assert spec.loader is not None
    sys.modules[name] = module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    folder, _, last = name.rpartition(".")
    setattr(importlib.import_module(folder), last, module)
    return module


def check(part: str, operations: int, seed: int, seconds: float) -> Found:
    """Build the part, and have a child do the operations with it, as many as the seconds allow."""
    source = next(path for path in SOURCES if path.stem == part)
    with tempfile.TemporaryDirectory() as folder:
        built = Path(folder, f"{part}.abi3.so")
        build(built, source, flags=FLAGS)
        asked = {"--operations": operations, "--seconds": seconds, "--seed": seed, "--play": built}
        arguments = [part, *(str(word) for pair in asked.items() for word in pair)]
        child = subprocess.run(
            [sys.executable, "-m", "tests.fuzz", *arguments],
            cwd=ROOT,
            env={**os.environ, **_preloaded()},
            capture_output=True,
            text=True,
            timeout=seconds + LEAVING,
            check=False,
        )
    parts = child.stderr.split("\n\n")
    errors = [text for text in parts if "ERROR: AddressSanitizer" in text or "runtime error" in text]
    leaks = [text for text in parts if "leak of" in text and source.name in text]
    finished = PLAYED in child.stdout and "LeakSanitizer has encountered a fatal error" not in child.stderr
    done = int(child.stdout.rpartition(PLAYED)[2]) if finished else None
    said = [*errors, *leaks] if finished or errors else [*leaks, child.stderr[-4000:]]
    return Found(len(errors), len(leaks), done, "\n\n".join(said)[:SHOWN])


def find_library() -> str:
    """Return the path of the compiler's AddressSanitizer; a bare name where it has none."""
    command = ["cc", "-print-file-name=libasan.so"]
    return subprocess.run(command, capture_output=True, text=True, check=True, timeout=30).stdout.strip()


def _preloaded() -> Mapping[str, str]:
    """Return the environment in which a Python that knows nothing of sanitizers loads what was built with them."""
    return {
        "LD_PRELOAD": find_library(),
        "PYTHONMALLOC": "malloc",
        "ASAN_OPTIONS": "detect_leaks=1:exitcode=0:malloc_context_size=12",
    }
