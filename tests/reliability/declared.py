"""The twenty promises: what each says, which tests and commands show it, and what they do not show of it."""

from __future__ import annotations

from typing import Final, NamedTuple


class Promise(NamedTuple):
    """One promise; `bar` is its figures, `tests` are pytest's names, `lacks` is what of the bar they do not show.

    `long` tests take minutes, and `command` is a module with its arguments whose last line is a figure; neither is run
    by a short run.
    """

    title: str
    bar: str
    tests: tuple[str, ...]
    long: tuple[str, ...] = ()
    command: tuple[str, ...] = ()
    lacks: str = ""


_R: Final = "tests/reliability/"
_C: Final = "tests/consumers/"
_X: Final = "tests/consumers/execution/"
_W: Final = "tests/consumers/webhooks/"

PROMISES: Final[dict[int, Promise]] = {
    1: Promise(
        "The bus is killed and is away for 2 s: 10,000 commands, 200 in flight",
        "none lost, none stored twice, publishing again within 3 s",
        (f"{_R}test_bus.py::test_a_killed_bus_loses_and_doubles_no_command[2000]",),
        (f"{_R}test_bus.py::test_a_killed_bus_loses_and_doubles_no_command[10000]",),
    ),
    2: Promise(
        "The bus freezes for 30 s beside a second server, with a busy publisher",
        "on the other server within 10 s, nothing acknowledged lost",
        ("tests/runtime/nats/test_bus.py::test_frozen_server_is_left_for_another",),
        (f"{_R}test_bus.py::test_a_frozen_bus_is_left_for_the_other_server",),
    ),
    3: Promise(
        "The power is cut while commands are acknowledged",
        "always synced: nothing acknowledged lost; the server's default loses some",
        (),
        (f"{_R}test_power_cut.py",),
    ),
    4: Promise(
        "The leader of three replicas is killed under load",
        "none lost, a gap of at most 6 s, the server comes back, nothing is left unconsumed",
        (),
        (f"{_R}test_cluster.py",),
        lacks="the server elects 4 to 9 s after the last heartbeat, by chance and without a setting for it: "
        "about one kill in three takes longer than the bar",
    ),
    5: Promise(
        "Workers are killed between an effect and its acknowledgement, 50 times, four workers",
        "exactly as many effects as there were jobs",
        (f"{_X}test_on_the_bus.py::test_a_killed_process_leaves_one_order_each_and_loses_no_fill",),
        (f"{_R}test_killed_workers.py",),
    ),
    6: Promise(
        "Durables, streams and buckets are deleted under load",
        "everything flows again within 10 s, with less than 20 % of a processor",
        ("tests/runtime/nats/test_provision.py::test_what_vanishes_is_created_again",),
        ("tests/faults/test_parts.py::test_stream_bucket_or_durable_is_deleted",),
        lacks="the processor's share is not measured",
    ),
    7: Promise(
        "A part's connection to the bus is closed for good",
        "its process ends non-zero within 5 s and is back within 10 s",
        (
            "tests/runtime/nats/test_bus.py::test_process_whose_connection_was_closed_for_good_ends_non_zero",
            f"{_R}test_bus.py::test_a_part_whose_connection_is_closed_for_good_ends_and_is_back",
        ),
    ),
    8: Promise(
        "The document server is away for 60 s",
        "no job ended by it, at most one attempt a second and job, the backlog drained within 60 s",
        (
            f"{_C}test_on_the_bus.py::test_a_failing_message_is_asked_for_again_with_a_delay_and_buried_after_its_last_delivery",
        ),
        (f"{_R}test_documents_away.py",),
    ),
    9: Promise(
        "Poison messages",
        "at most ten deliveries, then a dead letter; the neighbours' p99 less than doubled",
        (
            f"{_C}test_on_the_bus.py::test_a_failing_message_is_asked_for_again_with_a_delay_and_buried_after_its_last_delivery",
            f"{_C}poison/test_poison_on_the_bus.py",
        ),
        lacks="the p99 is printed, and asserted only to stay below 2 s: on a shared machine its ratio says little",
    ),
    10: Promise(
        "A bucket's watch over a restart of the bus",
        "right within 10 s, no final value missed",
        ("tests/runtime/nats/test_kv.py",),
    ),
    11: Promise(
        "Exchanges' sockets cut 100 times, holes in sequences, messages twice",
        "books equal the exchange's within 5 s, no crossed book published",
        ("tests/faults/test_chaos.py::test_hundred_random_cuts_leave_right_books_and_no_crossed_one",),
        ("tests/faults/test_matrix.py",),
        lacks="the seconds until a book is live again are in the fault matrix, by exchange and fault",
    ),
    12: Promise(
        "Orders whose answers are lost, filled, filled in part: 10,000 seeded runs",
        "no double order, no orphan after 60 s",
        (f"{_X}test_interrupted.py", f"{_X}test_museum.py", f"{_X}seeded"),
        command=("tests.consumers.execution.seeded", "--runs", "10000"),
    ),
    13: Promise(
        "Two executors on one account, and one that stands still",
        "nothing sent twice, no error of a nonce",
        (
            f"{_X}venues/test_indodax_matrix.py::test_a_paused_leader_and_its_successor_send_one_order",
            f"{_X}paper/test_venue.py::test_two_processes_on_one_account_do_not_write_over_each_other",
            f"{_X}test_documents.py::test_who_acted_before_cannot_change_what_another_has_claimed",
            f"{_C}strategies/test_takeover.py::test_a_grid_goes_on_in_another_process_when_its_own_stands_still_or_dies",
        ),
    ),
    14: Promise(
        "The kill switch during a grid",
        "no new order after 1 s, none where it cannot be read; cancels work",
        (
            f"{_C}strategies/test_on_the_bus.py::test_a_kill_during_a_grid_leads_to_no_new_order_and_pauses_it",
            f"{_X}safety/test_away.py::test_without_documents_nothing_new_is_sent_and_a_kill_cancels",
            f"{_X}test_documents.py::test_what_cannot_be_read_forbids",
        ),
    ),
    15: Promise(
        "Webhooks to receivers that flap (500, slow, reset, redirect, 410), 10,000 events",
        "all delivered or dead letters, all verified by the standard's library, ids stable, others delayed < 10 %",
        (
            f"{_W}delivery/test_killed.py",
            f"{_W}delivery/test_delivery.py::test_a_failed_attempt_is_repeated_with_the_same_id_until_it_succeeds",
            f"{_W}delivery/test_delivery.py::test_a_slow_endpoint_delays_nobody_else",
            f"{_W}test_signing.py",
        ),
        (f"{_W}delivery/test_killed.py", f"{_W}delivery/test_delivery.py::test_a_slow_endpoint_delays_nobody_else"),
        lacks="the long form is of 1,000 events to each of 10 endpoints",
    ),
    16: Promise(
        "Webhooks to private addresses: at least 60 URLs, rebinding, redirects, proxies; secrets rotate",
        "no connection, no failed verification",
        (f"{_W}test_ssrf.py", f"{_W}delivery/test_delivery.py::test_a_rotation_under_load_fails_no_verification"),
    ),
    17: Promise(
        "Abuse of the API",
        "nothing of another owner on any route, no forged address, limits passed by at most 5 % over four processes, "
        "no server error in random requests",
        (
            "tests/api/test_route_table.py",
            "tests/api/test_groups_access.py::test_nothing_of_an_owner_is_seen_or_changed_by_another",
            "tests/api/test_webhooks.py::test_owners_are_apart",
            "tests/api/test_access.py::test_a_forwarded_address_counts_from_trusted_proxies_only",
            "tests/api/test_access.py::test_the_client_is_the_first_untrusted_hop_from_the_right",
            "tests/api/test_shared_limits.py::test_four_processes_share_each_limit",
            "tests/api/test_schemathesis.py",
        ),
    ),
    18: Promise(
        "200 WebSocket clients of which 20 read nothing; GraphQL bombs",
        "memory bounded, healthy p99 at most +20 %, stalled ones closed within 10 s, bombs refused within 50 ms",
        (
            "tests/api/test_stream_slow.py::test_20_of_200_that_never_read_are_closed_and_cost_the_others_nothing",
            "tests/api/test_graphql_bombs.py",
        ),
    ),
    19: Promise(
        "Planted secrets in logs, errors, traces, documents, dead letters and on the bus",
        "none found; what is moved to another owner never opens; a rotation fails no decryption",
        (
            "tests/api/trading/test_links.py",
            "tests/runtime/test_logs.py",
            "tests/runtime/test_credentials.py",
            "tests/runtime/test_vault.py",
            f"{_X}links/test_rotation.py",
            f"{_W}test_registry.py::test_what_is_kept_and_logged_holds_no_secret",
            f"{_W}test_registry.py::test_a_secret_opens_only_where_it_was_sealed",
        ),
    ),
    20: Promise(
        "Telegram: 50 groups with 30 alerts each, storms of 429, a restart in the middle",
        "no limit broken, none lost, at most as many twice as were in flight; nobody commands who is no administrator",
        ("tests/bot/test_pacing.py", f"{_C}telegram/test_on_the_bus.py", "tests/bot/groups/test_who_may.py"),
        (f"{_C}telegram/test_flood.py::test_500_groups_30_alerts_storms_and_a_kill",),
    ),
}
