"""Credentials on their way: sealed for one owner, account and venue, opened there, and shown by nothing."""

from __future__ import annotations

import traceback

import pytest

from contracts.services.trading.accounts import SealedText
from runtime.credentials import (
    Credential,
    belonging_of,
    make_vault,
    open_credential,
    open_text,
    seal_credential,
    seal_text,
    token_belonging_of,
)
from runtime.vault import Belonging, SealBrokenError, Vault

VAULT = Vault("s" * 32)
WHOSE = belonging_of("telegram:7", "main", "indodax")
GIVEN = Credential("PLANTED-KEY", "PLANTED-SECRET", "PLANTED-PASSWORD")


@pytest.mark.parametrize("credential", [GIVEN, Credential("PLANTED-KEY", 'quotes " and \\ and ü')])
def test_a_credential_opens_where_it_belongs(credential: Credential) -> None:
    sealed = seal_credential(VAULT, credential, WHOSE)
    assert open_credential(VAULT, SealedText.model_validate_json(sealed.model_dump_json()), WHOSE) == credential


@pytest.mark.parametrize(
    "whose",
    [
        belonging_of("telegram:8", "main", "indodax"),
        belonging_of("telegram:7", "other", "indodax"),
        belonging_of("telegram:7", "main", "binance"),
        token_belonging_of("telegram:7", "main", "indodax"),
    ],
)
def test_moved_to_another_it_never_opens(whose: Belonging) -> None:
    with pytest.raises(SealBrokenError):
        open_credential(VAULT, seal_credential(VAULT, GIVEN, WHOSE), whose)


@pytest.mark.parametrize("text", ["PLANTED", '{"key":"PLANTED"}', '{"key":"PLANTED","secret":1}', "[]"])
def test_what_is_no_credential_is_refused_without_a_word_of_it(text: str) -> None:
    with pytest.raises(SealBrokenError) as caught:
        open_credential(VAULT, seal_text(VAULT, text, WHOSE), WHOSE)
    assert "PLANTED" not in "".join(traceback.format_exception(caught.value))


def test_nothing_shows_it() -> None:
    sealed = seal_credential(VAULT, GIVEN, WHOSE)
    for shown in (repr(GIVEN), str(GIVEN), f"{[GIVEN]}", repr(sealed), sealed.model_dump_json()):
        assert "PLANTED" not in shown


def test_a_vault_is_made_of_the_first_secret_and_opens_with_each() -> None:
    assert make_vault(()) is None
    before, now = make_vault(["a" * 32]), make_vault(["b" * 32, "a" * 32])
    assert before is not None
    assert now is not None
    old = seal_text(before, "PLANTED", WHOSE)
    assert open_text(now, old, WHOSE) == "PLANTED"
    assert seal_text(now, "PLANTED", WHOSE).key_id != old.key_id


def test_secrets_that_are_learned_open_and_do_not_seal() -> None:
    now, coming = Vault("a" * 32), Vault("b" * 32)
    now.learn(["b" * 32])
    assert open_text(now, seal_text(coming, "PLANTED", WHOSE), WHOSE) == "PLANTED"
    assert open_text(Vault("a" * 32), seal_text(now, "PLANTED", WHOSE), WHOSE) == "PLANTED"
