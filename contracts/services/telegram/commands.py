"""Commands of the gateway to Telegram: what is asked and what is replied."""

from __future__ import annotations

from typing import Final

from contracts.commands import Command, command
from contracts.services import explaining
from contracts.services.telegram import jobs as telegram

COMMANDS: Final[tuple[Command, ...]] = (
    command("telegram.send", telegram.SendJob, telegram.SendReply),
    command("telegram.find", telegram.FindResult, telegram.TelegramResult),
    command("telegram.chat", telegram.ChatQuery, telegram.ChatReply),
    command("telegram.member", telegram.MemberQuery, telegram.MemberReply),
    command("telegram.administrators", telegram.ChatQuery, telegram.MembersReply),
    command("telegram.status", telegram.GatewayQuery, telegram.GatewayStatus),
    command("telegram.deliveries", explaining.FindDeliveries, explaining.Deliveries),
)
