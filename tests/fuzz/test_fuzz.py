"""A short form of `make fuzz`: each compiled part beside its Python form, and its drivers under the sanitizers."""

from __future__ import annotations

import importlib
import shutil
import sys
import sysconfig
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from deploy.extension import SOURCES
from tests.fuzz import sanitized
from tests.fuzz.__main__ import PARTS

CAN_BUILD = shutil.which("cc") is not None and Path(sysconfig.get_paths()["include"], "Python.h").is_file()
HAS_SANITIZERS = CAN_BUILD and sys.platform == "linux" and Path(sanitized.find_library()).is_absolute()


def _compiled(part: str) -> ModuleType:
    try:
        return importlib.import_module(PARTS[part].NAME)
    except ImportError:
        pytest.skip("not built here")


def test_everything_compiled_has_a_driver() -> None:
    assert {source.stem for source in SOURCES} == {*PARTS}
    for name, part in PARTS.items():
        source = next(source for source in SOURCES if source.stem == name)
        assert ".".join(source.relative_to(sanitized.ROOT).with_suffix("").parts) == part.NAME


@pytest.mark.parametrize("part", PARTS)
def test_random_operations_do_the_same_as_in_python(part: str) -> None:
    PARTS[part].play(_compiled(part), range(400), 7)


class Spoilt:
    """A compiled part of which one function answers wrongly, now and then."""

    def __init__(self, module: ModuleType, name: str) -> None:
        self._module, self._name, self._calls = module, name, 0

    def __getattr__(self, name: str) -> Any:
        real = getattr(self._module, name)
        return self._wrong(real) if name == self._name else real

    def _wrong(self, real: Any) -> Any:
        def answer(*given: Any) -> Any:
            self._calls += 1
            return None if self._calls % 100 == 0 else real(*given)

        return answer


@pytest.mark.parametrize(("part", "name"), [("decimals", "are_prices"), ("framing", "split")])
def test_a_wrong_answer_is_found(part: str, name: str) -> None:
    spoilt: Any = Spoilt(_compiled(part), name)
    with pytest.raises(AssertionError):
        PARTS[part].play(spoilt, range(2000), 7)


@pytest.mark.skipif(not HAS_SANITIZERS, reason="no C compiler with sanitizers")
def test_parts_are_played_with_under_the_sanitizers() -> None:
    found = sanitized.check("framing", 200, 7, 60.0)
    assert found.clean, found.text
    assert found.done == 200


@pytest.mark.skipif(not HAS_SANITIZERS, reason="no C compiler with sanitizers")
def test_an_error_of_memory_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source = next(path for path in SOURCES if path.stem == "decimals")
    spoilt = tmp_path / source.name
    spoilt.write_text(source.read_text().replace("*at = text + MOST_WRITTEN;", "*at = text + MOST_WRITTEN + 1;"))
    monkeypatch.setattr(sanitized, "SOURCES", (spoilt,))
    found = sanitized.check("decimals", 50, 7, 60.0)
    assert not found.clean
    assert found.errors
    assert "write_wide" in found.text
