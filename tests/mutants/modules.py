"""What is changed, and by which tests a change should be noticed: the module's own, quick and in one process."""

from __future__ import annotations

from typing import Final, NamedTuple


class Module(NamedTuple):
    """Files (or folders of them) and the tests (or folders of them) that hold them."""

    files: tuple[str, ...]
    tests: tuple[str, ...]


SIGNALS: Final = ("tests/consumers/test_storms_and_clusters.py", "tests/consumers/test_signals_exactly.py")
MODULES: Final[dict[str, Module]] = {
    "book": Module(  # the Python and the compiled side are held to each other by test_book_side.py, which takes minutes
        ("runtime/book",),
        tuple(
            f"tests/runtime/book/test_{name}.py"
            for name in (
                "audit",
                "audit_bounds",
                "book",
                "books",
                "checksums",
                "held",
                "keeper_bounds",
                "losses",
                "python_side",
                "resyncs",
            )
        ),
    ),
    "codec": Module(  # test_decode_all.py, which reads tens of thousands of odd messages, is left out
        ("contracts/codec.py",),
        (
            "tests/contracts/test_decode_quickly.py",
            "tests/contracts/test_codec.py",
            "tests/contracts/test_golden.py",
        ),
    ),
    "order": Module(
        ("runtime/trading/order.py", "runtime/trading/order_events.py"),
        (
            "tests/consumers/execution/test_order.py",
            "tests/consumers/execution/test_order_changes.py",
            "tests/contracts/test_trading.py",
        ),
    ),
    "whales": Module(
        (
            "consumers/whales/core.py",
            "consumers/whales/groups.py",
            "consumers/whales/rules.py",
            "consumers/whales/saving.py",
        ),
        ("tests/consumers/whales",),
    ),
    "candles": Module(
        tuple(f"consumers/candles/{name}.py" for name in ("bars", "core", "gaps", "history", "instrument", "rules")),
        ("tests/consumers/candles",),
    ),
    "access": Module(("consumers/access/core.py",), ("tests/consumers/access/test_core.py",)),
    "alerts": Module(
        tuple(f"consumers/alerts/{name}.py" for name in ("core", "everybody", "prices", "rules", "watching")),
        tuple(f"tests/consumers/alerts/test_{name}.py" for name in ("core", "everybody", "rules", "watching")),
    ),
    "analytics": Module(("consumers/analytics/core.py",), ("tests/consumers/analytics/test_core.py",)),
    "backtests": Module(("consumers/backtests/core.py",), ("tests/consumers/backtests/test_core.py",)),
    "books": Module(("consumers/books/core.py",), ("tests/consumers/books/test_kept_books.py",)),
    "cache": Module(
        ("consumers/cache/core.py",),
        ("tests/consumers/cache/test_cache.py", "tests/consumers/cache/test_documents.py"),
    ),
    "chats": Module(
        ("consumers/chats/core.py", "consumers/chats/orders.py"),
        ("tests/consumers/chats/test_core.py", "tests/consumers/chats/test_orders.py"),
    ),
    "clusters": Module(("consumers/clusters/core.py",), SIGNALS),
    "community": Module(
        ("consumers/community/core.py", "consumers/community/moderation"),
        (
            "tests/consumers/community/test_core.py",
            "tests/consumers/community/test_moderation.py",
            "tests/consumers/community/test_roles.py",
        ),
    ),
    "coverage": Module(
        ("consumers/coverage/core.py",),
        (
            "tests/consumers/coverage/test_bounds.py",
            "tests/consumers/coverage/test_filled.py",
            "tests/consumers/coverage/test_ledger.py",
            "tests/consumers/coverage/test_connections.py",
        ),
    ),
    "deadletters": Module(("consumers/deadletters/core.py",), ("tests/consumers/deadletters/test_core.py",)),
    "market": Module(
        tuple(
            f"consumers/market/{name}.py"
            for name in (
                "answering",
                "consolidated",
                "conversion",
                "core",
                "documents",
                "events",
                "listed",
                "price",
                "publishing",
                "quality",
                "state",
            )
        ),
        (
            "tests/consumers/market/exactly",
            "tests/consumers/market/test_core.py",
            "tests/consumers/market/test_publishing.py",
        ),
    ),
    "portfolio": Module(("consumers/portfolio/core.py",), ("tests/consumers/portfolio/test_core.py",)),
    "storms": Module(("consumers/storms/core.py",), SIGNALS),
    "telegram": Module(
        tuple(f"consumers/telegram/{name}.py" for name in ("calls", "core", "pacing", "texts")),
        tuple(f"tests/consumers/telegram/test_{name}.py" for name in ("calls", "core", "pacing", "queues")),
    ),
}
