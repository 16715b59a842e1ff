"""What makes an archive whole, what it is refused for, and the order in which it is made. No servers."""

from __future__ import annotations

import asyncio
import os
import signal
from pathlib import Path

import pytest

from contracts import streams
from deploy.backup.archive import (
    batches,
    new_archive,
    open_archive,
    read_documents,
    writing_documents,
)
from deploy.backup.command_line import main, until_interrupted
from deploy.backup.keys import Key, decide_keys
from deploy.backup.manifest import NAME, ArchiveError, Manifest, SavedCollection, SavedFile, SavedKey
from deploy.backup.saving import plan_order
from runtime.nats.streams.config import bucket_config, stream_config
from runtime.pepper import FILE
from runtime.provision import declared

DOCUMENTS = [b"\x05\0\0\0\0", b"\x0c\0\0\0\x10a\0\x01\0\0\0\0"]


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    target = tmp_path / "archive"
    with new_archive(target) as draft:
        with writing_documents(draft, "documents/users.bson.gz") as add:
            for document in DOCUMENTS:
                add(document)
        saved = SavedCollection(
            name="users",
            file=draft.written("documents/users.bson.gz"),
            documents=2,
            indexes=({"key": {"b": 1, "a": 1}},),
        )
        draft.finish(manifest(saved))
    return target


def manifest(*collections: SavedCollection) -> Manifest:
    return Manifest(
        format=1,
        began_at="2026-01-02T03:04:05Z",
        ended_at="2026-01-02T03:04:06Z",
        mode="run",
        versions={"documents": "8"},
        streams=(),
        documents_at="2026-01-02T03:04:05Z",
        collections=collections,
        keys=(),
        left_out={},
    )


def test_what_is_written_is_read(archive: Path) -> None:
    found = open_archive(archive)
    assert list(read_documents(archive / found.collections[0].file.path)) == DOCUMENTS
    assert list(found.collections[0].indexes[0]["key"]) == ["b", "a"]  # the order of a compound index's fields
    assert [path.name for path in archive.parent.iterdir()] == ["archive"]
    assert archive.stat().st_mode & 0o777 == 0o700
    assert {path.stat().st_mode & 0o777 for path in archive.rglob("*") if path.is_file()} == {0o600}


def test_an_archive_is_never_written_over(archive: Path) -> None:
    with pytest.raises(FileExistsError, match="is there already"), new_archive(archive):
        pass


@pytest.mark.parametrize("raised", [OSError("No space left on device"), KeyboardInterrupt(), RuntimeError()])
def test_an_archive_that_was_broken_off_is_none(tmp_path: Path, raised: BaseException) -> None:
    with pytest.raises(type(raised)):
        break_off(tmp_path / "archive", raised)
    assert list(tmp_path.iterdir()) == []


def break_off(target: Path, raised: BaseException) -> None:
    with new_archive(target) as draft, draft.writing("documents/a.bson.gz") as file:
        file.write(b"x")
        raise raised


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_leaves_no_archive(tmp_path: Path, number: signal.Signals) -> None:
    async def save() -> None:
        with new_archive(tmp_path / "archive"):
            os.kill(os.getpid(), number)
            await asyncio.sleep(30)

    assert asyncio.run(until_interrupted(save())) == 130
    assert list(tmp_path.iterdir()) == []


def test_a_draft_of_a_process_that_was_killed_is_no_archive(tmp_path: Path) -> None:
    making = new_archive(tmp_path / "archive")
    draft = making.__enter__()  # and never left
    with draft.writing("documents/a.bson.gz") as file:
        file.write(b"x")
    assert not (tmp_path / "archive").exists()
    with pytest.raises(ArchiveError, match="not finished"):
        open_archive(draft.directory)


def flip(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)


