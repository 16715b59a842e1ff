"""`python -m api.graphql [--check]`: write the schema's text, refused where it would take something from clients."""

from __future__ import annotations

import sys

from graphql import build_schema, find_breaking_changes

from api.graphql.schema import SCHEMA_FILE, schema_text
from runtime.app.entry import take_arguments


def list_breaks(before: str, after: str) -> list[str]:
    """Return what clients of one schema would miss in another."""
    return [change.description for change in find_breaking_changes(build_schema(before), build_schema(after))]


def main(arguments: list[str]) -> int:
    """Write the schema, or check that it is written; 1 where it does not only grow, 2 for a wrong command line."""
    if not set(arguments) <= {"--check"}:
        print("usage: python -m api.graphql [--check]", file=sys.stderr)
        return 2
    breaks = list_breaks(SCHEMA_FILE.read_text(), schema_text()) if SCHEMA_FILE.is_file() else []
    if breaks:
        print("\n".join(["the schema may only grow:", *breaks]), file=sys.stderr)
        return 1
    if "--check" not in arguments:
        SCHEMA_FILE.write_text(schema_text())
    return 0


if __name__ == "__main__":
    sys.exit(main(take_arguments()))
