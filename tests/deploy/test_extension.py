"""What is compiled is built once for each state of its source, by whoever may, and its absence is one line."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import sysconfig
import threading
import zipfile
from pathlib import Path

import pytest

from deploy.extension import SOURCES, NotBuiltError, build, built_of, digest_of, is_fresh

ROOT = Path(__file__).parents[2]
CAN_BUILD = shutil.which("cc") is not None and Path(sysconfig.get_paths()["include"], "Python.h").is_file()
pytestmark = pytest.mark.skipif(not CAN_BUILD, reason="no C compiler or no Python.h")
SMALL = "int answer_{0}(void) {{ return {0}; }}\nconst char *digest_{0} = SOURCE_DIGEST;\n"


@pytest.fixture
def source(tmp_path: Path) -> Path:
    folder = tmp_path / "some where"
    folder.mkdir()
    path = folder / "small.c"
    path.write_text(SMALL.format(1))
    return path


def test_built_file_is_fresh_until_its_source_changes(source: Path) -> None:
    built = source.with_suffix(".abi3.so")
    assert not is_fresh(built, source)
    build(built, source)
    assert is_fresh(built, source)
    source.write_text(SMALL.format(2))
    assert not is_fresh(built, source)
    build(built, source)
    assert digest_of(source).encode() in built.read_bytes()
    assert sorted(path.name for path in source.parent.iterdir()) == ["small.abi3.so", "small.c"], "nothing is left over"


def test_several_builds_at_once_leave_a_whole_file(source: Path) -> None:
    built = source.with_suffix(".abi3.so")
    faults: list[str] = []

    def one() -> None:
        try:
            build(built, source)
        except NotBuiltError as error:
            faults.append(str(error))

    threads = [threading.Thread(target=one) for _ in range(5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert not faults
    assert is_fresh(built, source)


def test_why_it_cannot_be_built_is_one_line(source: Path) -> None:
    built = source.with_suffix(".abi3.so")
    with pytest.raises(NotBuiltError, match="no C compiler: no-such-cc is not on the path"):
        build(built, source, "no-such-cc -O1")
    source.write_text("this is no C;\n")
    with pytest.raises(NotBuiltError, match="failed: ") as raised:
        build(built, source)
    assert "\n" not in str(raised.value)
    with pytest.raises(NotBuiltError, match="No such file"):
        build(source.parent / "missing" / "small.so", source)
    assert not built.exists()


def test_checkout_that_may_not_be_written_to_goes_without(source: Path) -> None:
    if os.geteuid() == 0:
        pytest.skip("root may write anywhere")
    source.parent.chmod(0o500)
    try:
        with pytest.raises(NotBuiltError, match="Permission denied"):
            build(source.with_suffix(".abi3.so"), source)
    finally:
        source.parent.chmod(0o700)


def checkout(folder: Path) -> list[Path]:
    """Copy what the builder needs of this checkout."""
    sources = [str(source.relative_to(ROOT)) for source in SOURCES]
    headers = [str(header.relative_to(ROOT)) for source in SOURCES for header in sorted(source.parent.glob("*.h"))]
    for name in ("deploy/__init__.py", "deploy/extension.py", *sources, *headers):
        target = folder / name
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, target)
    (folder / ".venv").mkdir()
    return [folder / built_of(Path(name)) for name in sources]


def run(folder: Path, *arguments: str) -> str:
    command = [sys.executable, "-m", "deploy.extension", *arguments]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=True, timeout=120)
    return done.stderr


def test_command_builds_once_says_so_once_and_removes(tmp_path: Path) -> None:
    folder = tmp_path / "a copy, é"
    built = checkout(folder)
    assert run(folder, "--compiler", "no-such-cc").count("\n") == 1
    assert run(folder, "--compiler", "no-such-cc") == "", "it was said"
    assert run(folder) == "setup: compiled decimals, writing, book_side, framing, seen_ids\n"
    assert run(folder) == ""
    assert all(path.is_file() for path in built)
    built[0].unlink()
    assert run(folder) == "setup: compiled decimals\n"
    assert run(folder, "--remove") == ""
    assert not any(path.exists() for path in built)


def test_stale_file_that_cannot_be_built_again_is_removed(tmp_path: Path) -> None:
    built = checkout(tmp_path)
    run(tmp_path)
    with built[1].with_name("reading.h").open("a") as header:
        header.write("/* changed */\n")
    assert "not built" in run(tmp_path, "--compiler", "no-such-cc")
    assert [path.exists() for path in built] == [True, False, True, True, True]


def test_wheel_has_the_built_files_and_one_tag_for_every_python(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path)]
    subprocess.run(command, cwd=ROOT, capture_output=True, check=True, timeout=120)
    (wheel,) = tmp_path.glob("*.whl")
    assert "-cp311-abi3-" in wheel.name
    with zipfile.ZipFile(wheel) as packed:
        assert "runtime/book/book_side.py" in packed.namelist()
        for source in SOURCES:
            held = packed.read(str(built_of(source).relative_to(ROOT)))
            assert digest_of(source).encode() in held
