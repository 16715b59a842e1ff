"""`/link` and `/unlink`: accounts at exchanges. What has a secret in it is deleted before anything else is done."""

from __future__ import annotations

import re
from typing import Any, Final

from pydantic import ValidationError
from telegram import Update
from telegram.ext import ApplicationHandlerStop, ContextTypes, MessageHandler, filters

from bot.commands.visiting import GROUPS, AnyHandler, Call, Press, command
from bot.page import Page, Rows, Visit, button, row, rows
from bot.texts.trading import accounts as texts
from bot.trading.accounts import TradingServices, caller_of, owner
from bot.trading.asking import ASK_SECONDS, delete, until, with_warning
from bot.trading.drafts import mark_of
from bot.trading.state import Asking, HeldToken
from contracts.errors import DisabledError, HydrophoneError
from contracts.services.trading.accounts import (
    PAPER,
    AccountInfo,
    CreateAccount,
    DeleteAccount,
    Revoked,
    TokenIssue,
    TokenIssued,
    Unlink,
)
from runtime.credentials import Credential, belonging_of, open_text, seal_credential, seal_text
from runtime.vault import SealBrokenError, Vault

LINK: Final = "lk"
UNLINK: Final = "lu"
DESTROY: Final = "ld"
VENUES: Final = ("indodax", "binance", "bybit", "okx", "kraken", "kucoin")  # offered; any of CCXT's may be written
_VENUE: Final = re.compile(r"[a-z0-9]{2,32}")
_NAME: Final = re.compile(r"[a-z0-9][a-z0-9_-]{0,31}")
_COMMAND: Final = re.compile(r"^/link(@\w+)?(\s|$)", re.IGNORECASE)
_WAITING: Final = "waiting"  # in place of a venue where a key waits for its secret


