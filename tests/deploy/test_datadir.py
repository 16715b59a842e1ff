"""The data directory: one owner at a time, run.json for its owner's eyes."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from deploy import datadir
from tests.deploy.filesystem import fill, small_disk


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


@pytest.mark.parametrize("inside", [(), ("lock", "demo", "logs"), ("lost+found",)])
def test_directory_is_for_its_owner_only_also_one_that_was_there(tmp_path: Path, inside: tuple[str, ...]) -> None:
    path = tmp_path / "data"
    path.mkdir(mode=0o755)
    for name in inside:
        (path / name).mkdir(mode=0o755) if name != "lock" else (path / name).touch()
    with datadir.claimed(path) as data:
        assert data.stat().st_mode & 0o777 == 0o700
        assert all((data / name).stat().st_mode & 0o077 == 0 for name in datadir.FOLDERS & set(inside))


def test_only_our_folders_are_closed_in_a_directory_that_others_use_too(tmp_path: Path) -> None:
    path = tmp_path / "shared"
    (path / "theirs").mkdir(parents=True)
    (path / "demo").mkdir(mode=0o755)
    before = path.stat().st_mode
    with datadir.claimed(path):
        assert path.stat().st_mode == before
        assert (path / "demo").stat().st_mode & 0o777 == 0o700


def test_run_file_that_the_disk_does_not_take_leaves_the_old_one(tmp_path: Path) -> None:
    with small_disk(tmp_path, 20) as place:
        datadir.save_run(place, {"mode": "demo"})
        filler = fill(place)
        with pytest.raises(OSError, match="No space left"):
            datadir.save_run(place, {"mode": "x" * 100_000})
        assert json.loads((place / "run.json").read_text()) == {"mode": "demo"}
        assert not (place / "run.json.new").exists()
        filler.unlink()
        datadir.save_run(place, {"mode": "run"})
        assert json.loads((place / "run.json").read_text()) == {"mode": "run"}
