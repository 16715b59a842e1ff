"""Every service has a user, and every user's needs are words of the contracts."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml

from consumers.registry import BY_ITSELF, CONSUMERS
from contracts import commands
from contracts.streams import BUCKETS, DURABLES, STREAMS
from contracts.users import declared
from contracts.users.permissions import allows, inbox_of, overlap, permissions_of
from deploy.parts import ONLY_IN_DEMO

ROOT = Path(__file__).parents[2]
PROCFILE = re.findall(r"^(\w+):", (ROOT / "deploy" / "Procfile").read_text(), re.MULTILINE)
KUBERNETES = [
    manifest
    for name in ("consumers", "bot", "api", "healer", "producers")
    for manifest in yaml.safe_load_all((ROOT / "deploy" / "kubernetes" / "base" / f"{name}.yaml").read_text())
    if manifest["kind"] == "Deployment"
]


def test_every_consumer_has_a_user_and_what_runs_together_has_one() -> None:
    assert set(declared.CONSUMERS) == set(CONSUMERS)
    assert set(declared.GROUPS["consumers"]) == set(CONSUMERS) - BY_ITSELF


def test_every_part_of_one_machine_has_a_user() -> None:
    assert set(declared.USER_OF_PART) == set(PROCFILE) - set(ONLY_IN_DEMO)
    assert set(declared.USER_OF_PART.values()) <= set(declared.USERS)


def test_every_deployment_has_a_user_with_just_its_services() -> None:
    for manifest in KUBERNETES:
        spec = manifest["spec"]["template"]["spec"]
        (container,) = spec["containers"]
        part, *named = container["args"]
        (volume,) = [one for one in spec["volumes"] if one["name"] == "nats"]
        user = volume["secret"]["items"][0]["key"]
        services = named if part == "consumers" else [declared.USER_OF_PART[part]]
        assert sorted(declared.USERS[user]) == sorted(services), manifest["metadata"]["name"]


@pytest.mark.parametrize("name", declared.SERVICES)
def test_what_a_service_needs_is_in_the_contracts(name: str) -> None:
    needs = declared.SERVICES[name]
    known = {command.name for command in commands.every_command()}
    services = {one.partition(".")[0] for one in known}
    for command in (*needs.serves, *needs.asks):
        assert command in (known if "." in command else services), command
    assert set(needs.reads) <= {spec.name for spec in STREAMS}
    assert {*needs.mirrors, *needs.writes} <= {spec.name for spec in BUCKETS}
    assert {*needs.durables, *needs.remakes} <= {spec.name for spec in DURABLES}


def test_every_command_is_served_and_every_durable_is_read_by_one_service() -> None:
    for command in commands.every_command():
        serving = [name for name in declared.SERVICES if allows(permissions_of(name).subscribe, command.subject)]
        assert len(serving) == 1, command.subject
    for spec in DURABLES:
        assert [name for name, needs in declared.SERVICES.items() if spec.name in needs.durables] == [
            name
            for name in declared.SERVICES
            if allows(permissions_of(name).publish, f"$JS.ACK.{spec.stream}.{spec.name}.1")
        ]
        assert sum(spec.name in needs.durables for needs in declared.SERVICES.values()) == 1, spec.name


def test_a_user_that_is_not_declared_has_the_usual_inbox() -> None:
    assert inbox_of("api") == "_INBOX_api"
    assert {inbox_of(user) for user in (None, "admin", "subscriber", "somebody")} == {"_INBOX"}


@pytest.mark.parametrize(
    ("one", "other", "meet"),
    [
        ("a.*.c", "a.b.>", True),
        ("a.>", "a", False),
        ("a.b", "a.b.c", False),
        ("a.*", "a.b", True),
        ("a.*", "b.*", False),
        (">", "a.b", True),
    ],
)
def test_patterns_meet_where_one_subject_can_match_both(one: str, other: str, *, meet: bool) -> None:
    assert overlap(one, other) is meet
    assert overlap(other, one) is meet


@pytest.mark.parametrize(
    ("pattern", "subject", "covered"),
    [
        ("a.*", "a.b", True),
        ("a.*", "a.*", True),
        ("a.*", "a.>", False),
        ("a.>", "a.*.c", True),
        ("a.>", "a", False),
        ("a.b", "a.*", False),
        ("a.b", "a.b.c", False),
    ],
)
def test_a_pattern_covers_what_it_matches_whole(pattern: str, subject: str, *, covered: bool) -> None:
    assert allows([pattern], subject) is covered
