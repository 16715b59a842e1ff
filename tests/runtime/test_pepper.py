"""The pepper of the key store: one for all who share the data directory, and for nobody else's eyes."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from runtime.config.settings import SettingsError, load
from runtime.pepper import FILE, load_pepper

GIVEN = "a-pepper-of-sixteen-characters"


def test_it_is_made_once_for_the_owner_only(tmp_path: Path) -> None:
    directory = tmp_path / "data"
    first = load_pepper(None, directory)
    assert load_pepper(None, directory) == first
    assert len(first) == 64
    assert (directory / FILE).stat().st_mode & 0o777 == 0o600
    assert [path.name for path in directory.iterdir()] == [FILE]
    assert load_pepper(None, tmp_path / "other") != first


def test_processes_that_come_at_once_get_the_same(tmp_path: Path) -> None:
    with ThreadPoolExecutor(8) as pool:
        assert len(set(pool.map(lambda _: load_pepper(None, tmp_path), range(32)))) == 1


def test_the_setting_wins_and_leaves_no_file(tmp_path: Path) -> None:
    assert load_pepper(GIVEN, tmp_path) == GIVEN.encode()
    assert not list(tmp_path.iterdir())


def test_a_secret_may_be_in_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, text in (("HYDROPHONE_KEY_PEPPER", GIVEN), ("GPT_API_API_KEYS", "first-key,second-key")):
        (tmp_path / name).write_text(f"{text}\n")
        monkeypatch.setenv(f"{name}_FILE", str(tmp_path / name))
        monkeypatch.delenv(name, raising=False)
    settings = load(tmp_path / "none.env")
    assert settings.access.key_pepper is not None
    assert settings.access.key_pepper.get_secret_value() == GIVEN
    assert [key.get_secret_value() for key in settings.api.api_keys] == ["first-key", "second-key"]
    assert not [line for line in settings.warnings if "_FILE" in line]
    monkeypatch.setenv("GPT_API_API_KEYS", "third-key")  # what is set itself wins
    assert [key.get_secret_value() for key in load(tmp_path / "none.env").api.api_keys] == ["third-key"]
    monkeypatch.setenv("MONGO_URL_FILE", str(tmp_path / "missing"))
    monkeypatch.setenv("HYDROPHONE_KEY_PEPPER", "short")
    with pytest.raises(SettingsError) as raised:
        load(tmp_path / "none.env")
    assert {line.partition(":")[0] for line in raised.value.problems} == {"MONGO_URL_FILE", "HYDROPHONE_KEY_PEPPER"}
