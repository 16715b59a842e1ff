"""A small real filesystem to fill: an ext4 image on a loop device, for tests that run as root on Linux."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

import pytest


@contextmanager
def small_disk(directory: Path, megabytes: int) -> Generator[Path]:
    """Give the mount point of a new filesystem of that size; the test is skipped where none can be mounted."""
    if sys.platform != "linux" or os.geteuid() != 0 or shutil.which("mkfs.ext4") is None:
        pytest.skip("mounting a filesystem to fill needs Linux, root and mkfs.ext4")
    image, place = directory / "disk.img", directory / "disk"
    image.touch()
    os.truncate(image, megabytes * 1_000_000)
    place.mkdir()
    subprocess.run(["mkfs.ext4", "-q", "-m", "0", image], check=True)
    mounted = subprocess.run(["mount", "-o", "loop", image, place], capture_output=True, text=True, check=False)
    if mounted.returncode != 0:
        pytest.skip(f"no filesystem can be mounted here: {mounted.stderr.strip()}")
    try:
        yield place
    finally:
        subprocess.run(["umount", "-l", place], check=True)


def fill(place: Path) -> Path:
    """Take every free block and return the file to delete when there is to be room again."""
    path = place / "fill"
    with path.open("wb", buffering=0) as file:
        size = shutil.disk_usage(place).free
        while size > 4096:
            try:
                os.posix_fallocate(file.fileno(), file.seek(0, os.SEEK_END), size)
            except OSError:
                size //= 2
        while True:
            try:
                file.write(bytes(512))
            except OSError:
                return path