@pytest.mark.parametrize(
    ("harm", "said"),
    [
        (lambda path: (path / "documents/users.bson.gz").unlink(), "collection users: .* is missing"),
        (lambda path: flip(path / "documents/users.bson.gz"), "collection users: .* another checksum"),
        (lambda path: (path / "documents/users.bson.gz").write_bytes(b""), "collection users: .* has 0 bytes"),
        (lambda path: (path / NAME).unlink(), "no manifest.json"),
        (lambda path: (path / NAME).write_bytes((path / NAME).read_bytes()[:-20]), "cut off"),
        (lambda path: (path / NAME).write_text("[]"), "no manifest of a backup"),
        (lambda path: replace(path / NAME, '"format": 1', '"format": 2'), "format 2 is not known"),
        (lambda path: replace(path / NAME, '"documents": 2', '"documents": 3'), "checksum is another one"),
    ],
)
def test_the_part_at_fault_is_named(archive: Path, harm, said: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", str(archive)]) == 0
    harm(archive)
    with pytest.raises(ArchiveError, match=said):
        open_archive(archive)
    assert main(["check", str(archive)]) == 1
    assert len(capsys.readouterr().err.splitlines()) == 1


def replace(path: Path, old: str, new: str) -> None:
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1 if "format" in old else -1))


def test_a_file_outside_of_the_archive_is_refused(tmp_path: Path) -> None:
    outside = SavedFile(path="../secret", bytes=0, sha256="")
    with new_archive(tmp_path / "archive") as draft:
        draft.finish(manifest(SavedCollection(name="users", file=outside, documents=0, indexes=())))
    with pytest.raises(ArchiveError, match="outside"):
        open_archive(tmp_path / "archive")


def test_documents_that_are_cut_off_are_refused(tmp_path: Path) -> None:
    with new_archive(tmp_path / "archive") as draft:
        with writing_documents(draft, "a.bson.gz") as add:
            add(DOCUMENTS[1][:-3])
        with pytest.raises(ArchiveError, match=r"a\.bson\.gz: a document is cut off"):
            list(read_documents(draft.directory / "a.bson.gz"))
        draft.finish(manifest())


def test_batches_are_bounded_in_documents_and_bytes() -> None:
    assert list(batches([b"12"] * 5, 2, 1000)) == [[b"12"] * 2, [b"12"] * 2, [b"12"]]
    assert list(batches([b"12"] * 4, 1000, 4)) == [[b"12"] * 2] * 2


def test_readers_places_come_first_and_what_came_of_jobs_last() -> None:
    plan = declared(synced=True)
    names = [stream_config(spec)["name"] for spec in plan.streams] + [
        bucket_config(spec)["name"] for spec in plan.buckets
    ]
    before, after = plan_order(names)
    assert sorted(before + after) == sorted(names)
    assert set(before) == {name for name in names if name.startswith("KV_")} - {"KV_LEASES"}
    order = [streams.LIQUIDATIONS, streams.SIGNALS, streams.OWN_ALERTS, streams.TRADING, streams.JOBS, streams.TELEGRAM]
    assert [name for name in after if name in order] == order


def saved(key: Key, *, whole: bool) -> SavedKey:
    file = SavedFile(path=f"keys/{key.name}", bytes=1, sha256="") if whole else None
    return SavedKey(name=key.name, fingerprint=key.fingerprint, file=file)


MINE, OTHER = Key(FILE, b"m" * 64, given=False), Key(FILE, b"o" * 64, given=False)
SET = Key(FILE, b"s" * 64, given=True)


@pytest.mark.parametrize(
    ("here", "whole", "replacing", "written"),
    [(MINE, False, False, False), (MINE, True, True, False), (None, True, False, True), (OTHER, True, True, True)],
)
def test_a_key_that_is_lost_is_written_where_the_archive_has_it(
    here: Key | None, whole: bool, replacing: bool, written: bool
) -> None:
    present = {} if here is None else {FILE: here}
    found = decide_keys([saved(MINE, whole=whole)], present, replace=replacing)
    assert [key.name for key in found] == ([FILE] if written else [])


@pytest.mark.parametrize(
    ("here", "whole", "replacing", "said"),
    [
        (None, False, True, "put the file into the data directory, or set HYDROPHONE_KEY_PEPPER"),
        (OTHER, False, True, "put it back"),
        (OTHER, True, False, "put it back"),
        (SET, True, True, "HYDROPHONE_KEY_PEPPER is another one"),
    ],
)
def test_what_would_not_open_is_not_restored(here: Key | None, whole: bool, replacing: bool, said: str) -> None:
    with pytest.raises(ArchiveError, match=said):
        decide_keys([saved(MINE, whole=whole)], {} if here is None else {FILE: here}, replace=replacing)


def test_a_fingerprint_says_nothing_of_its_key() -> None:
    assert MINE.fingerprint != OTHER.fingerprint
    assert "m" * 4 not in MINE.fingerprint
