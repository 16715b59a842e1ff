"""How the keeping of books elsewhere is made from the settings."""

from __future__ import annotations

from functools import partial

from consumers.books.handlers import BooksPlan, run
from runtime.app.service import Consumer
from runtime.book.books import BookPace
from runtime.config.settings import Settings


def make(settings: Settings) -> Consumer:
    """Return the consumer that keeps books where producers leave them to it."""
    return Consumer(partial(run, plan=BooksPlan(pace=book_pace(settings))))


def book_pace(settings: Settings) -> BookPace:
    """How often and how deep books are published: as the producers would."""
    return BookPace(interval=settings.venues.book_interval_ms / 1000, depth=settings.venues.book_depth)
