"""`python -m api.graphql`: write the schema's text; refused where it would take something away from clients."""

from __future__ import annotations

import sys

from graphql import build_schema, find_breaking_changes

from api.graphql.schema import SCHEMA_FILE, schema_text


def list_breaks(before: str, after: str) -> list[str]:
    """Return what clients of one schema would miss in another."""
    return [change.description for change in find_breaking_changes(build_schema(before), build_schema(after))]


def main() -> int:
    """Write the schema; 1 where it does not only grow."""
    breaks = list_breaks(SCHEMA_FILE.read_text(), schema_text()) if SCHEMA_FILE.is_file() else []
    if breaks:
        print("\n".join(["the schema may only grow:", *breaks]), file=sys.stderr)
        return 1
    SCHEMA_FILE.write_text(schema_text())
    return 0


if __name__ == "__main__":
    sys.exit(main())
