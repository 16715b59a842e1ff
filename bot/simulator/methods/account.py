"""Methods on the bot itself: who it is, its commands, its webhook, and the answers to queries."""

from __future__ import annotations

import json
import re
from typing import Final, cast

from bot.simulator.errors import bad_request
from bot.simulator.model import Json, part
from bot.simulator.params import Params
from bot.simulator.world import World

_SECRET: Final = re.compile(r"[A-Za-z0-9_-]{1,256}")
_COMMAND: Final = re.compile(r"[a-z0-9_]{1,32}")
_MOST_COMMANDS: Final = 100
_LONGEST_DESCRIPTION: Final = 256
_LONGEST_ANSWER: Final = 200
_MOST_RESULTS: Final = 50


def get_me(world: World, _: Params) -> Json:
    """`getMe`."""
    return {
        **world.bot.json(),
        "can_join_groups": True,
        "can_read_all_group_messages": not world.privacy,
        "supports_inline_queries": True,
        "can_connect_to_business": False,
        "has_main_web_app": False,
    }


def set_my_commands(world: World, params: Params) -> bool:
    """`setMyCommands`: by scope and language."""
    commands = params.data("commands")
    if not isinstance(commands, list) or len(cast("list[Json]", commands)) > _MOST_COMMANDS:
        raise bad_request("BOT_COMMANDS_TOO_MUCH" if isinstance(commands, list) else "commands are not specified")
    for one in cast("list[Json]", commands):
        if not _COMMAND.fullmatch(str(one.get("command", "")).removeprefix("/")):
            raise bad_request("BOT_COMMAND_INVALID")
        if not 1 <= len(str(one.get("description", ""))) <= _LONGEST_DESCRIPTION:
            raise bad_request("BOT_COMMAND_DESCRIPTION_INVALID")
    world.commands[_scope(params)] = cast("list[Json]", commands)
    world.record("setMyCommands", None, message_id=None, commands=commands, scope=_scope(params))
    return True


def get_my_commands(world: World, params: Params) -> list[Json]:
    """`getMyCommands`."""
    return world.commands.get(_scope(params), [])


def delete_my_commands(world: World, params: Params) -> bool:
    """`deleteMyCommands`."""
    world.commands.pop(_scope(params), None)
    return True


def set_profile(world: World, params: Params, *, name: str) -> bool:
    """`setMyName`, `setMyDescription`, `setMyShortDescription`."""
    world.profile[f"{name}/{params.text('language_code') or ''}"] = params.text(name) or ""
    return True


def get_profile(world: World, params: Params, *, name: str) -> Json:
    """`getMyName`, `getMyDescription`, `getMyShortDescription`."""
    default = world.bot.first_name if name == "name" else ""
    return {name: world.profile.get(f"{name}/{params.text('language_code') or ''}", default)}


def get_updates(world: World, params: Params) -> list[Json]:
    """`getUpdates` without its waiting, which is the server's."""
    world.updates.allow(params.data("allowed_updates"))
    return world.updates.take(params.integer("offset"), params.integer("limit"))


def set_webhook(world: World, params: Params) -> bool:
    """`setWebhook`: `http` is accepted here, too."""
    url = params.text("url") or ""
    if url and not url.startswith(("https://", "http://")):
        raise bad_request("bad webhook: An HTTPS URL must be provided for webhook")
    secret = params.text("secret_token")
    if secret is not None and not _SECRET.fullmatch(secret):
        raise bad_request("secret token contains unallowed characters")
    world.updates.allow(params.data("allowed_updates"))
    if params.flag("drop_pending_updates"):
        world.updates.clear()
    world.webhook = {"url": url, "has_custom_certificate": False, "secret_token": secret}
    return True


def delete_webhook(world: World, params: Params) -> bool:
    """`deleteWebhook`."""
    if params.flag("drop_pending_updates"):
        world.updates.clear()
    world.webhook = {"url": "", "has_custom_certificate": False}
    return True


def get_webhook_info(world: World, _: Params) -> Json:
    """`getWebhookInfo`."""
    shown = {name: value for name, value in world.webhook.items() if name != "secret_token"}
    allowed = {} if world.updates.allowed is None else {"allowed_updates": world.updates.allowed}
    return {**shown, "pending_update_count": len(world.updates), **allowed}


def answer_callback_query(world: World, params: Params) -> bool:
    """`answerCallbackQuery`: once, while the query is known."""
    query = world.queries.pop(params.text("callback_query_id") or "", None)
    if query is None:
        raise bad_request("query is too old and response timeout expired or query ID is invalid")
    text = params.text("text") or ""
    if len(text) > _LONGEST_ANSWER:
        raise bad_request("MESSAGE_TOO_LONG")
    message = part(query, "message")
    chat_id = part(message, "chat").get("id")
    world.record(
        "answerCallbackQuery",
        chat_id,
        message_id=message.get("message_id"),
        text=text or None,
        show_alert=params.flag("show_alert"),
        user_id=query["from"]["id"],
        callback_query_id=query["id"],
    )
    return True


def answer_inline_query(world: World, params: Params) -> bool:
    """`answerInlineQuery`."""
    query = world.queries.pop(params.text("inline_query_id") or "", None)
    if query is None:
        raise bad_request("query is too old and response timeout expired or query ID is invalid")
    results = params.data("results")
    if not isinstance(results, list) or len(cast("list[Json]", results)) > _MOST_RESULTS:
        raise bad_request("RESULTS_TOO_MUCH" if isinstance(results, list) else "results are not specified")
    ids = [str(one.get("id")) for one in cast("list[Json]", results)]
    if len(set(ids)) != len(ids):
        raise bad_request("RESULT_ID_DUPLICATE")
    world.record("answerInlineQuery", None, message_id=None, results=results, inline_query_id=query["id"])
    return True


def _scope(params: Params) -> str:
    scope = params.object("scope") or {"type": "default"}
    return json.dumps([scope, params.text("language_code") or ""], sort_keys=True)
