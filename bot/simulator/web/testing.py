"""The `/test/*` routes: what people do, failures to come, and what the server has seen."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields
from typing import Any, Final, cast, get_args

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from bot.simulator import groups, people
from bot.simulator.deeds import NotPossibleError
from bot.simulator.errors import ApiError
from bot.simulator.faults import Fault, FaultKind
from bot.simulator.params import Params
from bot.simulator.web.requests import read_params
from bot.simulator.web.server import BotServer
from bot.simulator.world import World

Deed = Callable[[World, Params], Any]
DEEDS: Final[dict[str, Deed]] = {
    "message": people.write,
    "edit": people.change,
    "press": people.press,
    "join": groups.join,
    "leave": groups.leave,
    "member": groups.set_member,
    "join_request": groups.ask_to_join,
    "block": people.block,
    "inline": people.ask_inline,
    "migrate": groups.become_supergroup,
    "chat": groups.set_chat,
}
_KINDS: Final[tuple[FaultKind, ...]] = get_args(FaultKind)


def plan_fault(world: World, given: Params) -> Any:
    """Plan failures; `"error": "none"` takes back those that are still to come."""
    if given.text("error") == "none":
        world.faults.clear()
        return {"planned": 0}
    kind = cast("FaultKind", given.text("error"))
    if kind not in _KINDS:
        raise NotPossibleError(f"error is one of {', '.join(_KINDS)}, none")
    times, seconds = given.integer("times"), given.fields.get("seconds", given.fields.get("retry_after"))
    fault = Fault(
        error=kind,
        times=1 if times is None else times,
        method=given.text("method"),
        chat_id=given.integer("chat_id"),
        seconds=None if seconds is None else float(seconds),
        description=given.text("description"),
    )
    if fault.times < 1:
        raise NotPossibleError("times is 1 or more")
    world.faults.add(fault)
    return {"planned": fault.times, **{one.name: getattr(fault, one.name) for one in fields(fault)}}


def change_settings(world: World, given: Params) -> Any:
    """Switch privacy mode and limits, and say what they are."""
    world.privacy = given.flag("privacy", default=world.privacy)
    world.limits.enforced = given.flag("limits", default=world.limits.enforced)
    return {"privacy": world.privacy, "limits": world.limits.enforced}


def list_sent(world: World, given: Params) -> Any:
    """Return what the bot did, the oldest first: of one chat, and after a number of the row."""
    chat_id, after, limit = given.integer("chat_id"), given.integer("after") or 0, given.integer("limit")
    found = [one for one in world.sent if one["seq"] > after and chat_id in {None, one["chat_id"]}]
    return found if limit is None else found[-limit:]


def list_breaches(world: World, _: Params) -> Any:
    """Return the calls that came too early."""
    return [breach.json() for breach in world.limits.breaches]


def list_chats(world: World, _: Params) -> Any:
    """Return every chat, the newest last."""
    return [{**chat.json(), "messages": len(chat.messages)} for chat in world.chats.values()]


def show_chat(world: World, given: Params) -> Any:
    """Return a chat as it is; null where there is none."""
    chat = world.chats.get(given.need_integer("chat_id"))
    return None if chat is None else groups.describe(world, chat)


def make_routes(server: BotServer) -> list[Route]:
    """Return the routes of `/test/`."""
    asked: dict[str, Deed] = {"sent": list_sent, "breaches": list_breaches, "chats": list_chats, "chat": show_chat}
    done: dict[str, Deed] = {**DEEDS, "fail": plan_fault, "settings": change_settings}
    routes = [Route(f"/test/{name}", _endpoint(server, deed), methods=["GET"]) for name, deed in asked.items()]
    routes += [Route(f"/test/{name}", _endpoint(server, deed), methods=["POST"]) for name, deed in done.items()]
    return [*routes, Route("/test/file/{file_id}", _file_endpoint(server), methods=["GET"])]


def _endpoint(server: BotServer, deed: Deed) -> Callable[[Request], Any]:
    async def respond(request: Request) -> Response:
        try:
            given = await read_params(request)
            server.world.moment = server.moment()
            return JSONResponse(deed(server.world, given))
        except NotPossibleError as error:
            return JSONResponse({"error": str(error)}, error.code)
        except ApiError as error:
            return JSONResponse({"error": error.description}, error.code)

    return respond


def _file_endpoint(server: BotServer) -> Callable[[Request], Any]:
    async def respond(request: Request) -> Response:
        file = server.world.files.find(request.path_params["file_id"])
        if file is None or file.data is None:
            return JSONResponse({"error": "there is no such file"}, 404)
        return Response(file.data, media_type=_media_type(file.data), headers={"X-Content-Type-Options": "nosniff"})

    return respond


def _media_type(data: bytes) -> str:
    for start, kind in ((b"\x89PNG", "image/png"), (b"\xff\xd8", "image/jpeg"), (b"GIF8", "image/gif")):
        if data.startswith(start):
            return kind
    return "image/webp" if data[8:12] == b"WEBP" else "application/octet-stream"
