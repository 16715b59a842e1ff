"""Builds what is compiled, from C, into the checkout or for a wheel: `python -m deploy.extension` (deploy/venv.sh).

Standard library only: it runs before anything is installed. Nothing here has to be there for the product to work, so
that where it cannot be built one line says why, once.
"""

from __future__ import annotations

import argparse
import contextlib
import hashlib
import os
import shlex
import shutil
import subprocess
import sys
import sysconfig
import tempfile
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parents[1]
SUFFIX: Final = ".abi3.so"
SOURCES: Final = tuple(
    ROOT / name
    for name in (
        "contracts/compiled/decimals.c",
        "producers/normalize/compiled/writing.c",
        "runtime/book/compiled/book_side.c",
        "runtime/nats/lanes/compiled/framing.c",
        "runtime/seen/compiled/seen_ids.c",
    )
)
SKIPPED: Final = ROOT / ".venv" / "not-compiled"  # why, as it was said last
LIMIT: Final = 300.0  # seconds for the compiler


class NotBuiltError(Exception):
    """It cannot be built here; the text says why."""


def built_of(source: Path) -> Path:
    """Return where the module of a source is."""
    return source.with_suffix(SUFFIX)


def digest_of(source: Path) -> str:
    """Return what a built file of this source, its headers and this machine carries in it."""
    machine = f"{sysconfig.get_platform()} {sysconfig.get_config_var('HOST_GNU_TYPE')}"
    texts = [path.read_bytes() for path in (source, *sorted(source.parent.glob("*.h")))]
    return hashlib.sha256(b"".join(texts) + machine.encode()).hexdigest()[:32]


def is_fresh(built: Path, source: Path) -> bool:
    """Whether the built file is of the source as it is now, for this machine."""
    try:
        return digest_of(source).encode() in built.read_bytes()
    except OSError:
        return False


def build(built: Path, source: Path, compiler: str | None = None, *, flags: Sequence[str] = ()) -> None:
    """Compile the source into `built`, which is replaced at once; raises NotBuiltError."""
    command = [*_linker(compiler), "-O2", "-fPIC", "-fvisibility=hidden", *flags]
    command.append(f'-DSOURCE_DIGEST="{digest_of(source)}"')
    try:
        with tempfile.TemporaryDirectory(prefix=".building-", dir=built.parent) as folder:
            fresh = Path(folder) / built.name
            done = subprocess.run(
                [*command, f"-I{_headers()}", str(source), "-o", str(fresh)],
                capture_output=True,
                timeout=LIMIT,
                check=False,
            )
            if done.returncode != 0:
                lines = done.stderr.decode(errors="replace").strip().splitlines() or ["no reason given"]
                faults = [line for line in lines if "error" in line] or lines
                raise NotBuiltError(f"{command[0]} failed: {faults[0]}")
            fresh.replace(built)
    except subprocess.TimeoutExpired as error:
        raise NotBuiltError(f"{command[0]} took more than {LIMIT:.0f} s") from error
    except OSError as error:
        raise NotBuiltError(f"{error.strerror or error}: {built.parent}") from error


def _headers() -> str:
    """Return the folder of Python.h."""
    folder = sysconfig.get_paths()["include"]
    if not Path(folder, "Python.h").is_file():
        raise NotBuiltError(f"no Python.h in {folder} (the package python3-dev or python3-devel)")
    return folder


def _linker(compiler: str | None) -> list[str]:
    """Return the command that makes a module: Python's own where its compiler is here, else the machine's `cc`."""
    if os.name != "posix":
        raise NotBuiltError("it is built on Linux and macOS only")
    own = shlex.split(sysconfig.get_config_var("LDSHARED") or "")
    flags = ["-bundle", "-undefined", "dynamic_lookup"] if sys.platform == "darwin" else ["-shared"]
    if compiler is None and own and shutil.which(own[0]):
        return own
    wanted = shlex.split(compiler or "cc")
    if not wanted or not shutil.which(wanted[0]):
        raise NotBuiltError(f"no C compiler: {(wanted or own or ['cc'])[0]} is not on the path")
    return [*wanted, *flags]


def _say(text: str) -> None:
    print(f"setup: {text}", file=sys.stderr)


def _skip(reason: str) -> None:
    """Say why nothing is built, unless that was said before."""
    try:
        if SKIPPED.read_text(encoding="utf-8") == reason:
            return
    except OSError:
        pass
    _say(f"the compiled parts are not built, Python does their work: {reason}")
    with contextlib.suppress(OSError):
        SKIPPED.write_text(reason, encoding="utf-8")


def main(arguments: list[str] | None = None) -> int:
    """Build where it is not yet built; 0 in any case, since nothing depends on it."""
    parser = argparse.ArgumentParser(prog="python -m deploy.extension", description="build what is compiled")
    parser.add_argument("--compiler", help="instead of the one that Python was built with")
    parser.add_argument("--remove", action="store_true", help="remove what was built, so that Python does its work")
    parser.add_argument("--debug", action="store_true", help="as everywhere; there is no log here")
    options = parser.parse_args(arguments)
    if options.remove:
        _remove(SOURCES)
        return 0
    stale = [source for source in SOURCES if not is_fresh(built_of(source), source)]
    if not stale:
        return 0
    try:
        for source in stale:
            build(built_of(source), source, options.compiler)
    except NotBuiltError as error:
        _remove(source for source in stale if not is_fresh(built_of(source), source))
        _skip(str(error))
        return 0
    with contextlib.suppress(OSError):
        SKIPPED.unlink(missing_ok=True)
    _say("compiled " + ", ".join(source.stem for source in stale))
    return 0


def _remove(sources: Iterable[Path]) -> None:
    for source in sources:
        with contextlib.suppress(OSError):  # a checkout that may not be written to keeps what it has
            built_of(source).unlink(missing_ok=True)


if __name__ == "__main__":
    raise SystemExit(main())
