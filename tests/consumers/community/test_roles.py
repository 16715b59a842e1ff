"""Roles at their limits: who inherits from whom, who ranks above whom, by which words a group is found."""

from __future__ import annotations

import pytest

from consumers.community import core
from contracts.errors import ConflictError, InvalidParameterError
from contracts.services.community.groups import DEEPEST
from tests.consumers.community.test_core import role, roles


def test_ancestors_are_the_nearest_first_and_end_at_what_is_not_there() -> None:
    found = roles(role("a", parent="gone"), role("b", parent="a"), role("c", parent="b"))
    assert [core.ancestors(found, name) for name in ("c", "b", "a", "none")] == [["b", "a"], ["a"], [], []]
    circle = roles(role("a", parent="b"), role("b", parent="c"), role("c", parent="b"))
    assert core.ancestors(circle, "a") == ["b", "c"]


def test_a_parent_that_cannot_be_is_refused_with_the_chain() -> None:
    found = roles(role("a"), role("b", parent="a"), role("c", parent="b"), role("d", parent="c"))
    for parent, kind, words in (
        ("a", ConflictError, "The role a cannot inherit from itself"),
        ("x", InvalidParameterError, "There is no role x to inherit from"),
        ("c", ConflictError, "Roles would inherit from each other: a -> c -> b -> a"),
    ):
        with pytest.raises(kind, match=words) as refused:
            core.check_parent(found, "a", parent)
        assert refused.value.details["parameter"] == "parent"
    with pytest.raises(ConflictError, match=r"b -> d -> c -> b$"):
        core.check_parent(found, "b", "d")
    core.check_parent(found, "new", "d")


def test_as_many_roles_inherit_from_each_other_as_may_and_no_more() -> None:
    chain = [role(f"r{n}", parent=f"r{n - 1}" if n else None) for n in range(DEEPEST - 2)]
    found = roles(*chain, role("x"), role("y", parent="x"), role("z", parent="y"))
    core.check_parent(found, "y", None)
    core.check_parent(found, "z", chain[-1].name)
    core.check_parent(found | roles(role("last", parent=chain[-1].name)), "z", "last")
    core.check_parent(found, "y", chain[-1].name)
    with pytest.raises(ConflictError, match=f"At most {DEEPEST} roles may inherit from each other"):
        core.check_parent(found, "x", chain[-1].name)


def test_children_are_named_in_order() -> None:
    found = roles(role("a"), role("c", parent="a"), role("b", parent="a"))
    with pytest.raises(ConflictError, match="Other roles inherit from a") as refused:
        core.check_deletable(found, "a")
    assert refused.value.details["children"] == ["b", "c"]


def test_whoever_has_no_role_ranks_below_all() -> None:
    found = roles(role("least", priority=0), role("high", priority=5))
    ranks = [core.priority_of(found, held) for held in ([], ["gone"], ["least"], ["least", "high"])]
    assert ranks == [-1, -1, 0, 5]
    assert core.outranks(found, ["least"], [])


def test_permissions_are_shown_as_they_are_declared() -> None:
    order = list(core.PERMISSIONS)
    found = core.in_order([order[4], order[1], order[4]])
    assert found == [order[1], order[4]]


@pytest.mark.parametrize(
    ("name", "username", "ids", "words"),
    [
        ("Whale Club, 2nd club", None, [-100, 5], ["whale", "club", "2nd", "100", "5"]),
        ("\uff37\uff28\uff21\uff2c\uff25", "Whales", [], ["whale", "whales"]),
        (" ".join(f"w{n}" for n in range(50)), "x", [], [*(f"w{n}" for n in range(40)), "x"]),
    ],
)
def test_a_group_is_found_by_its_words(name: str, username: str | None, ids: list[int], words: list[str]) -> None:
    assert core.search_words(name, username, ids) == words


@pytest.mark.parametrize(
    ("search", "prefix"),
    [(" @Whales ", "whales"), ("-100 x", "100"), ("  ", ""), ("!? b", "b"), ("!?", "!?"), ("@", ""), ("-", "")],
)
def test_a_search_begins_a_word(search: str, prefix: str) -> None:
    assert core.search_prefix(search) == prefix
