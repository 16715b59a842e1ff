"""Settings: defaults, every problem at once, nothing secret shown, nothing undocumented."""

from __future__ import annotations

import ast
import os
import re
import subprocess
import sys
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import get_type_hints

import pytest
from pydantic_settings import BaseSettings

from producers.registry import VENUES
from runtime.config.check import ALIASES, UNUSED
from runtime.config.settings import GROUPS, Settings, SettingsError, load, names

ROOT = Path(__file__).parents[2]


def kinds_by_group() -> dict[str, type[BaseSettings]]:
    return {group: kind for group, kind in get_type_hints(Settings).items() if kind in GROUPS}


@cache
def product_files() -> list[tuple[str, frozenset[str]]]:
    """Return each product file's text with the names that it reads: attributes, and texts for `getattr`."""
    found: list[tuple[str, frozenset[str]]] = []
    for room in ("api", "bot", "consumers", "deploy", "producers", "runtime"):
        for path in sorted(ROOT.joinpath(room).rglob("*.py")):
            text = path.read_text()
            nodes = list(ast.walk(ast.parse(text)))
            attributes = {node.attr for node in nodes if isinstance(node, ast.Attribute)}
            texts = {node.value for node in nodes if isinstance(node, ast.Constant) and isinstance(node.value, str)}
            found.append((text, frozenset(attributes | texts)))
    return found


