"""The data directory: one owner at a time, run.json for its owner's eyes."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from deploy import datadir


def test_second_copy_takes_the_directory_beside_the_first(tmp_path: Path) -> None:
    with datadir.claimed(tmp_path / "data") as first, datadir.claimed(tmp_path / "data") as second:
        assert (first, second) == (tmp_path / "data", tmp_path / "data-2")
    with datadir.claimed(tmp_path / "data") as again:
        assert again == tmp_path / "data"


def test_run_file_is_for_its_owner_only_and_goes_with_the_claim(tmp_path: Path) -> None:
    with datadir.claimed(tmp_path / "data") as data:
        path = datadir.save_run(data, {"mode": "demo"})
        assert path == data / "run.json"
        assert path.stat().st_mode & 0o777 == 0o600
        assert json.loads(path.read_text()) == {"mode": "demo"}
    assert not path.exists()


def test_run_file_of_a_killed_copy_is_gone_before_the_next_is_ready(tmp_path: Path) -> None:
    stale = tmp_path / "data" / "run.json"
    stale.parent.mkdir()
    stale.write_text("{}")
    with datadir.claimed(tmp_path / "data"):
        assert not stale.exists()


def test_all_taken_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(datadir, "COPIES", 1)
    with (
        datadir.claimed(tmp_path / "data"),
        pytest.raises(datadir.NoDirectoryError, match="in use"),
        datadir.claimed(tmp_path / "data"),
    ):
        pass
