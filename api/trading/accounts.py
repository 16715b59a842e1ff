"""`/api/trading/accounts|kill|resume`: an owner's accounts, and the switch that stops all of their trading."""

from __future__ import annotations

import re
from typing import Final

from fastapi import APIRouter, Response

from api.http.errors import InvalidBodyError
from api.http.idempotency import IdempotencyKey, Once
from api.http.responses import Reply
from api.trading import schemas
from api.trading.schemas import AccountInPath, NewAccount
from api.trading.sending import CREATED, ROUTER, Commands, TradingCommands, answer, done, failures, made
from contracts.errors import NotFoundError
from contracts.services.responses import SuccessResponse
from contracts.services.trading import accounts
from runtime.clients import paper_account
from runtime.credentials import Credential, belonging_of, seal_credential

router: Final = APIRouter(**ROUTER)
_NAME: Final = re.compile(r"[a-z0-9][a-z0-9_-]{0,31}")


@router.get("/accounts", operation_id="listAccounts", response_model=schemas.AccountsOut)
async def list_accounts(commands: Commands) -> Response:
    """Your accounts by name, with what is in them, and whether your trading is stopped."""
    found = await commands.send(
        "trading.list_accounts", accounts.ListAccounts(owner=commands.owner), accounts.AccountList
    )
    count = len(found.items)
    page = {"total": count, "page": 1, "page_size": accounts.MOST_ACCOUNTS, "pages": 1 if count else 0}
    return answer({"items": found.items, **page, "halted": found.halted}).as_response()


@router.post(
    "/accounts",
    operation_id="createAccount",
    status_code=CREATED,
    response_model=schemas.AccountOut,
    responses=failures(409, 413, 502),
)
async def create(body: NewAccount, commands: Commands, once: Once, _key: IdempotencyKey = None) -> Response:
    """Make an account: on paper, or at an exchange.

    Key and secret are sealed before they leave this process; they are in no answer, no log and on no bus. A key that
    can withdraw is refused. With an `Idempotency-Key` the same request makes one account within a day.
    """

    async def make(_request_key: str | None) -> Reply:
        return answer(
            await commands.send("trading.create_account", _request(body, commands), accounts.AccountInfo), CREATED
        )

    return (await once(make)).as_response()


@router.delete(
    "/accounts/{name}",
    operation_id="deleteAccount",
    response_model=SuccessResponse,
    responses=failures(404, 409),
)
async def delete(name: AccountInPath, commands: Commands) -> Response:
    """Take an account away, and with one at an exchange its sealed key; one with orders that are not finished stays."""
    request = accounts.DeleteAccount(caller=commands.caller, owner=commands.owner, name=_checked(name))
    await commands.send("trading.delete_account", request, accounts.AccountInfo)
    return done(f"Account {name} is deleted")


@router.post("/kill", operation_id="killTrading", response_model=schemas.KilledOut)
async def kill(commands: Commands) -> Response:
    """Stop all of your trading: no new orders, and every open one is cancelled. Says what the venues confirmed."""
    found = await commands.send(
        "trading.kill", accounts.Kill(caller=commands.caller, owner=commands.owner), accounts.Killed
    )
    return answer({"halted": True, "cancelled": found.cancelled, "waiting": found.waiting}).as_response()


@router.post("/resume", operation_id="resumeTrading", response_model=SuccessResponse)
async def resume(commands: Commands) -> Response:
    """Let your trading go on."""
    await commands.send(
        "trading.resume", accounts.Resume(caller=commands.caller, owner=commands.owner), accounts.Resumed
    )
    return done("Trading goes on")


def _request(body: NewAccount, commands: TradingCommands) -> accounts.CreateAccount:
    """Return the request for an account; InvalidBodyError names what its kind does not go with."""
    faults = _faults(body)
    if faults:
        raise InvalidBodyError("The body does not have the expected form", faults=faults)
    known = {"caller": commands.caller, "owner": commands.owner, "name": body.name, "limits": body.limits.as_limits()}
    if body.key is not None and body.secret is not None:
        credential = Credential(body.key.get_secret_value(), body.secret.get_secret_value())
        sealed = seal_credential(commands.vault(), credential, belonging_of(commands.owner, body.name, body.venue))
        return made(accounts.CreateAccount, **known, venue=body.venue, credential=sealed)
    exchange = body.exchange or paper_account.EXCHANGE
    balance = body.balance or dict(paper_account.BALANCE)
    return made(accounts.CreateAccount, **known, exchange=exchange, balance=balance)


def _faults(body: NewAccount) -> list[dict[str, str]]:
    on_paper = body.venue == accounts.PAPER
    unfit = ("key", "secret") if on_paper else ("exchange", "balance")
    fault = "a paper account takes none" if on_paper else "an account at an exchange takes none"
    found = [{"field": name, "fault": fault} for name in unfit if getattr(body, name) is not None]
    needed = () if on_paper else ("key", "secret")
    return found + [{"field": name, "fault": "needed"} for name in needed if getattr(body, name) is None]


def _checked(name: str) -> str:
    """Return the name; NotFoundError for what can be none."""
    if _NAME.fullmatch(name) is None:
        raise NotFoundError(f"There is no account {name}", name=name)
    return name