class Linking:
    """Pages of links."""

    def __init__(self, trading: TradingServices) -> None:
        self._trading = trading

    def handler(self) -> AnyHandler:
        """Return the handler of `/link`, which goes before all others: nobody else sees what is written there."""
        return MessageHandler((filters.Regex(_COMMAND) | filters.CaptionRegex(_COMMAND)), self._on_link)

    def presses(self) -> dict[str, Press]:
        """Return what the buttons do, by their action."""
        return {LINK: self._on_venue, UNLINK: self._on_unlink, DESTROY: self._on_destroy}

    async def unlink(self, call: Call) -> Page:
        """Return the question which account is to be unlinked, and whether its key is to be destroyed."""
        visit = call.visit
        return await self._trading.services.pages.guarded(self._unlink(call.arguments, visit), "", visit)

    async def typed(self, asking: Asking, text: str, visit: Visit) -> Page:
        """Take the key, and then the secret."""
        venue, name = asking.given["venue"], asking.given["name"]
        try:
            vault = self._vault()
            whose = belonging_of(owner(visit), name, _WAITING)
            if asking.what == "key":
                sealed = seal_text(vault, text, whose)
                waiting = Asking(what="secret", until=until(ASK_SECONDS), given=asking.given, sealed=sealed)
                await self._trading.state.ask(visit.user_id, waiting)
                return Page(visit.reader.say("link.secret", venue=venue))
            key = open_text(vault, asking.sealed, whose) if asking.sealed is not None else ""
            return await self._link(venue, name, Credential(key, text), visit)
        except SealBrokenError:
            return Page(visit.reader.say("link.again"))
        except HydrophoneError as error:
            return self._trading.services.pages.refused(error, venue, visit)

    async def _on_link(self, update: Update, context: ContextTypes.DEFAULT_TYPE) -> None:
        message = update.effective_message
        if message is None:
            return
        words = (message.text or message.caption or "").split()[1:]
        gone = not may_be_secret(words) or await delete(message, self._trading.services.requests)

        async def make(call: Call) -> Page:
            if call.visit.is_group:
                return Page(call.visit.reader.say("link.private"))
            page = await self._guarded(tuple(words), call.visit)
            return page if gone else with_warning(page, call.visit)

        if update.edited_message is None and message.chat.type in {"private", *GROUPS}:
            await command(self._trading.services, make)(update, context)
        raise ApplicationHandlerStop

    async def _guarded(self, words: tuple[str, ...], visit: Visit) -> Page:
        try:
            return await self._command(words, visit)
        except ValidationError:
            return self._trading.services.pages.usage("link", visit)
        except HydrophoneError as error:
            return self._trading.services.pages.refused(error, "", visit)

    async def _command(self, words: tuple[str, ...], visit: Visit) -> Page:
        self._vault()
        if not words:
            found = [button(venue, LINK, venue) for venue in VENUES]
            return Page(visit.reader.say("link.venue"), rows(row(*found[:3]), row(*found[3:])))
        venue, *rest = words
        venue = venue.lower()
        if _VENUE.fullmatch(venue) is None or len(rest) > 3:  # noqa: PLR2004  # name, key and secret
            return self._trading.services.pages.usage("link", visit)
        if len(rest) >= 2:  # noqa: PLR2004  # key and secret
            *named, key, secret = rest
            return await self._link(venue, "".join(named).lower() or venue, Credential(key, secret), visit)
        return await self._ask_key(venue, "".join(rest).lower() or venue, visit)

    async def _on_venue(self, arguments: tuple[str, ...], visit: Visit) -> Page | None:
        if len(arguments) != 1 or arguments[0] not in VENUES:
            return None
        return await self._trading.services.pages.guarded(self._ask_key(arguments[0], arguments[0], visit), "", visit)

    async def _ask_key(self, venue: str, name: str, visit: Visit) -> Page:
        if _NAME.fullmatch(name) is None:
            return self._trading.services.pages.usage("link", visit)
        self._vault()
        there = next((one for one in (await self._trading.listed(visit)).items if one.name == name), None)
        if there is not None and there.venue == venue:  # its key is sealed still: only the token is missing
            await self._issue(name, visit)
            return Page(visit.reader.say("link.renewed", name=name), rows(*_ways(visit)))
        given = {"venue": venue, "name": name}
        await self._trading.state.ask(visit.user_id, Asking(what="key", until=until(ASK_SECONDS), given=given))
        return Page(visit.reader.say("link.key", venue=venue))

    async def _link(self, venue: str, name: str, credential: Credential, visit: Visit) -> Page:
        sealed = seal_credential(self._vault(), credential, belonging_of(owner(visit), name, venue))
        known: dict[str, Any] = {"caller": caller_of(visit), "owner": owner(visit), "name": name, "venue": venue}
        made = await self._trading.send("create_account", CreateAccount(**known, credential=sealed), AccountInfo)
        await self._issue(name, visit)
        return Page(texts.linked(made, visit.reader), rows(*_ways(visit)))

    async def _issue(self, name: str, visit: Visit) -> None:
        request = TokenIssue(caller=caller_of(visit), owner=owner(visit), name=name)
        issued = await self._trading.send("issue_token", request, TokenIssued)
        held = HeldToken(token=issued.token, expires_at=issued.expires_at, rotate_at=issued.rotate_at)
        await self._trading.state.keep_token(visit.user_id, name, held)

    async def _unlink(self, words: tuple[str, ...], visit: Visit) -> Page:
        reader = visit.reader
        if words:
            account = await self._trading.named(words[0].lower(), visit)
            return self._ask_destroy(account, visit)
        found = (await self._trading.listed(visit)).items
        if len(found) == 1:
            return self._ask_destroy(found[0], visit)
        chosen = [row(button(f"{one.name} ({one.exchange})", UNLINK, mark_of(one.name))) for one in found]
        return Page(reader.say("unlink.which" if found else "unlink.none"), rows(*chosen))

    async def _on_unlink(self, arguments: tuple[str, ...], visit: Visit) -> Page | None:
        try:
            account = await self._trading.marked("".join(arguments), visit)
        except HydrophoneError as error:
            return self._trading.services.pages.refused(error, "", visit)
        return None if account is None else self._ask_destroy(account, visit)

    def _ask_destroy(self, account: AccountInfo, visit: Visit) -> Page:
        reader, mark = visit.reader, mark_of(account.name)
        if account.venue == PAPER:
            found = row(button(reader.plain("button.delete"), DESTROY, mark, "y"))
            return Page(reader.say("unlink.paper", name=account.name), rows(found))
        destroy = button(reader.plain("button.destroy"), DESTROY, mark, "y")
        keep = button(reader.plain("button.keep_key"), DESTROY, mark, "n")
        return Page(reader.say("unlink.ask", name=account.name, venue=account.venue), rows(row(destroy), row(keep)))

    async def _on_destroy(self, arguments: tuple[str, ...], visit: Visit) -> Page | None:
        if len(arguments) != 2 or arguments[1] not in {"y", "n"}:  # noqa: PLR2004  # account and answer
            return None
        try:
            account = await self._trading.marked(arguments[0], visit)
            return None if account is None else await self._end(account, visit, destroy=arguments[1] == "y")
        except HydrophoneError as error:
            return self._trading.services.pages.refused(error, "", visit)

    async def _end(self, account: AccountInfo, visit: Visit, *, destroy: bool) -> Page:
        known: dict[str, Any] = {"caller": caller_of(visit), "owner": owner(visit), "name": account.name}
        if account.venue == PAPER:
            await self._trading.send("delete_account", DeleteAccount(**known), AccountInfo)
            return Page(visit.reader.say("unlink.deleted", name=account.name))
        await self._trading.send("unlink", Unlink(**known, destroy=destroy), Revoked)
        await self._trading.state.keep_token(visit.user_id, account.name, None)
        return Page(visit.reader.say("unlink.destroyed" if destroy else "unlink.kept", name=account.name))

    def _vault(self) -> Vault:
        if self._trading.vault is None:
            raise DisabledError("Accounts at exchanges are switched off", setting="APP_SECRET_KEY")
        return self._trading.vault


def may_be_secret(words: list[str]) -> bool:
    """Return whether what follows `/link` may hold a secret: anything but the name of an exchange that is offered."""
    return bool(words) and (len(words) > 1 or words[0].lower() not in VENUES)


def _ways(visit: Visit) -> Rows:
    return (
        row(button(visit.reader.plain("button.trade"), "t"), button(visit.reader.plain("button.portfolio_now"), "pf")),
    )
