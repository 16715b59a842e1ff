"""The one message in a group with the question that newcomers answer below: shared, so a raid does not flood it."""

from __future__ import annotations

from bot.groups.automatic.context import Context, buttons_of
from bot.groups.automatic.core import ANSWERS, Board, Raid, needs_board
from bot.groups.automatic.kept import board_key
from bot.groups.automatic.settings import ManagedGroup
from bot.texts import automatic as texts
from contracts.services.telegram.jobs import TelegramJob
from contracts.services.telegram.operations import Button, DeleteMessages, EditText, SendMessage
from runtime.texts.markup import Html


class Boards:
    """Sends, takes over and takes away the question of each group."""

    def __init__(self, context: Context) -> None:
        self._context = context

    async def show(self, group: ManagedGroup, who: tuple[int, str]) -> None:
        """Show the question to who joined, unless it has just been shown to others."""
        context, captcha = self._context, group.moderation.captcha
        text = texts.question(who, captcha.kind, captcha.seconds, group.reader)
        while True:  # what stood there may have been taken away, with nothing in its place
            before = await context.kept.find(board_key(group.id), Board)
            now = context.now()
            if not needs_board(before[0], now) or await self._replace(group, Board(at=now), before, text):
                return

    async def announce_raid(self, group: ManagedGroup, raid: Raid) -> None:
        """Send the one notice of a raid; it takes the place of the question."""
        text = texts.raid_began(raid.until, group.moderation.captcha.kind, group.reader)
        replaced = False
        while not replaced:  # a question that somebody else shows meanwhile does not stand in for it
            found = await self._context.kept.find(board_key(group.id), Board)
            replaced = await self._replace(group, Board(at=raid.began, in_raid=True), found, text)

    async def end_raid(self, group: ManagedGroup) -> None:
        """Write into the notice that the raid is over; who still has to answer may do it there."""
        context = self._context
        board, revision = await context.kept.find(board_key(group.id), Board)
        if board is None or board.message_id is None:
            return
        waiting = context.kept.keys(f"captcha.{group.id}.")
        after = Board(at=context.now(), message_id=board.message_id) if waiting else None
        await context.kept.put(board_key(group.id), after, revision)
        edit = EditText(
            message_id=board.message_id,
            text=str(group.reader.say("automatic.raid.ended")),
            parse_mode="HTML",
            buttons=self._buttons(group) if waiting else None,
        )
        await context.operate(f"raid.{group.id}.{board.message_id}.over", group.id, edit)

    async def sweep(self) -> None:
        """Take away every question that nobody has to answer any more."""
        for key in self._context.kept.keys("board."):
            await self.clear(int(key.split(".")[1]))

    async def clear(self, chat_id: int) -> None:
        """Take away a question that nobody has to answer any more."""
        context = self._context
        if context.kept.keys(f"captcha.{chat_id}.") or context.kept.keys(f"raid.{chat_id}"):
            return
        board, _ = await context.kept.take(board_key(chat_id), Board)
        if board is None or board.message_id is None:
            return
        name = f"board.{chat_id}.{board.message_id}.gone"
        await context.telegram.queue(TelegramJob(id=name, chat_id=chat_id, operation=_delete(board.message_id)))

    async def _replace(self, group: ManagedGroup, board: Board, before: tuple[Board | None, int], text: Html) -> bool:
        """Send a question in the place of another one; False where another process has put one there meanwhile."""
        context, (old, revision) = self._context, before
        mine = await context.kept.put(board_key(group.id), board, revision)
        if mine is None:
            return False
        if old is not None and old.message_id is not None:
            await context.telegram.queue(
                TelegramJob(
                    id=f"board.{group.id}.{old.message_id}.gone", chat_id=group.id, operation=_delete(old.message_id)
                )
            )
        message = SendMessage(text=str(text), parse_mode="HTML", buttons=self._buttons(group))
        job_id = f"board.{group.id}.{mine}"
        message_id = await self._send(group, job_id, message)
        if message_id is None:
            return True
        kept = await context.kept.put(board_key(group.id), board.model_copy(update={"message_id": message_id}), mine)
        if kept is None:  # another question has taken its place meanwhile
            job = TelegramJob(id=f"{job_id}.gone", chat_id=group.id, operation=_delete(message_id))
            await context.telegram.queue(job)
        return True

    async def _send(self, group: ManagedGroup, job_id: str, message: SendMessage) -> int | None:
        job = TelegramJob(
            id=job_id,
            chat_id=group.id,
            thread_id=group.settings.welcome_thread_id,
            priority="urgent",
            operation=message,
        )
        result = await self._context.telegram.carry_out(job, group.moderation.captcha.seconds)
        return None if result is None else result.message_id

    def _buttons(self, group: ManagedGroup) -> list[list[Button]] | None:
        return buttons_of(texts.answers(group.moderation.captcha.kind, group.id, group.reader, ANSWERS))


def _delete(message_id: int) -> DeleteMessages:
    return DeleteMessages(message_ids=[message_id])