@pytest.fixture(autouse=True)
def empty_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No setting of the machine, and no `.env`."""
    for name in os.environ:
        if name.startswith(("GPT_API_", "HYDROPHONE_", "NATS_", "MONGO_", *ALIASES, *UNUSED)):
            monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)


def test_defaults_hold_without_any_setting() -> None:
    settings = load()
    assert (settings.api.host, settings.api.port, settings.api.rate_limit_requests) == ("0.0.0.0", 8000, 100)
    assert set(settings.venues.venues) == set(VENUES)
    assert settings.venues.symbols == ("BTC", "ETH", "SOL", "XRP", "DOGE")
    assert settings.alerts.whale_usd_majors == Decimal(1_000_000)
    assert settings.warnings == ()


def test_environment_wins_over_env_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    tmp_path.joinpath(".env").write_text("GPT_API_PORT=1111\nHYDROPHONE_BOOK_DEPTH=7\nHYDROPHONE_OKX_WS_URL=ws://a:1\n")
    monkeypatch.setenv("GPT_API_PORT", "2222")
    settings = load()
    assert (settings.api.port, settings.venues.book_depth) == (2222, 7)
    assert settings.venues.ws_urls == {"okx": "ws://a:1"}


def test_lists_are_comma_separated_and_blanks_are_dropped(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HYDROPHONE_SYMBOLS", " BTC, ETH/USDT ,")
    monkeypatch.setenv("GPT_API_API_KEYS", "one,two")
    settings = load()
    assert settings.venues.symbols == ("BTC", "ETH/USDT")
    assert [key.get_secret_value() for key in settings.api.api_keys] == ["one", "two"]


def test_data_directory_follows_the_platforms_data_home(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    if sys.platform in {"win32", "darwin"}:
        pytest.skip("the data home of XDG is not this platform's")
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    assert load().store.data == tmp_path / "hydrophone"


WRONG = {
    "GPT_API_PORT": ("70000", "less than or equal to 65535"),
    "GPT_API_LOG_LEVEL": ("LOUD", "'DEBUG'"),
    "GPT_API_REQUIRE_AUTH": ("perhaps", "boolean"),
    "GPT_API_IP_ALLOWLIST": ("10.0.0.0/8,nowhere", "address or a network"),
    "GPT_API_CORS_ORIGINS": ("example.org", "like https://example.org"),
    "HYDROPHONE_SOCKET": ("raw", "'picows'"),
    "HYDROPHONE_VENUES": ("Binance!", "CCXT id"),
    "HYDROPHONE_BYBIT_WS_URL": ("http://a", "ws://"),
    "HYDROPHONE_WHALE_USD_MID": ("-1", "greater than 0"),
    "HYDROPHONE_LARGE": ("BTC", "one tier"),
    "NATS_URL": ("http://hunter2@bus", "nats://"),
    "NATS_PASSWORD": ("hunter2", "set both or neither"),
    "NATS_TLS_CA": ("nowhere.pem", "file that exists"),
    "MONGO_URL": ("hunter2", "mongodb://"),
}


def test_every_wrong_setting_is_named_at_once_with_its_rule(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, (value, _) in WRONG.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(SettingsError) as caught:
        load()
    for name, (_, rule) in WRONG.items():
        assert any(line.startswith(name) and rule in line for line in caught.value.problems), name
    assert len(caught.value.problems) == len(WRONG)
    assert "hunter2" not in str(caught.value)


def test_two_ways_to_sign_in_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("NATS_USER", "NATS_PASSWORD", "NATS_TOKEN"):
        monkeypatch.setenv(name, "x")
    with pytest.raises(SettingsError, match=r"only one of NATS_USER, NATS_TOKEN"):
        load()


def test_unknown_name_is_warned_about_with_the_nearest_known(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GPT_API_PROT", "1")
    monkeypatch.setenv("HYDROPHONE_BINANCE_WS_ULR", "ws://a")
    monkeypatch.setenv("OTHER_PROT", "1")
    assert load().warnings == (
        "GPT_API_PROT is no setting; did you mean GPT_API_PORT?",
        "HYDROPHONE_BINANCE_WS_ULR is no setting; did you mean HYDROPHONE_BINANCE_WS_URL?",
    )


def test_what_older_systems_kept_elsewhere_is_accepted_with_a_warning(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in UNUSED:
        monkeypatch.setenv(name, "redis://user:hunter2@x")
    assert [line.split()[0] for line in load().warnings] == list(UNUSED)
    assert "hunter2" not in str(load().warnings)
    page = (ROOT / "docs" / "settings.md").read_text()
    assert all(f"`{name}`" in page for name in UNUSED)


def test_keys_of_a_venues_market_data_are_accepted_with_a_warning(monkeypatch: pytest.MonkeyPatch) -> None:
    names_of_keys = ("GPT_API_BINANCE_API_KEY", "GPT_API_BINANCE_API_SECRET", "GPT_API_HUOBI_SECRET_FILE")
    for name in (*names_of_keys, "GPT_API_KUCOIN_PASSPHRASE", "GPT_API_NOWHERE_API_KEY"):
        monkeypatch.setenv(name, "hunter2")
    *accepted, unknown = sorted(load().warnings, key=lambda line: "NOWHERE" in line)
    assert [line.split()[0] for line in accepted] == [*names_of_keys, "GPT_API_KUCOIN_PASSPHRASE"]
    assert all("is accepted and not used: market data needs no key" in line for line in accepted)
    assert unknown.startswith("GPT_API_NOWHERE_API_KEY is no setting")
    assert "hunter2" not in str(load().warnings)


def test_an_alias_counts_where_the_setting_itself_is_not_set(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    tmp_path.joinpath(".env").write_text("PORT=1111\nPRICE_FEED_WS_URL=ws://indodax:1\nGPT_API_PORT=\n")
    settings = load()
    assert (settings.api.port, settings.venues.ws_urls) == (1111, {"indodax": "ws://indodax:1"})
    assert "port" in settings.api.model_fields_set, "a launcher insists on it"
    assert settings.warnings == ()
    tmp_path.joinpath(".env").write_text("GPT_API_PORT=2222\nHYDROPHONE_INDODAX_WS_URL=ws://own:1\n")
    monkeypatch.setenv("PORT", "1111")
    monkeypatch.setenv("PRICE_FEED_WS_URL", "ws://indodax:1")
    settings = load()
    assert (settings.api.port, settings.venues.ws_urls) == (2222, {"indodax": "ws://own:1"})
    assert settings.warnings == (
        "PORT is not used for GPT_API_PORT, which is set",
        "PRICE_FEED_WS_URL is not used for HYDROPHONE_INDODAX_WS_URL, which is set",
    )


def test_an_alias_of_two_settings_counts_for_each_that_is_not_set(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOG_LEVEL", "warning")
    monkeypatch.setenv("GPT_API_LOG_LEVEL", "ERROR")
    settings = load()
    assert (settings.logs.level, settings.api.log_level) == ("WARNING", "ERROR")


def test_a_wrong_alias_is_named_as_it_was_set(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PORT", "70000")
    monkeypatch.setenv("PRICE_FEED_WS_URL", "http://a")
    monkeypatch.setenv("LOG_LEVEL", "LOUD")
    with pytest.raises(SettingsError) as caught:
        load()
    named = sorted(line.partition(":")[0] for line in caught.value.problems)
    assert named == ["LOG_LEVEL", "LOG_LEVEL", "PORT", "PRICE_FEED_WS_URL"], "a level of the API, and of the others"


@pytest.mark.parametrize(
    ("group", "name"),
    [(group, name) for group, kind in kinds_by_group().items() for name in kind.model_fields],
)
def test_every_setting_is_read_by_the_product(group: str, name: str) -> None:
    kind = kinds_by_group()[group].__name__
    for text, read in product_files():
        if name in read and (kind in text or f".{group}" in text):
            return
    pytest.fail(f"nothing reads {group}.{name}")


def test_secrets_are_known_for_the_log_to_hide(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GPT_API_API_KEYS", "first,second")
    monkeypatch.setenv("NATS_URL", "nats://bus-token@a:1,nats://b:2")
    monkeypatch.setenv("MONGO_URL", "mongodb://user:word@a")
    assert set(load().secrets()) == {"first", "second", "bus-token", "word"}, "a user's name stands in logs"


def test_check_prints_values_without_secrets(tmp_path: Path) -> None:
    secrets = {
        "GPT_API_API_KEYS": "hunter2",
        "HYDROPHONE_ADMIN_KEYS": "hunter2",
        "NATS_URL": "nats://hunter2@a:1",
        "NATS_TOKEN": "hunter2",
        "MONGO_URL": "mongodb://u:hunter2@a",
    }
    done = subprocess.run(
        [sys.executable, "-m", "runtime.settings", "--check", "--debug"],
        env={**os.environ, **secrets, "PYTHONPATH": str(ROOT), "GPT_API_PORT": "8123"},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "GPT_API_PORT=8123" in done.stdout
    assert "HYDROPHONE_LOG_LEVEL=DEBUG\n" in done.stdout
    assert "GPT_API_LOG_LEVEL=DEBUG\n" in done.stdout
    assert "hunter2" not in done.stdout + done.stderr


def test_every_setting_is_in_the_example_and_in_the_documentation() -> None:
    example = (ROOT / ".env.example").read_text()
    page = (ROOT / "docs" / "settings.md").read_text()
    for name in names():
        assert re.search(rf"^#? ?{re.escape(name)}\b", example, re.MULTILINE), f"{name} is missing in .env.example"
        assert f"`{name}`" in page, f"{name} is missing in docs/settings.md"


def test_the_example_names_no_setting_that_nobody_reads() -> None:
    named = set(re.findall(r"^#?([A-Z][A-Z_]+)=", (ROOT / ".env.example").read_text(), re.MULTILINE))
    assert {name for name in named if not re.fullmatch(r"HYDROPHONE_[A-Z]+_(WS|REST)_URL", name)} <= set(names())


def test_the_example_shows_the_defaults(tmp_path: Path) -> None:
    plain = load()
    env_file = tmp_path / "example.env"
    env_file.write_text((ROOT / ".env.example").read_text())
    assert load(env_file) == plain


@pytest.mark.parametrize(
    ("given", "named"),
    [
        ({"APP_SECRET_KEY": "short"}, "APP_SECRET_KEY: must have at least 32 characters"),
        ({"APP_SECRET_KEY_OLD": "o" * 32}, "APP_SECRET_KEY_OLD needs APP_SECRET_KEY"),
        ({"APP_SECRET_KEY": "s" * 32, "APP_SECRET_KEY_OLD": f"{'o' * 32},short"}, "APP_SECRET_KEY_OLD"),
        ({"USER_TOKEN_ROTATION_THRESHOLD_SECONDS": "86400"}, "less than USER_TOKEN_TTL_SECONDS"),
        ({"USER_TOKEN_TTL_SECONDS": "43200"}, "less than USER_TOKEN_TTL_SECONDS"),
        (
            {"USER_TOKEN_REFRESH_THRESHOLD_SECONDS": "43200"},
            "less than USER_TOKEN_ROTATION_THRESHOLD_SECONDS",
        ),
    ],
)
def test_secrets_and_times_of_trading_are_checked(
    given: dict[str, str], named: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in given.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(SettingsError, match=named) as caught:
        load()
    assert "short" not in str(caught.value)


def test_the_secret_that_seals_stands_first(monkeypatch: pytest.MonkeyPatch) -> None:
    assert load().trading.secrets == ()
    monkeypatch.setenv("APP_SECRET_KEY", "s" * 32)
    monkeypatch.setenv("APP_SECRET_KEY_OLD", f"{'o' * 32},{'p' * 32}")
    settings = load()
    assert settings.trading.secrets == ("s" * 32, "o" * 32, "p" * 32)
    assert set(settings.secrets()) >= set(settings.trading.secrets)
