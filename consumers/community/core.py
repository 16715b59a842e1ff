"""Decides what a member may do: roles with inheritance, and what may become of a role. Pure."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from contracts.errors import ConflictError, InvalidParameterError
from contracts.services.community.groups import DEEPEST, PERMISSIONS, Permission

NO_ROLE: Final = -1  # the priority of who has no role
MOST_WORDS: Final = 40
_WORD: Final = re.compile(r"\w+")


@dataclass(frozen=True, slots=True)
class Role:
    """What a role gives by itself, and the role that it inherits from."""

    name: str
    permissions: frozenset[Permission]
    priority: int
    parent: str | None


Roles = Mapping[str, Role]


def ancestors(roles: Roles, name: str) -> list[str]:
    """Return the roles that a role inherits from, the nearest first; it ends at a parent that there is not."""
    found: list[str] = []
    role = roles.get(name)
    while role is not None and role.parent is not None and role.parent in roles:
        if role.parent in {name, *found}:
            break  # never written: `check_parent` refuses it
        found.append(role.parent)
        role = roles[role.parent]
    return found


def check_parent(roles: Roles, name: str, parent: str | None) -> None:
    """Raise where a role cannot inherit from another: there is none, a cycle would close, or too many follow."""
    if parent is None:
        return
    if parent == name:
        raise ConflictError(f"The role {name} cannot inherit from itself", parameter="parent")
    if parent not in roles:
        raise InvalidParameterError(f"There is no role {parent} to inherit from", parameter="parent")
    above = [parent, *ancestors(roles, parent)]
    if name in above:
        chain = " -> ".join([name, *above[: above.index(name) + 1]])
        raise ConflictError(f"Roles would inherit from each other: {chain}", parameter="parent")
    if len(above) + _height(roles, name) > DEEPEST:
        raise ConflictError(f"At most {DEEPEST} roles may inherit from each other", parameter="parent")


def _height(roles: Roles, name: str) -> int:
    """Return how many roles stand below a role, one under the other, itself included."""
    heights = [ancestors(roles, other).index(name) + 1 for other in roles if name in ancestors(roles, other)]
    return 1 + max(heights, default=0)


def check_deletable(roles: Roles, name: str) -> None:
    """Raise ConflictError where others inherit from a role."""
    children = sorted(role.name for role in roles.values() if role.parent == name)
    if children:
        raise ConflictError(f"Other roles inherit from {name}", children=children)


def permissions_of(roles: Roles, name: str) -> frozenset[Permission]:
    """Return what a role gives, with what it inherits."""
    names = [name, *ancestors(roles, name)]
    return frozenset(permission for one in names if one in roles for permission in roles[one].permissions)


def effective(roles: Roles, held: Iterable[str], everybody: Iterable[Permission]) -> frozenset[Permission]:
    """Return what a member with these roles may do; `everybody` is what members without a role may."""
    return frozenset(everybody).union(*(permissions_of(roles, name) for name in held))


def priority_of(roles: Roles, held: Iterable[str]) -> int:
    """Return the priority of the highest role; NO_ROLE without one."""
    return max((roles[name].priority for name in held if name in roles), default=NO_ROLE)


def outranks(roles: Roles, one: Iterable[str], other: Iterable[str]) -> bool:
    """Return whether who has the first roles may act on who has the others: equals may not."""
    return priority_of(roles, one) > priority_of(roles, other)


def in_order(permissions: Iterable[Permission]) -> list[Permission]:
    """Return permissions in the order in which they are declared."""
    given = frozenset(permissions)
    return [permission for permission in PERMISSIONS if permission in given]


def search_words(name: str, username: str | None, ids: Iterable[int]) -> list[str]:
    """Return the words that a group is found by: of its name, its @name and its ids, each once."""
    words = _WORD.findall(unicodedata.normalize("NFKC", name).casefold())
    more = [] if username is None else [username.casefold()]
    return list(dict.fromkeys([*words[:MOST_WORDS], *more, *(str(abs(one)) for one in ids)]))


def search_prefix(search: str) -> str:
    """Return what a word has to begin with, to be found by a search; the search's first word counts."""
    text = unicodedata.normalize("NFKC", search).casefold().strip().removeprefix("@").removeprefix("-")
    found = _WORD.search(text)
    return text if found is None else found.group()
