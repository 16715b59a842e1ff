"""Random operations on the compiled book side under AddressSanitizer: `make fuzz`.

Builds it with the sanitizers of GCC or Clang, does the operations in a child with the sanitizer preloaded, compares
with the Python side all the while, and ends with 0 where nothing was found: no error of memory, no leak, no difference.
"""

from __future__ import annotations

import argparse
import importlib.util
import os
import random
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Final

from deploy.extension import SOURCES, build

NAME: Final = "runtime.book.compiled.book_side"
FLAGS: Final = ("-g", "-fno-omit-frame-pointer", "-fsanitize=address,undefined", "-fno-sanitize-recover=undefined")
ODD: Final = ("", ".", "1.2.3", "abc", "1e5", "-1", "nan", "inf", " 1 ", "1_0", "é", "0." + "1" * 40)
BROKEN: Final = (b"", b"[", b'[["1","2"]', b'[["1","2"],]', b'[["1"]]', b"[[1,2]]", b'[["1","2"]]]', b'[["1","\xff"]]')


def play(path: Path, operations: int, seed: int) -> None:
    """Load the sanitized file and do the operations; raises AssertionError where both sides differ."""
    spec = importlib.util.spec_from_file_location(NAME, path)
    assert spec is not None
    assert spec.loader is not None
    sys.modules[NAME] = module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    setattr(importlib.import_module(NAME.rpartition(".")[0]), NAME.rpartition(".")[2], module)
    from tests.runtime.book.book_sides import FORMS, Pair, Step, compiled, python  # noqa: PLC0415

    assert compiled is module
    rng, forms = random.Random(seed), list(FORMS)

    def number() -> str:
        if rng.random() < 0.002:
            return rng.choice(ODD)
        return f"{rng.randint(1, 3000) / 100:.{rng.choice((0, 1, 2, 2, 2, 8, 30))}f}"

    def levels(most: int) -> list[tuple[str, str]]:
        return [(number(), "0" if rng.random() < 0.4 else number()) for _ in range(rng.randint(0, most))]

    pairs = Pair(python), Pair(module)
    for done in range(operations):
        whole = rng.random() < 0.01
        step = Step(
            form=rng.choice(forms),
            levels=levels(300 if whole else 8),
            asks=rng.random() < 0.5,
            whole=whole,
            edge=rng.choice((None, None, 0.0, 5.0)),
            depth=rng.choice((None, None, None, 5, 100)),
        )
        raised = [pair.do(step) for pair in pairs]
        assert raised[0] == raised[1], (seed, done, step, raised)
        if rng.random() < 0.02:
            text, side = rng.choice(BROKEN), rng.randint(0, 1)
            for pair in pairs:
                try:
                    pair.sides[side].apply(text)
                except ValueError:
                    continue
        if done % 50 == 0:
            states = [pair.state(20) for pair in pairs]
            assert states[0] == states[1], (seed, done, step, states)
        if rng.random() < 0.0005:
            pairs = Pair(python), Pair(module)


def run(operations: int, seed: int) -> int:
    """Build, play in a child, print what was found; 0 where that is nothing."""
    with tempfile.TemporaryDirectory() as folder:
        built = Path(folder, "book_side.abi3.so")
        build(built, next(path for path in SOURCES if path.stem == built.name.partition(".")[0]), flags=FLAGS)
        preload = subprocess.run(
            ["cc", "-print-file-name=libasan.so"], capture_output=True, text=True, check=True, timeout=30
        ).stdout.strip()
        environment = {
            **os.environ,
            "LD_PRELOAD": preload,
            "PYTHONMALLOC": "malloc",
            "ASAN_OPTIONS": "detect_leaks=1:exitcode=0:malloc_context_size=12",
        }
        arguments = ["--play", str(built), "--operations", str(operations), "--seed", str(seed)]
        started = time.monotonic()
        child = subprocess.run(
            [sys.executable, "-m", "tests.runtime.book.fuzz_book_side", *arguments],
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
    errors = [
        part for part in child.stderr.split("\n\n") if "ERROR: AddressSanitizer" in part or "runtime error" in part
    ]
    leaks = [part for part in child.stderr.split("\n\n") if "leak of" in part and "book_side.c" in part]
    finished = "played" in child.stdout and "LeakSanitizer has encountered a fatal error" not in child.stderr
    print("\n\n".join(errors + leaks)[:20_000])
    if not finished:
        print(child.stderr[-4000:])
    spent = time.monotonic() - started
    print(f"{operations} operations, seed {seed}, {spent:.0f} s: {len(errors)} errors, {len(leaks)} leaks")
    return int(bool(errors or leaks or not finished))


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--operations", type=int, default=1_000_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--play", type=Path, help="the sanitized file: what the child does")
    options = parser.parse_args()
    if options.play is None:
        return run(options.operations, options.seed)
    play(options.play, options.operations, options.seed)
    print("played")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
