"""What the bot keeps of traders, on the bus: user tokens as they came, sealed, and what it waits for somebody to write.

Several bots share it, and one that begins goes on with it. Nothing of it is secret as it is.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Generator
from contextlib import asynccontextmanager, contextmanager
from typing import Any, Final, Literal, TypeVar

from nats.errors import Error as NatsError
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from contracts.errors import NotReadyError
from contracts.services.trading.sealed import SealedText
from contracts.streams import TRADERS
from runtime.nats.bus import Bus, NoAnswerError
from runtime.nats.kv.compared import ComparedBucket
from runtime.nats.kv.mirror import Mirror
from runtime.nats.streams.api import ApiRefusalError

TOKENS: Final = "token."
M = TypeVar("M", bound=BaseModel)


class KeptModel(BaseModel):
    """What everything is that is kept here."""

    model_config = ConfigDict(frozen=True, strict=True, extra="ignore")


class HeldToken(KeptModel):
    """A user token of an account, sealed as it came."""

    token: SealedText
    expires_at: AwareDatetime
    rotate_at: AwareDatetime


class Asking(KeptModel):
    """What a user is to write next: the key or the secret of an exchange, a figure of an order, of a strategy."""

    what: Literal["key", "secret", "price", "amount", "param"]
    until: float = Field(description="seconds since 1970")
    given: dict[str, str] = Field(default_factory=dict, description="what is known so far, nothing secret")
    sealed: SealedText | None = Field(default=None, description="the key, while the secret is waited for")


class StrategyDraft(KeptModel):
    """A strategy that is to be confirmed; one of a user at a time."""

    id: str
    account: str
    kind: str
    symbol: str
    params: dict[str, Any]


class TraderState:
    """States by user; NotReadyError where the bus is away."""

    def __init__(self, bus: Bus) -> None:
        self._bus, self._bucket = bus, ComparedBucket(bus, TRADERS)
        self._mirror: Mirror | None = None

    @asynccontextmanager
    async def following(self) -> AsyncGenerator[None]:
        """Know the keys for as long as the block lasts, from when the bus is there."""
        mirror = self._mirror = Mirror(self._bus, TRADERS)
        opening = asyncio.create_task(mirror.open(None), name="traders")
        try:
            yield
        finally:
            opening.cancel()
            await mirror.close()

    def tokens(self) -> list[tuple[int, str]]:
        """Return the users and accounts that there is a token of, as they were a moment ago."""
        keys = [] if self._mirror is None else [key for key, _ in self._mirror.entries(TOKENS)]
        return [(int(user), account) for user, _, account in (key[len(TOKENS) :].partition(".") for key in keys)]

    async def token(self, user_id: int, account: str) -> tuple[HeldToken | None, int]:
        """Return the token of an account, None where there is none, and its revision."""
        return await self._find(f"{TOKENS}{user_id}.{account}", HeldToken)

    async def put_token(self, user_id: int, account: str, token: HeldToken | None, revision: int) -> bool:
        """Put a token, or none, in the place of a revision; False where another was faster."""
        return await self._put(f"{TOKENS}{user_id}.{account}", token, revision)

    async def keep_token(self, user_id: int, account: str, token: HeldToken | None) -> None:
        """Put a token, or none, in the place of whichever there is."""
        while not await self.put_token(user_id, account, token, (await self.token(user_id, account))[1]):
            pass

    async def ask(self, user_id: int, asking: Asking | None) -> None:
        """Wait for something, or for nothing, in place of what was waited for."""
        key = f"asking.{user_id}"
        while not await self._put(key, asking, (await self._find(key, Asking))[1]):
            pass

    async def answered(self, user_id: int, now: float) -> Asking | None:
        """Return what is waited for, once: nothing is afterwards. None where it is too late.

        What is asked in this very moment is what is answered: what was written may be a secret, and is not left there.
        """
        key = f"asking.{user_id}"
        while True:
            asking, revision = await self._find(key, Asking)
            if asking is None:
                return None
            if await self._put(key, None, revision):
                return asking if now < asking.until else None

    async def keep_draft(self, user_id: int, draft: StrategyDraft) -> None:
        """Keep a strategy that is to be confirmed, in place of another."""
        key = f"draft.{user_id}"
        while not await self._put(key, draft, (await self._find(key, StrategyDraft))[1]):
            pass

    async def draft(self, user_id: int, draft_id: str) -> StrategyDraft | None:
        """Return the strategy that is to be confirmed; None where another one is."""
        draft, _ = await self._find(f"draft.{user_id}", StrategyDraft)
        return draft if draft is not None and draft.id == draft_id else None

    async def _find(self, key: str, kind: type[M]) -> tuple[M | None, int]:
        with _reachable():
            word = await self._bucket.find(key)
        return None if word.value is None else kind.model_validate_json(word.value), word.revision

    async def _put(self, key: str, state: KeptModel | None, revision: int) -> bool:
        body = None if state is None else state.model_dump_json().encode()
        with _reachable():
            return await self._bucket.write(key, body, revision) is not None


@contextmanager
def _reachable() -> Generator[None]:
    try:
        yield
    except (NatsError, NoAnswerError, ApiRefusalError) as error:
        raise NotReadyError(f"{TRADERS} is away: {error}", waiting_for=["bus"]) from None
