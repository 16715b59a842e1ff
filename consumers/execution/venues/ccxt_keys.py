"""What a key may do, as far as the exchange says it: one that can withdraw is refused."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from types import MappingProxyType
from typing import Any, Final

from consumers.execution.venues.ccxt_client import CcxtClient
from contracts.errors import InvalidParameterError


async def check_key(client: CcxtClient) -> None:
    """Return where a key may trade, and not withdraw; InvalidParameterError, or UnclearError where nobody says."""
    await client.start()
    find = _CHECKS.get(client.venue)
    if find is None:
        return
    reason = await client.read(find)
    if reason is not None:
        raise InvalidParameterError(f"{client.venue}: {reason}", parameter="key")


async def _check_binance(exchange: Any) -> str | None:
    """Return what is wrong with a key, of `GET /sapi/v1/account/apiRestrictions`."""
    answer = await exchange.sapi_get_account_apirestrictions()
    if answer["enableWithdrawals"] is not False:
        return "this key can withdraw: make one without 'Enable Withdrawals'"
    if answer["enableSpotAndMarginTrading"] is not True:
        return "this key cannot trade: make one with 'Enable Spot & Margin Trading'"
    return None


async def _check_bybit(exchange: Any) -> str | None:
    """Return what is wrong with a key or its account, of `GET /v5/user/query-api` and `GET /v5/account/info`."""
    answer = (await exchange.private_get_v5_user_query_api())["result"]
    permissions = answer["permissions"]
    if "Withdraw" in permissions.get("Wallet", ()):
        return "this key can withdraw: make one without 'Withdrawal'"
    if answer["readOnly"] != 0 or "SpotTrade" not in permissions.get("Spot", ()):
        return "this key cannot trade: make one with 'Read-Write' and 'SPOT - Trade'"
    _, unified = await exchange.is_unified_enabled()
    return None if unified else "only unified accounts can trade here: a classic one sizes market buys by their cost"


_CHECKS: Final[Mapping[str, Callable[[Any], Awaitable[str | None]]]] = MappingProxyType({
    "binance": _check_binance,
    "bybit": _check_bybit,
})  # fmt: skip
