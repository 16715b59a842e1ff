"""The state of the test server: people, chats, the bot's updates, and what the bot did. No clock and no I/O."""

from __future__ import annotations

import itertools
from collections import OrderedDict, deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from bot.simulator.errors import bad_request, forbidden
from bot.simulator.faults import Faults
from bot.simulator.files import Files
from bot.simulator.limits import Limits
from bot.simulator.model import Chat, ChatType, Json, Member, User, all_rights
from bot.simulator.updates import UpdateQueue

SUPERGROUPS: Final = -1_000_000_000_000  # ids of supergroups and channels are below
USERNAME: Final = "hydrophone_test_bot"
MOST_SENT: Final = 100_000
MOST_CHATS: Final = 20_000
MOST_QUERIES: Final = 10_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """The bot's account. `privacy`: in groups where it is no administrator it sees only what is meant for it."""

    token: str | None = None  # None: any
    bot_id: int = 1234567
    username: str = USERNAME
    name: str = "Hydrophone"
    privacy: bool = True
    limits: bool = True


@dataclass(frozen=True, slots=True)
class Moment:
    """The time of a call: the date (Unix seconds), and the seconds of the clock that limits are counted by."""

    date: int
    seconds: float


class World:
    """Everything that the server knows; every number of a message, an edit or an act comes from one row."""

    def __init__(self, options: Options, on_update: Callable[[], None] = lambda: None) -> None:
        self.options = options
        self.bot = User(options.bot_id, options.name, is_bot=True, username=options.username)
        self.privacy = options.privacy
        self.users: dict[int, User] = {self.bot.id: self.bot}
        self.chats: OrderedDict[int, Chat] = OrderedDict()
        self.updates = UpdateQueue(on_update)
        self.limits = Limits(enforced=options.limits)
        self.faults = Faults()
        self.files = Files()
        self.sent: deque[Json] = deque(maxlen=MOST_SENT)
        self.queries: OrderedDict[str, Json] = OrderedDict()  # callback and inline queries without an answer
        self.commands: dict[str, list[Json]] = {}
        self.profile: dict[str, str] = {}
        self.webhook: Json = {"url": "", "has_custom_certificate": False}
        self.moment = Moment(0, 0.0)
        self.numbers = itertools.count(1)

    def user(self, user_id: int, first_name: str | None = None, **more: Any) -> User:
        """Return a person, who is made where there is none; a name that is given is taken on."""
        user = self.users.get(user_id)
        if user is None:
            user = self.users[user_id] = User(user_id, first_name or f"User {user_id}")
        user.first_name = first_name or user.first_name
        for name in ("username", "language_code", "is_bot"):
            if more.get(name) is not None:
                setattr(user, name, more[name])
        return user

    def chat(self, chat_id: int, chat_type: ChatType | None = None, title: str | None = None) -> Chat:
        """Return a chat, which is made where there is none: with the bot as administrator, where it is a group."""
        chat = self.chats.get(chat_id)
        if chat is None:
            kind = chat_type or ("private" if chat_id > 0 else "supergroup" if chat_id < SUPERGROUPS else "group")
            name = self.user(chat_id).first_name if kind == "private" else f"Group {chat_id}"
            chat = self.chats[chat_id] = Chat(chat_id, kind, title or name)
            if kind != "private":
                chat.members[self.bot.id] = Member(self.bot, "administrator", all_rights(channel=kind == "channel"))
            while len(self.chats) > MOST_CHATS:
                self.chats.popitem(last=False)
        chat.title = title or chat.title
        return chat

    def find_chat(self, reference: object) -> Chat:
        """Return the chat of an id or an @name; 400 where there is none."""
        text = str(reference or "").strip()
        if not text:
            raise bad_request("chat_id is empty")
        if text.startswith("@"):
            named = (chat for chat in self.chats.values() if (chat.username or "").lower() == text[1:].lower())
            chat = next(named, None)
        else:
            chat = self.chats.get(int(text)) if text.lstrip("-").isdigit() else None
        if chat is None:
            raise bad_request("chat not found")
        return chat

    def open_chat(self, reference: object) -> Chat:
        """Return a chat that the bot is in; 400 where it became a supergroup, 403 where the bot is not wanted."""
        chat = self.find_chat(reference)
        if chat.migrated_to is not None:
            raise bad_request("group chat was upgraded to a supergroup chat", migrate_to_chat_id=chat.migrated_to)
        if chat.blocked:
            raise forbidden("bot was blocked by the user")
        if chat.type != "private":
            status = self.membership(chat).status
            if status == "kicked":
                raise forbidden(f"bot was kicked from the {chat.type} chat")
            if status == "left":
                raise forbidden(f"bot is not a member of the {chat.type} chat")
        return chat

    def membership(self, chat: Chat) -> Member:
        """Return what the bot is in a chat."""
        return self.member(chat, self.bot.id)

    def member(self, chat: Chat, user_id: int) -> Member:
        """Return what a user is in a chat, what has ended by itself included; 400 for a user whom nobody knows."""
        member = chat.members.get(user_id)
        if member is None:
            user = self.users.get(user_id)
            if user is None:
                raise bad_request("user not found")
            return Member(user, "left", is_member=False)
        if member.until and member.until <= self.moment.date:
            back = member.status == "restricted" and member.is_member
            member.status, member.until, member.rights = "member" if back else "left", 0, {}
        return member

    def set_member(self, chat: Chat, member: Member, by: User) -> None:
        """Make a user what is given, and send the update of it."""
        old = self.member(chat, member.user.id)
        chat.members[member.user.id] = member
        kind = "my_chat_member" if member.user.id == self.bot.id else "chat_member"
        if old.json() != member.json():
            self.updates.add(
                kind,
                {
                    "chat": chat.json(),
                    "from": by.json(),
                    "date": self.moment.date,
                    "old_chat_member": old.json(),
                    "new_chat_member": member.json(),
                },
            )

    def post(self, chat: Chat, content: Json, *, sender: User | None = None, sender_chat: Chat | None = None) -> Json:
        """Put a message into a chat and return it."""
        message: Json = {"message_id": next(self.numbers), "date": self.moment.date, "chat": chat.json()}
        if sender is not None:
            message["from"] = sender.json()
        if sender_chat is not None:
            message["sender_chat"] = sender_chat.json()
        message |= content
        chat.keep(message)
        return message

    def record(self, method: str, chat_id: int | None, message: Json | None = None, **details: Any) -> None:
        """Keep what the bot did, for `/test/sent`; a new message is in the row by its own number."""
        new = message is not None and "edit_date" not in message
        number = message["message_id"] if new and message is not None else next(self.numbers)
        self.sent.append({"seq": number, "method": method, "chat_id": chat_id, "time": self.moment.date, **details})

    def ask(self, query: Json) -> None:
        """Keep a query until it is answered."""
        self.queries[query["id"]] = query
        while len(self.queries) > MOST_QUERIES:
            self.queries.popitem(last=False)
