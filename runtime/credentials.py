"""Keys of exchanges and user tokens on their way: sealed by a face, opened by execution, shown by nothing.

What is sealed for one owner, account and venue opens for no other; a token never opens as a key of an exchange.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from pydantic import BaseModel, ConfigDict, ValidationError

from contracts.services.trading.accounts import SealedText
from runtime.vault import Belonging, SealBrokenError, Sealed, Vault

_TOKEN = "token:"  # noqa: S105  # of what is sealed for; no account has a colon in its name


class _Text(BaseModel):
    """A credential as it is sealed; what is wrong with it is said without it."""

    model_config = ConfigDict(strict=True, extra="forbid", hide_input_in_errors=True)

    key: str
    secret: str
    password: str | None = None


@dataclass(frozen=True, slots=True, repr=False)
class Credential:
    """Key, secret and, where the exchange has one, password of an account there; its repr shows none of them."""

    key: str
    secret: str
    password: str | None = None

    def __repr__(self) -> str:
        return "Credential(***)"


def make_vault(secrets: Sequence[str]) -> Vault | None:
    """Return the vault of some secrets, the one that seals first (`settings.trading.secrets`); None without any."""
    return Vault(secrets[0], secrets[1:]) if secrets else None


def belonging_of(owner: str, account: str, venue: str) -> Belonging:
    """Return what a key of an exchange is sealed for; `account` is the owner's name of it."""
    return Belonging(owner, account, venue)


def token_belonging_of(owner: str, account: str, venue: str) -> Belonging:
    """Return what a user token is sealed for."""
    return Belonging(owner, _TOKEN + account, venue)


def seal_credential(vault: Vault, credential: Credential, whose: Belonging) -> SealedText:
    """Return a credential sealed, as it may go onto the bus."""
    text = _Text(key=credential.key, secret=credential.secret, password=credential.password)
    return seal_text(vault, text.model_dump_json(exclude_none=True), whose)


def open_credential(vault: Vault, sealed: SealedText, whose: Belonging) -> Credential:
    """Return the credential; raises SealBrokenError, which says nothing of it."""
    try:
        text = _Text.model_validate_json(open_text(vault, sealed, whose))
    except ValidationError:
        raise SealBrokenError("what is sealed is no key of an exchange") from None
    return Credential(text.key, text.secret, text.password)


def seal_text(vault: Vault, text: str, whose: Belonging) -> SealedText:
    """Return a text sealed, as it may go onto the bus."""
    return to_text(vault.seal(text.encode(), whose))


def open_text(vault: Vault, sealed: SealedText, whose: Belonging) -> str:
    """Return the text; raises SealBrokenError, which says nothing of it."""
    try:
        return vault.open(of_text(sealed), whose).decode()
    except UnicodeDecodeError:
        raise SealBrokenError("what is sealed is no text") from None


def to_text(sealed: Sealed) -> SealedText:
    """Return what is sealed in the form of the bus."""
    return SealedText(key_id=sealed.key_id, wrapped=sealed.wrapped, body=sealed.body)


def of_text(sealed: SealedText) -> Sealed:
    """Return what is sealed in the form of the vault."""
    return Sealed(sealed.key_id, sealed.wrapped, sealed.body)
