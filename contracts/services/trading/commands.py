"""Commands of execution: what is asked and what is replied."""

from __future__ import annotations

from typing import Final

from contracts.commands import Command, command
from contracts.services.trading import accounts as trading
from contracts.services.trading import orders

COMMANDS: Final[tuple[Command, ...]] = (
    command("trading.create_account", trading.CreateAccount, trading.AccountInfo),
    command("trading.list_accounts", trading.ListAccounts, trading.AccountList),
    command("trading.delete_account", trading.DeleteAccount, trading.AccountInfo),
    command("trading.preview", orders.PreviewOrder, orders.Preview),
    command("trading.create_order", orders.CreateOrder, orders.OrderInfo),
    command("trading.list_orders", orders.ListOrders, orders.OrderPage),
    command("trading.find_order", orders.FindOrder, orders.OrderInfo),
    command("trading.cancel_order", orders.CancelOrder, orders.OrderInfo),
    command("trading.list_fills", orders.ListFills, orders.FillPage),
    command("trading.kill", trading.Kill, trading.Killed),
    command("trading.resume", trading.Resume, trading.Resumed),
    command("trading.issue_token", trading.TokenIssue, trading.TokenIssued),
    command("trading.refresh_token", trading.TokenRefresh, trading.TokenIssued),
    command("trading.unlink", trading.Unlink, trading.Revoked),
    command("trading.revoke", trading.Revoke, trading.Revoked),
)
