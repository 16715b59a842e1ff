"""Rules of a group: what they match, what follows, what they would have done, and how they became what they are."""

from __future__ import annotations

from typing import Annotated, Any, Final, Literal, Self

from pydantic import AwareDatetime, Field, ValidationError, model_validator

from contracts.services.community.groups import ChangeModel, CommunityModel, Priority, UserId, WriteModel
from contracts.services.community.settings import LONGEST_MUTE, MediaKind, Word
from contracts.services.responses import PaginatedResponse

MOST_RULES: Final = 100  # of one group
MOST_HISTORY: Final = 50  # changes of one rule that are kept
MOST_SEEN: Final = 500  # of one request
LONGEST_SEEN: Final = 512  # characters of a message
RuleKind = Literal["flood", "links", "words", "media", "captcha", "raid", "custom"]
PenaltyKind = Literal["warn", "mute", "kick", "ban", "delete"]
RuleId = Annotated[str, Field(pattern=r"^[0-9a-f]{16}$", description="id of a rule", examples=["5b1f0c9a4be1d27c"])]
RuleName = Annotated[str, Field(min_length=1, max_length=100, pattern=r"^[^\x00-\x1f\x7f]+$", examples=["no spam"])]
Duration = Annotated[
    int, Field(ge=30, le=LONGEST_MUTE, description="seconds that a mute or a ban lasts; null for ever", examples=[3600])
]
Domain = Annotated[str, Field(min_length=1, max_length=253, pattern=r"^[a-z0-9.-]+$")]
_Count = Annotated[int, Field(ge=1, le=4096)]


class FloodParams(WriteModel):
    """More than `messages` of one member within `seconds`; one message is a slow mode."""

    messages: Annotated[int, Field(ge=1, le=100)] = 6
    seconds: Annotated[int, Field(ge=1, le=3600)] = 5


class LinksParams(WriteModel):
    """A link to anywhere but the allowed domains and what is below them."""

    allowed: Annotated[list[Domain], Field(max_length=200)] = Field(default_factory=list[str])
    invites_only: bool = Field(default=False, description="links that invite into other chats, and no others")


class WordsParams(WriteModel):
    """One of these words."""

    words: Annotated[list[Word], Field(min_length=1, max_length=500)]
    whole: bool = Field(default=True, description="whole words; false finds them within others")
    fold: bool = Field(default=True, description="letters that look alike are the same")


class MediaParams(WriteModel):
    """Media of these kinds."""

    kinds: Annotated[list[MediaKind], Field(min_length=1, max_length=20)]


class CaptchaParams(WriteModel):
    """Everybody who joins, until it is solved."""

    kind: Literal["button", "sum"] = "button"
    seconds: Annotated[int, Field(ge=15, le=3600)] = 120
    join_requests: bool = True


class RaidParams(WriteModel):
    """Whoever joins while `joins` or more did so within `seconds`."""

    joins: Annotated[int, Field(ge=3, le=1000)] = 20
    seconds: Annotated[int, Field(ge=10, le=600)] = 60


class CustomParams(WriteModel):
    """A message for which everything holds that is given."""

    longer_than: _Count | None = Field(default=None, description="characters")
    more_lines_than: _Count | None = None
    more_mentions_than: _Count | None = None
    capitals_percent: Annotated[int, Field(ge=1, le=100)] | None = Field(
        default=None, description="at least so many of its letters, where it has ten or more"
    )
    has_link: bool | None = None
    has_media: bool | None = None
    forwarded: bool | None = None
    joined_within_seconds: Annotated[int, Field(ge=1, le=30 * 86_400)] | None = Field(
        default=None, description="by a member who joined so short ago"
    )

    @model_validator(mode="after")
    def _something(self) -> Self:
        """Refuse a rule that every message meets."""
        if not self.model_dump(exclude_none=True):
            raise ValueError("a custom rule needs a condition")
        return self


PARAMS: Final[dict[str, type[WriteModel]]] = {
    "flood": FloodParams,
    "links": LinksParams,
    "words": WordsParams,
    "media": MediaParams,
    "captcha": CaptchaParams,
    "raid": RaidParams,
    "custom": CustomParams,
}


class Step(WriteModel):
    """What follows from the `after`-th time on."""

    after: Annotated[int, Field(ge=2, le=100, description="times that the rule was broken, this one included")]
    kind: PenaltyKind = Field(description="what is done")
    duration_seconds: Duration | None = Field(default=None, description="of a mute or a ban; null for ever")


class Penalty(WriteModel):
    """What follows when a rule is broken; `escalation` replaces it for who breaks the rule again within 30 days."""

    kind: PenaltyKind = Field(description="what is done")
    duration_seconds: Duration | None = Field(default=None, description="of a mute or a ban; null for ever")
    escalation: Annotated[list[Step], Field(max_length=10)] = Field(
        default_factory=list[Step], description="by growing `after`"
    )

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        """Hold durations to what can last, and steps to their order."""
        for one in (self, *self.escalation):
            if one.duration_seconds is not None and one.kind not in {"mute", "ban"}:
                raise ValueError(f"a {one.kind} has no duration_seconds")
        counts = [step.after for step in self.escalation]
        if counts != sorted(set(counts)):
            raise ValueError("each step of the escalation has a greater `after` than the one before")
        return self


