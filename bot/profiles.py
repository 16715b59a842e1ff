"""How each user reads: language and zone, kept by the consumer of chats and remembered here for a while."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from typing import Final
from zoneinfo import ZoneInfo, available_timezones

from bot.requests import Requests
from bot.texts.language import make_reader
from contracts.errors import HydrophoneError
from contracts.services.chats import FindProfile, Profile, SaveProfile
from runtime import clock
from runtime.texts.phrase import Language
from runtime.texts.reader import Reader, language_of

KEPT_SECONDS: Final = 60.0
RETRY_SECONDS: Final = 5.0  # after nobody replied
USERS: Final = 10_000
DEFAULT_ZONE: Final = "UTC"


class Profiles:
    """Profiles by user; where nobody replies, the language of the user's Telegram and UTC."""

    def __init__(self, requests: Requests, now: Callable[[], float] = clock.monotonic) -> None:
        self._requests = requests
        self._now = now
        self._known: OrderedDict[int, tuple[float, Profile]] = OrderedDict()
        self._zones = available_timezones()

    async def find(self, user_id: int) -> Profile:
        """Return a user's profile; the last known one, or an empty one, where nobody replies."""
        until, known = self._known.get(user_id, (0.0, Profile(user_id=user_id)))
        if self._now() < until:
            return known
        try:
            found = await self._requests.request("chats.profile_find", FindProfile(user_id=user_id), Profile)
        except HydrophoneError:  # a market answer in the wrong language is better than none
            return self._keep(known, RETRY_SECONDS)
        return self._keep(found, KEPT_SECONDS)

    async def save(self, user_id: int, *, language: Language | None = None, zone: str | None = None) -> Profile:
        """Save what a user chose and return the profile; raises where it cannot be kept."""
        change = SaveProfile(user_id=user_id, language=language, zone=zone)
        return self._keep(await self._requests.request("chats.profile_save", change, Profile), KEPT_SECONDS)

    def zone_named(self, name: str) -> str | None:
        """Return the zone of a name, in any case; None where there is none."""
        return next((zone for zone in self._zones if zone.lower() == name.lower()), None)

    def reader(self, profile: Profile, code: str | None) -> Reader:
        """Return how a user reads; `code` is the language of the user's Telegram."""
        return make_reader(profile.language or language_of(code), ZoneInfo(self.zone(profile)))

    def zone(self, profile: Profile) -> str:
        """Return the name of a user's zone."""
        return profile.zone if profile.zone in self._zones else DEFAULT_ZONE

    def _keep(self, profile: Profile, seconds: float) -> Profile:
        self._known[profile.user_id] = (self._now() + seconds, profile)
        self._known.move_to_end(profile.user_id)
        while len(self._known) > USERS:
            self._known.popitem(last=False)
        return profile
