"""The commands of groups as Telegram lists them: what everybody may use there, and what moderators do. Pure."""

from __future__ import annotations

from typing import Final

from bot.texts.menus import command_list
from runtime.texts.reader import Reader

OF_EVERYBODY: Final = ("rules", "warns", "report")
OF_MODERATORS: Final = (
    "warn", "unwarn", "mute", "unmute", "kick", "ban", "unban", "swarn", "smute", "skick", "sban", "approve",
    "unapprove", "promote", "demote", "role", "pin", "unpin", "purge", "lock", "unlock", "slowmode", "raid", "undo",
    "settings", "stats", "doctor",
)  # fmt: skip


def of_groups(reader: Reader) -> list[tuple[str, str]]:
    """Return each command that a member may use in a group, with its description."""
    return [*_described(OF_EVERYBODY, reader), *command_list(reader)]


def of_administrators(reader: Reader) -> list[tuple[str, str]]:
    """Return each command that an administrator may use in a group, with its description: their own first."""
    return [*_described(OF_MODERATORS, reader), *of_groups(reader)]


def _described(names: tuple[str, ...], reader: Reader) -> list[tuple[str, str]]:
    return [(name, reader.plain(f"command.{name}")) for name in names]