class RuleBase(WriteModel):
    """What a rule matches and what follows."""

    name: RuleName = Field(description="what people call it")
    kind: RuleKind = Field(description="what it looks at")
    params: dict[str, Any] = Field(
        default_factory=dict[str, Any], description="of its kind; as by default where absent"
    )
    penalty: Penalty = Field(description="what follows")
    priority: Priority = Field(default=0, description="the higher one is tried first; the first that matches acts")
    enabled: bool = Field(default=True, description="whether it is tried at all")
    shadow: bool = Field(default=False, description="log what it would do, and do nothing")

    @model_validator(mode="after")
    def _params(self) -> Self:
        """Hold the parameters to their kind."""
        check_params(self.kind, self.params)
        return self


class RuleCreate(RuleBase):
    """A rule to be made."""


class RuleUpdate(ChangeModel):
    """What of a rule changes; what is absent stays. Its kind stays what it is."""

    name: RuleName | None = Field(default=None, description="what people call it")
    params: dict[str, Any] | None = Field(default=None, description="all of them")
    penalty: Penalty | None = Field(default=None, description="what follows")
    priority: Priority | None = Field(default=None, description="the higher one is tried first")
    enabled: bool | None = Field(default=None, description="whether it is tried at all")
    shadow: bool | None = Field(default=None, description="log what it would do, and do nothing")


class RuleResponse(CommunityModel):
    """A rule as it is."""

    rule_id: RuleId
    name: str
    kind: RuleKind
    params: dict[str, Any] = Field(description="of its kind, complete")
    penalty: Penalty
    priority: int
    enabled: bool
    shadow: bool
    version: int = Field(description="grows with every change")
    hits: int = Field(description="actions by it in the last 30 days")
    created_at: AwareDatetime
    updated_at: AwareDatetime


class RulePage(PaginatedResponse[RuleResponse]):
    """Rules, the highest priority first."""


class RuleChange(CommunityModel):
    """One change of a rule."""

    version: int
    at: AwareDatetime
    actor: str
    changed: dict[str, Any] = Field(description="the fields that changed, as they were from then on")


class RuleHistory(PaginatedResponse[RuleChange]):
    """Changes of a rule, the newest first; the last 50 are kept."""


class Seen(CommunityModel):
    """A message or a join as the bot saw it."""

    at: AwareDatetime = Field(description="when it was sent")
    user_id: UserId
    kind: Literal["message", "join", "join_request"] = Field(default="message", description="what it was")
    key: Annotated[str, Field(min_length=1, max_length=64)] | None = Field(
        default=None, description="names it within its group: what comes again with the same name counts once"
    )
    text: str = Field(default="", description=f"text or caption; the first {LONGEST_SEEN} characters count")
    links: Annotated[list[Annotated[str, Field(max_length=512)]], Field(max_length=20)] = Field(
        default_factory=list[str], description="addresses behind the text; those in it are found"
    )
    media: MediaKind | None = Field(default=None, description="what it carries")
    mentions: Annotated[int, Field(ge=0, le=1000)] = Field(default=0, description="who is mentioned in it")
    forwarded: bool = Field(default=False, description="whether it was written elsewhere")
    joined_at: AwareDatetime | None = Field(default=None, description="when its author joined, where that is known")


class Verdict(CommunityModel):
    """What a rule decides about a message or a join."""

    rule_id: str = Field(description="its id; `settings.…` where it follows from the moderation settings")
    rule: str = Field(description="its name")
    kind: RuleKind
    penalty: PenaltyKind
    duration_seconds: int | None
    offence: int = Field(description="times that the member broke it within 30 days, this one included")
    shadow: bool = Field(description="whether nothing is to be done")
    reason: str
    users: list[UserId] = Field(
        default_factory=list[int], description="of a raid: who joined within its seconds, this one included"
    )


class DryRunMatch(CommunityModel):
    """One message or join that the rule would have acted on."""

    at: AwareDatetime
    user_id: UserId
    penalty: PenaltyKind
    duration_seconds: int | None
    offence: int
    reason: str
    text: str


class DryRunDay(CommunityModel):
    """How often on one day."""

    day: str
    matches: int


class DryRunResponse(CommunityModel):
    """What a rule would have done."""

    rule_id: RuleId
    days: int
    examined: int = Field(description="messages and joins that are recorded of that time")
    since: AwareDatetime | None = Field(description="the oldest of them; null: nothing is recorded")
    matches: int
    users: int = Field(description="whom it would have acted on")
    exempt: int = Field(description="matches of members whom a permission exempts")
    penalties: dict[str, int] = Field(description="by kind of penalty")
    by_day: list[DryRunDay]
    examples: list[DryRunMatch] = Field(description="the newest 20")


def check_params(kind: str, params: dict[str, Any]) -> WriteModel:
    """Return the parameters of a kind, complete; ValueError names the first fault."""
    try:
        return PARAMS[kind].model_validate(params)
    except ValidationError as error:
        fault = error.errors()[0]
        where = ".".join(map(str, ("params", *fault["loc"])))
        raise ValueError(f"{where}: {fault['msg']}") from None
