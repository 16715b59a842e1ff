"""Secrets of the installation: one for all who share the data directory, and for nobody else's eyes."""

from __future__ import annotations

import base64
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from runtime.config.settings import SettingsError, load
from runtime.pepper import FILE, SIGNING_KEY_FILE, load_pepper, load_signing_key, sealing_key

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


def test_the_signing_key_is_made_once_or_given(tmp_path: Path) -> None:
    made = load_signing_key(None, tmp_path).private_bytes_raw()
    assert load_signing_key(None, tmp_path).private_bytes_raw() == made
    assert (tmp_path / SIGNING_KEY_FILE).stat().st_mode & 0o777 == 0o600
    text = (tmp_path / SIGNING_KEY_FILE).read_text()
    assert load_signing_key(text, tmp_path / "none").private_bytes_raw() == made
    seed = bytes(range(32))
    both = seed + Ed25519PrivateKey.from_private_bytes(seed).public_key().public_bytes_raw()
    for raw in (seed, both):
        given = "whsk_" + base64.b64encode(raw).decode()
        assert load_signing_key(given, tmp_path / "none").private_bytes_raw() == seed
    assert not (tmp_path / "none").exists()


def test_a_sealing_key_is_of_one_purpose_and_one_pepper() -> None:
    keys = {sealing_key(pepper, purpose) for pepper in (b"a" * 16, b"b" * 16) for purpose in ("one", "two")}
    assert (len(keys), {len(key) for key in keys}) == (4, {32})
    assert sealing_key(b"a" * 16, "one") in keys


@pytest.mark.parametrize(
    ("name", "good", "bad"),
    [
        ("HYDROPHONE_WEBHOOK_ALLOW", "127.0.0.1:9000,receiver.internal,[::1]:9000,::1", "http://127.0.0.1"),
        ("HYDROPHONE_WEBHOOK_PORTS", "443,8443", "443,0"),
        ("HYDROPHONE_WEBHOOK_PORTS", "9443", "https"),
        ("HYDROPHONE_WEBHOOK_SIGNING_KEY", "whsk_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=", "whsk_AAEC"),
    ],
)
def test_settings_of_webhooks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, good: str, bad: str) -> None:
    monkeypatch.setenv(name, good)
    load(tmp_path / "none.env")
    monkeypatch.setenv(name, bad)
    with pytest.raises(SettingsError) as raised:
        load(tmp_path / "none.env")
    assert [line.startswith(name) for line in raised.value.problems] == [True]
    assert bad not in str(raised.value)
