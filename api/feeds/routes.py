"""`/admin/feeds`: the state of each exchange's feed, and what is done to it; the answer is the outcome."""

from __future__ import annotations

from typing import Annotated, Any, Final

from fastapi import APIRouter, Depends, Path, Query, Request
from pydantic import BaseModel, ConfigDict, Field

from api.access.audit import Audit
from api.http.access.keys import ADMIN
from api.http.envelope import Success
from api.http.errors import documented
from api.http.routing import requires
from api.http.validation import check_query
from contracts.services import feed
from contracts.services.market import HealthQuery
from contracts.services.replies.market import FeedHealth, HealthReply
from runtime.clients.command_client import CommandClient

router: Final = APIRouter(
    prefix="/admin/feeds",
    tags=["admin"],
    dependencies=[requires(ADMIN), Depends(check_query)],
    responses=documented(400, 401, 403, 429, 500, 503),
)
SERVICE: Final = "feed"
VenueInPath = Annotated[
    str, Path(pattern=r"^[a-z0-9]{2,32}$", description="CCXT's id of the exchange", examples=["binance"])
]


class Resynced(BaseModel):
    """What came of fresh snapshots."""

    outcome: str = Field(description="live: every book is, with its new snapshot; late: not all of them in time")
    seconds: float | None = Field(description="until then")
    books: int = Field(description="how many were asked for")
    waiting: list[str] = Field(description="at most 100 symbols of books that are not live yet")


class FeedOutcome(BaseModel):
    """What came of it."""

    outcome: str = Field(description="live: everything is open and proven; late: not in time; paused: closed")
    seconds: float = Field(description="until then")
    connections: int
    reason: str | None = Field(description="what is waited for")


class ResyncParameters(BaseModel):
    """Which books."""

    model_config = ConfigDict(extra="forbid")
    symbol: str | None = Field(
        None, max_length=64, description="unified symbol; without it every book", examples=[None]
    )


def _commands(request: Request) -> CommandClient:
    return request.app.state.commands


Commands = Annotated[CommandClient, Depends(_commands)]


@router.get("", operation_id="listFeeds")
async def list_feeds(commands: Commands) -> Success[dict[str, FeedHealth]]:
    """Each exchange's feed, as `/multi/health`, for those who look after it."""
    reply = await commands.request("market.health", HealthQuery(), HealthReply)
    return Success(data=reply.root)


@router.post("/{venue}/resync", operation_id="resyncFeed", responses=documented(409))
async def resync(
    venue: VenueInPath, query: Annotated[ResyncParameters, Query()], commands: Commands, audit: Audit
) -> Success[Resynced]:
    """Get fresh snapshots of the exchange's books, or of one; the feed goes on meanwhile."""
    await audit(SERVICE, "resync", venue, symbol=query.symbol)
    asked = feed.ResyncQuery(venue=venue, symbol=query.symbol)
    reply = await commands.request("feed.resync", asked, feed.ResyncReply)
    return Success(data=Resynced(**reply.model_dump(exclude={"rule"})))


@router.post("/{venue}/reconnect", operation_id="reconnectFeed", responses=documented(409))
async def reconnect(venue: VenueInPath, commands: Commands, audit: Audit) -> Success[FeedOutcome]:
    """Close the exchange's connections and open them again."""
    return await _change("reconnect", feed.ReconnectQuery(venue=venue), commands, audit)


@router.post("/{venue}/pause", operation_id="pauseFeed")
async def pause(venue: VenueInPath, commands: Commands, audit: Audit) -> Success[FeedOutcome]:
    """Close the exchange's connections until they are resumed, or the producers start again."""
    return await _change("pause", feed.PauseQuery(venue=venue), commands, audit)


@router.post("/{venue}/resume", operation_id="resumeFeed")
async def resume(venue: VenueInPath, commands: Commands, audit: Audit) -> Success[FeedOutcome]:
    """Open the connections of an exchange that is paused."""
    return await _change("resume", feed.ResumeQuery(venue=venue), commands, audit)


async def _change(verb: str, query: Any, commands: CommandClient, audit: Audit) -> Success[FeedOutcome]:
    await audit(SERVICE, verb, query.venue)
    reply = await commands.request(f"feed.{verb}", query, feed.FeedReply)
    return Success(data=FeedOutcome(**reply.model_dump()))
