"""What the bot has not taken yet: updates in order, of the kinds that it asked for, until it confirms them."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from typing import Any, Final

Json = dict[str, Any]
NOT_BY_DEFAULT: Final = frozenset({"chat_member", "message_reaction", "message_reaction_count"})
MOST_PENDING: Final = 50_000
MOST_AT_ONCE: Final = 100


class UpdateQueue:
    """Pending updates; `on_added` is called after each. What is too much drops the oldest, counted in `dropped`."""

    def __init__(self, on_added: Callable[[], None] = lambda: None) -> None:
        self.on_added = on_added
        self.dropped = 0
        self._allowed: frozenset[str] | None = None  # None: the default kinds
        self._pending: deque[Json] = deque()
        self._last = 100_000_000

    def __len__(self) -> int:
        return len(self._pending)

    @property
    def allowed(self) -> list[str] | None:
        """The kinds that the bot asked for; None where it never did."""
        return None if self._allowed is None else sorted(self._allowed)

    def allow(self, kinds: Sequence[str] | None) -> None:
        """Take the list of `allowed_updates`: None leaves it as it is, an empty one stands for the default kinds."""
        if kinds is not None:
            self._allowed = frozenset(kinds) or None

    def add(self, kind: str, payload: Json) -> int | None:
        """Queue an update and return its id; None where the bot does not want its kind."""
        wanted = kind not in NOT_BY_DEFAULT if self._allowed is None else kind in self._allowed
        if not wanted:
            return None
        self._last += 1
        self._pending.append({"update_id": self._last, kind: payload})
        if len(self._pending) > MOST_PENDING:
            self._pending.popleft()
            self.dropped += 1
        self.on_added()
        return self._last

    def take(self, offset: int | None, limit: int | None = None) -> list[Json]:
        """Return pending updates from `offset` on; those before it are confirmed. Negative: counted from the end."""
        if offset is not None and offset < 0:
            while len(self._pending) > -offset:
                self._pending.popleft()
        elif offset is not None:
            self.confirm(offset - 1)
        most = min(max(limit or MOST_AT_ONCE, 1), MOST_AT_ONCE)
        return [update for _, update in zip(range(most), self._pending, strict=False)]

    def confirm(self, update_id: int) -> None:
        """Forget an update and all before it."""
        while self._pending and self._pending[0]["update_id"] <= update_id:
            self._pending.popleft()

    def clear(self) -> None:
        """Forget all (`drop_pending_updates`)."""
        self._pending.clear()
