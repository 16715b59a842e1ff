"""What a route needs: its scope, declared at its router or itself, found by path before routing."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final

from fastapi import Depends
from fastapi.routing import RouteContext, iter_route_contexts
from starlette.routing import BaseRoute

from api.http.access.keys import ADMIN, ANY_KEY


@dataclass(frozen=True, slots=True)
class Requires:
    """The scope that a route needs; checked by the middleware before routing.

    `keyed`: a key is needed whatever GPT_API_REQUIRE_AUTH says. Not `timed`: the answer has no end of its own.
    """

    scope: str
    keyed: bool = False
    timed: bool = True

    def __call__(self) -> None:
        """Nothing is left to check."""


def requires(scope: str, *, keyed: bool = False, timed: bool = True) -> Any:
    """Return the dependency that declares the scope of a route or a router: `dependencies=[requires(MARKET_READ)]`.

    With `keyed` a key is needed also where GPT_API_REQUIRE_AUTH=false opens others of that scope. An answer that is not
    `timed` goes on for as long as its client stays.
    """
    return Depends(Requires(scope, keyed, timed))


@dataclass(frozen=True, slots=True)
class RouteInfo:
    """What a path is: `template` as it is documented and counted, and what its route requires."""

    template: str
    scope: str
    keyed: bool = False
    timed: bool = True


_NO_ROUTE: Final = RouteInfo("(other)", ANY_KEY)


class RouteTable:
    """Finds the route of a path without routing."""

    def __init__(self, routes: Iterable[BaseRoute]) -> None:
        self._exact: dict[str, RouteInfo] = {}
        self._patterns: list[tuple[re.Pattern[str], RouteInfo]] = []
        for context in iter_route_contexts(list(routes)):
            self._add(context)

    def find(self, path: str) -> RouteInfo:
        """Return what a path is; any key may request what is no route."""
        found = self._exact.get(path)
        if found is not None:
            return found
        return next((info for pattern, info in self._patterns if pattern.fullmatch(path)), _NO_ROUTE)

    def _add(self, context: RouteContext) -> None:
        path = context.path or ""
        declared = declaration(context)
        info = RouteInfo(path.replace(":path}", "}"), declared.scope, declared.keyed, declared.timed)
        if "{" in path:
            self._patterns.append((context.path_regex, info))
        elif self._exact.setdefault(path, info) != info:
            raise ValueError(f"{path} is declared with two scopes")


def declared_scope(context: RouteContext) -> str:
    """Return the scope that a route declares, its router's where it declares none; `admin` where neither does."""
    return declaration(context).scope


def declaration(context: RouteContext) -> Requires:
    """Return what a route declares that it needs, its router's where it declares nothing."""
    declared = [item.dependency for item in getattr(context, "dependencies", ())]  # routes of Starlette have none
    return next((item for item in reversed(declared) if isinstance(item, Requires)), Requires(ADMIN))
