"""Writes the bus's AsyncAPI document: `python -m runtime.app.asyncapi [--check | --release]`.

Without a flag it writes docs/asyncapi.json; `--check` only says whether that file is up to date; `--release` also keeps
the document as what was released of the version. All three refuse what breaks a released version.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from contracts.codec import EVENTS
from contracts.commands import Command, every_command
from contracts.market import Event
from contracts.schema.asyncapi import VERSION, Json
from contracts.schema.compatibility import list_breaks
from runtime.app.entry import take_arguments
from runtime.app.specification import BusSpecification

ROOT: Final = Path(__file__).resolve().parents[2]
DOCUMENT: Final = Path("docs/asyncapi.json")
RELEASED: Final = Path("docs/asyncapi")  # v1.json: what was released of version 1
GOLDEN: Final = Path("tests/contracts/golden")  # <kind>.v<version>.json: the examples


def make_document(
    events: Mapping[str, type[Event]], examples: Mapping[str, Json], commands: Sequence[Command] = ()
) -> Json:
    """Describe the bus; `examples` holds a message for each `<kind>.v<version>`, as parsed JSON."""
    specification = BusSpecification(events=events, commands=commands, examples=examples)
    return specification.to_specification().to_jsonable()


def render(document: Json) -> str:
    """Write a document as text; the same document gives the same text."""
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"


def read_examples(folder: Path) -> dict[str, Json]:
    """Read the golden messages by `<kind>.v<version>`."""
    return {path.stem: json.loads(path.read_text()) for path in sorted(folder.glob("*.json"))}


def main(arguments: list[str], root: Path = ROOT) -> int:
    """Write, check or release the document; gives the process's exit status."""
    if not set(arguments) <= {"--check", "--release"}:
        sys.stderr.write("usage: python -m runtime.app.asyncapi [--check | --release]\n")
        return 2
    document = make_document(EVENTS, read_examples(root / GOLDEN), every_command())
    problems = [
        f"{path.relative_to(root)}: {problem}"
        for path in sorted((root / RELEASED).glob("v*.json"))
        for problem in list_breaks(json.loads(path.read_text()), document)
    ]
    text, path = render(document), root / DOCUMENT
    if "--check" in arguments and (not path.exists() or path.read_text() != text):
        problems.append(f"{DOCUMENT} is not what the models say: run `make asyncapi`")
    if problems:
        sys.stderr.writelines(f"{problem}\n" for problem in problems)
        return 1
    if "--check" not in arguments:
        path.write_text(text)
    if "--release" in arguments:
        (root / RELEASED / f"v{VERSION}.json").write_text(text)
    return 0


if __name__ == "__main__":
    raise SystemExit(main(take_arguments()))
