"""Commands and their answers that a group does not keep: deleted after the seconds of its settings."""

from __future__ import annotations

from typing import Final

from telegram import Message, MessageEntity

from bot.commands.visiting import key_of
from bot.groups.automatic.context import Context
from bot.groups.automatic.core import Fading
from bot.groups.automatic.kept import fading_key
from bot.groups.commands.listing import OF_EVERYBODY, OF_MODERATORS
from bot.groups.undos import BEGUN
from bot.texts.menus import BY_NAME
from contracts.errors import NotFoundError
from contracts.services.telegram.jobs import FindResult, TelegramJob, TelegramResult
from contracts.services.telegram.operations import DeleteMessages

COMMANDS: Final = frozenset({*OF_EVERYBODY, *OF_MODERATORS, *BY_NAME})
ANSWER_SECONDS: Final = 60.0  # after which a command without an answer has none
_AGAIN_SECONDS: Final = 2.0


class FadingCommands:
    """Commands of every group that wait for their deletion; whichever bot is there then does it."""

    def __init__(self, context: Context) -> None:
        self._context = context

    async def on_command(self, message: Message, name: str) -> None:
        """Note a command where its group deletes commands."""
        context, chat_id = self._context, message.chat.id
        group = await context.groups.find(chat_id)
        seconds = None if group is None else group.settings.delete_commands_seconds
        if seconds is None:
            return
        now, job = context.now(), key_of(message)
        jobs = (job, job + BEGUN) if name == "undo" else (job,)
        fading = Fading(at=now, until=now + seconds, message_ids=(message.message_id,), jobs=jobs)
        key = fading_key(chat_id, message.message_id)
        _, revision = await context.kept.find(key, Fading)
        await context.kept.put(key, fading, revision)

    def is_due(self, key: str) -> bool:
        """Return whether a command is to be deleted now, as far as this process knows."""
        fading = self._context.kept.last(key, Fading)
        return fading is not None and fading.until <= self._context.now()

    async def delete(self, key: str) -> None:
        """Delete a command and those of its answers that were sent; what is not sent yet is looked for again."""
        context, chat_id = self._context, int(key.split(".")[1])
        fading, revision = await context.kept.find(key, Fading)
        now = context.now()
        if fading is None or fading.until > now:
            return
        ids, unsent = list(fading.message_ids), list[str]()
        for job in fading.jobs:
            try:
                query = FindResult(chat_id=chat_id, id=job)
                result = await context.requests.request("telegram.find", query, TelegramResult)
            except NotFoundError:
                unsent.append(job)
            else:
                ids += [] if result.message_id is None else [result.message_id]
        if ids:
            job_id = f"fading.{chat_id}.{ids[0]}"
            await context.telegram.queue(
                TelegramJob(id=job_id, chat_id=chat_id, priority="low", operation=DeleteMessages(message_ids=ids))
            )
        waits = bool(unsent) and now < fading.at + ANSWER_SECONDS
        left = Fading(at=fading.at, until=now + _AGAIN_SECONDS, jobs=tuple(unsent)) if waits else None
        await context.kept.put(key, left, revision)


def command_of(message: Message, username: str) -> str | None:
    """Return the command of the bot that a message is; None for other messages, and other bots' commands."""
    first = message.entities[0] if message.entities else None
    if first is None or first.type != MessageEntity.BOT_COMMAND or first.offset or message.edit_date is not None:
        return None
    name, _, whose = (message.text or "")[1 : first.length].casefold().partition("@")
    return name if name in COMMANDS and whose in {"", username.casefold()} else None
