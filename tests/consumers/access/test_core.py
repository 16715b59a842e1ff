"""What becomes of a key, decided without a bus or a store."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from consumers.access import core
from consumers.access.core import SECOND_NS, Key
from contracts.arithmetic.moments import as_datetime
from contracts.errors import ConflictError, GoneError, InvalidParameterError, NotFoundError
from contracts.services import access
from contracts.services.access import Caller, CreateKey, KeyEntry

NOW = 1_800_000_000 * SECOND_NS
PEPPER = b"pepper-of-the-tests"
CALLER = Caller(actor="settings.0123", address="10.0.0.1", request_id="r1")


def request(**fields: Any) -> CreateKey:
    values: dict[str, Any] = {"caller": CALLER, "name": "dashboard", "owner": "alice", "scopes": ("market:read",)}
    return CreateKey(**{**values, **fields})


def key(**fields: Any) -> Key:
    return core.create(request(**fields), "00" * 8, "mac-1", NOW)


def macs(one: Key, now_ns: int) -> list[str]:
    body = core.entry_of(one, "mark", now_ns)
    return [] if body is None else [secret.mac for secret in KeyEntry.model_validate_json(body).secrets]


def test_a_key_is_accepted_until_it_expires() -> None:
    made = key(expires_at=datetime.fromtimestamp(NOW // SECOND_NS + 60, UTC))
    assert [made.state(NOW), made.state(NOW + 60 * SECOND_NS)] == ["active", "expired"]
    assert macs(made, NOW) == ["mac-1"]
    assert core.entry_of(made, "mark", NOW + 60 * SECOND_NS) is None
    with pytest.raises(InvalidParameterError, match="future"):
        key(expires_at=datetime.fromtimestamp(NOW // SECOND_NS, UTC))


def test_the_old_secret_lives_on_for_the_overlap_and_no_longer() -> None:
    rotated = core.rotate(key(), "mac-2", 100, NOW)
    assert macs(rotated, NOW + 99 * SECOND_NS) == ["mac-2", "mac-1"]
    assert macs(rotated, NOW + 100 * SECOND_NS) == ["mac-2"]
    assert [one.mac for one in core.rotate(key(), "mac-2", 0, NOW).secrets] == ["mac-2"]
    shown = core.describe(rotated, NOW)
    assert shown.previous_ends_at == as_datetime(NOW + 100 * SECOND_NS)


def test_what_is_shown_of_an_overlap_is_when_the_last_secret_ends_and_nothing_once_it_has() -> None:
    twice = core.rotate(core.rotate(key(), "mac-2", 100, NOW), "mac-3", 1000, NOW)
    ends = [core.describe(twice, NOW + seconds * SECOND_NS).previous_ends_at for seconds in (0, 999, 1000)]
    assert ends == [as_datetime(NOW + 1000 * SECOND_NS)] * 2 + [None]


def test_what_the_bucket_holds_changes_when_something_ends() -> None:
    made = key(expires_at=datetime.fromtimestamp(NOW // SECOND_NS + 200, UTC))
    rotated = core.rotate(made, "mac-2", 100, NOW)
    times = [core.next_change(rotated, NOW + seconds * SECOND_NS) for seconds in (0, 100, 200)]
    assert times == [NOW + 100 * SECOND_NS, NOW + 200 * SECOND_NS, None]


def test_a_second_rotation_never_lengthens_an_overlap_and_few_secrets_are_kept() -> None:
    twice = core.rotate(core.rotate(key(), "mac-2", 100, NOW), "mac-3", 1000, NOW)
    assert [(one.mac, one.ends_ns) for one in twice.secrets[1:]] == [
        ("mac-2", NOW + 1000 * SECOND_NS),
        ("mac-1", NOW + 100 * SECOND_NS),
    ]
    one = key()
    for number in range(20):
        one = core.rotate(one, f"mac-{number}", 1000, NOW)
    assert len(one.secrets) == access.MOST_SECRETS
    assert one.secrets[0].mac == "mac-19"


def test_a_revoked_key_has_no_secret_and_stays_revoked() -> None:
    revoked = core.revoke(core.rotate(key(), "mac-2", 100, NOW), NOW + 1)
    assert (revoked.secrets, revoked.revoked_ns, core.entry_of(revoked, "mark", NOW)) == ((), NOW + 1, None)
    assert core.revoke(revoked, NOW + 5) is revoked
    assert core.describe(revoked, NOW).state == "revoked"
    assert core.found(revoked, "00" * 8) is revoked
    with pytest.raises(GoneError, match="The key is revoked"):
        core.rotate(revoked, "mac-3", 0, NOW)
    with pytest.raises(NotFoundError):
        core.found(None, "00" * 8)


def test_a_repeated_request_gives_the_same_key_a_secret_that_somebody_has() -> None:
    made = key(request_key="ab")
    somebody = Caller(actor="settings.4567", address="10.0.0.2", request_id="r2")
    again = core.create_again(made, request(request_key="cd", caller=somebody), "mac-2", NOW)
    assert (again.id, macs(again, NOW)) == (made.id, ["mac-2"])
    with pytest.raises(ConflictError, match="another request"):
        core.create_again(made, request(request_key="ab", name="other"), "mac-2", NOW)
    for changed in (core.revoke(made, NOW), core.rotate(made, "mac-2", 10, NOW)):
        with pytest.raises(ConflictError, match="changed"):
            core.create_again(changed, request(request_key="ab"), "mac-3", NOW)


def test_a_request_can_be_repeated_for_a_day() -> None:
    assert core.REPEATABLE_NS == 86_400 * SECOND_NS


def test_nothing_shown_or_audited_or_mirrored_has_a_secret() -> None:
    secret = "s" * 43
    made = core.create(request(), "00" * 8, access.key_mac(PEPPER, secret), NOW)
    event = core.audit("create", made, CALLER, NOW)
    texts = [core.describe(made, NOW).model_dump_json(), event.model_dump_json()]
    texts.append((core.entry_of(made, access.pepper_mark(PEPPER), NOW) or b"").decode())
    assert not any(secret in text or PEPPER.decode() in text for text in texts)
    assert event.subject == "audit.v1.access.create"
    assert event.details == {"owner": "alice", "scopes": ["market:read"]}
    assert core.show(made, secret, NOW).key == f"{'00' * 8}.{secret}"


@pytest.mark.parametrize(
    "fields",
    [
        {"scopes": ()},
        {"scopes": ("market:read", "market:read")},
        {"scopes": ("root",)},
        {"owner": ""},
        {"owner": "a b"},
        {"name": "a\nb"},
        {"expires_at": datetime(2030, 1, 1)},  # noqa: DTZ001 - without a time zone
    ],
)
def test_what_no_key_may_be(fields: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=next(iter(fields))):
        request(**fields)


def test_times_survive_the_way_through_nanoseconds() -> None:
    moment = datetime(2031, 5, 6, 7, 8, 9, 123456, UTC)
    assert as_datetime(core.nanoseconds(moment)) == moment
    assert core.nanoseconds(moment + timedelta(hours=1)) - core.nanoseconds(moment) == 3600 * SECOND_NS
