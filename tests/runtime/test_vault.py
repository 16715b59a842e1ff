"""The vault: what is sealed opens for whom it was sealed only, and through every rotation."""

from __future__ import annotations

import base64
import threading
from dataclasses import asdict, replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runtime.vault import Belonging, SealBrokenError, Sealed, Vault, WeakSecretError

SECRET = "s" * 32
OTHER = "o" * 40
WHOSE = Belonging("user:1", "main", "indodax")
CREDENTIAL = b'{"key":"PLANTED-KEY","secret":"PLANTED-SECRET"}'
texts = st.text(max_size=20)


@given(st.binary(max_size=500), texts, texts, texts)
def test_what_is_sealed_opens_again(credential: bytes, user: str, account: str, venue: str) -> None:
    vault, whose = Vault(SECRET), Belonging(user, account, venue)
    assert vault.open(vault.seal(credential, whose), whose) == credential


@pytest.mark.parametrize(
    "whose",
    [
        Belonging("user:2", "main", "indodax"),
        Belonging("user:1", "second", "indodax"),
        Belonging("user:1", "main", "binance"),
        Belonging("user:1|main", "", "indodax"),
        Belonging("user:1", "mainindodax", ""),
    ],
)
def test_it_opens_for_nobody_else(whose: Belonging) -> None:
    vault = Vault(SECRET)
    with pytest.raises(SealBrokenError):
        vault.open(vault.seal(CREDENTIAL, WHOSE), whose)
    with pytest.raises(SealBrokenError):
        Vault(OTHER, [SECRET]).rewrap(vault.seal(CREDENTIAL, WHOSE), whose)


def test_parts_of_two_seals_do_not_mix() -> None:
    vault = Vault(SECRET)
    one, two = vault.seal(CREDENTIAL, WHOSE), vault.seal(CREDENTIAL, replace(WHOSE, account="second"))
    with pytest.raises(SealBrokenError):
        vault.open(Sealed(one.key_id, one.wrapped, two.body), WHOSE)


@given(st.integers(min_value=0), st.sampled_from(["wrapped", "body"]))
def test_every_changed_bit_breaks_it(bit: int, part: str) -> None:
    vault = Vault(SECRET)
    sealed = vault.seal(CREDENTIAL, WHOSE)
    data = bytearray(base64.b64decode(getattr(sealed, part)))
    data[bit // 8 % len(data)] ^= 1 << bit % 8
    with pytest.raises(SealBrokenError):
        vault.open(replace(sealed, **{part: base64.b64encode(data).decode()}), WHOSE)


@pytest.mark.parametrize("text", ["", "x", "ä", "====", "AAAA"])
def test_what_is_no_seal_is_broken(text: str) -> None:
    vault = Vault(SECRET)
    sealed = vault.seal(CREDENTIAL, WHOSE)
    for broken in (replace(sealed, body=text), replace(sealed, wrapped=text), replace(sealed, key_id=text)):
        with pytest.raises(SealBrokenError):
            vault.open(broken, WHOSE)


def test_nothing_of_it_shows_and_no_two_seals_are_alike() -> None:
    vault = Vault(SECRET)
    seals = [vault.seal(CREDENTIAL, WHOSE) for _ in range(100)]
    for shown in (repr(vault), repr(seals[0]), str(asdict(seals[0])), repr(vars(vault))):
        assert "PLANTED" not in shown
        assert SECRET not in shown
    assert len({seal.body for seal in seals}) == len({seal.wrapped for seal in seals}) == 100
    assert len({base64.b64decode(seal.body)[:12] for seal in seals}) == 100


def test_an_old_secret_opens_and_is_left_behind_by_rewrapping() -> None:
    sealed = Vault(SECRET).seal(CREDENTIAL, WHOSE)
    vault = Vault(OTHER, [SECRET])
    assert vault.open(sealed, WHOSE) == CREDENTIAL
    moved = vault.rewrap(sealed, WHOSE)
    assert moved is not None
    assert vault.rewrap(moved, WHOSE) is None
    assert Vault(OTHER).open(moved, WHOSE) == CREDENTIAL
    with pytest.raises(SealBrokenError, match="not known"):
        Vault(OTHER).open(sealed, WHOSE)


@pytest.mark.parametrize("make", [Vault, Vault(SECRET).take, lambda short: Vault(SECRET, [short])])
def test_a_short_secret_is_refused(make) -> None:
    with pytest.raises(WeakSecretError, match="32"):
        make("x" * 31)


def test_rotation_while_others_seal_and_open_fails_none_of_them() -> None:
    vault, faults, opened = Vault(SECRET), list[Exception](), [0]
    rotated = threading.Event()

    def work() -> None:
        sealed = vault.seal(CREDENTIAL, WHOSE)
        while not rotated.is_set():
            try:
                assert vault.open(sealed, WHOSE) == CREDENTIAL
                sealed = vault.rewrap(sealed, WHOSE) or vault.seal(CREDENTIAL, WHOSE)
                opened[0] += 1
            except Exception as error:  # noqa: BLE001 - whatever it is, the test fails with it
                faults.append(error)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for number in range(200):
        vault.take(f"{number:040d}")
    rotated.set()
    for thread in threads:
        thread.join()
    assert not faults
    assert opened[0] > 0
