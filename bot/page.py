"""A page: what one message shows, whether it is sent or edited into another's place. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from bot.callback_data import pack
from runtime.texts.markup import Html
from runtime.texts.reader import Reader

MOST_BUTTON_CHARACTERS: Final = 40


@dataclass(frozen=True, slots=True)
class Button:
    """A label, and what pressing it sends back."""

    label: str
    data: str


Rows = tuple[tuple[Button, ...], ...]


@dataclass(frozen=True, slots=True)
class Page:
    """Text with buttons below it; with a picture the text is its caption."""

    text: Html
    rows: Rows = ()
    photo: bytes | None = None
    answers: bool = True  # false where it says why there is no answer


@dataclass(frozen=True, slots=True)
class Visit:
    """Who reads a page, and where: `thread_id` is the topic of a forum."""

    reader: Reader
    user_id: int
    chat_id: int
    thread_id: int | None = None
    is_group: bool = False
    name: str = ""
    zone: str = "UTC"
    key: str = ""  # names what is answered: its answer is sent once


def row(*buttons: Button | None) -> tuple[Button, ...]:
    """Return a row of the buttons that there are."""
    return tuple(button for button in buttons if button is not None)


def button(label: str, action: str, *arguments: str) -> Button | None:
    """Return a button; None where what it carries is too long for one."""
    data = pack(action, *arguments)
    return None if data is None else Button(label[:MOST_BUTTON_CHARACTERS], data)


def rows(*found: tuple[Button, ...]) -> Rows:
    """Return the rows that have a button."""
    return tuple(one for one in found if one)
