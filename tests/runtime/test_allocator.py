"""The allocator's bounds, in processes of their own: how many pools threads get, and what is given back."""

from __future__ import annotations

import os
import platform
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from runtime.servers.allocator import ALLOCATOR

pytestmark = pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="the allocator is not glibc's")

ROOT = Path(__file__).resolve().parents[2]
_POOLS = textwrap.dedent("""
    import ctypes, os, sys, threading
    from runtime.servers.allocator import bound_allocator

    if sys.argv[1] == "bounded":
        assert bound_allocator(os.environ)
    libc, barrier = ctypes.CDLL(None), threading.Barrier(8)
    libc.malloc.restype = ctypes.c_void_p

    def take():
        barrier.wait()
        libc.malloc(5000)
        barrier.wait()

    threads = [threading.Thread(target=take) for _ in range(8)]
    [thread.start() for thread in threads]
    [thread.join() for thread in threads]
    libc.fdopen.restype = ctypes.c_void_p
    out = ctypes.c_void_p(libc.fdopen(1, b"w"))
    libc.malloc_info(0, out)
    libc.fflush(out)
""")


def pools(how: str, **environ: str) -> int:
    """How many pools of memory eight threads at once have made, bounded or not."""
    plain = {name: value for name, value in os.environ.items() if name not in ALLOCATOR}
    command = [sys.executable, "-c", _POOLS, how]
    said = subprocess.run(command, cwd=ROOT, env={**plain, **environ}, capture_output=True, check=True, text=True)
    return said.stdout.count("<heap nr=")


def test_threads_share_two_pools_unless_the_environment_says_otherwise() -> None:
    assert pools("unbounded") > 4
    assert pools("bounded") == 2
    assert pools("bounded", MALLOC_ARENA_MAX="3") == 3


def test_what_is_freed_raises_no_bound() -> None:
    text = textwrap.dedent("""
        import ctypes, os
        from runtime.servers.allocator import bound_allocator

        assert bound_allocator(os.environ)
        libc = ctypes.CDLL(None)
        libc.malloc.restype, libc.free.argtypes, libc.sbrk.restype = ctypes.c_void_p, [ctypes.c_void_p], ctypes.c_void_p
        libc.free(libc.malloc(20_000_000))
        before = libc.sbrk(0)
        libc.malloc(10_000_000)  # below what was freed: of the heap, where that had raised the bound
        print(libc.sbrk(0) - before)
    """)
    plain = {name: value for name, value in os.environ.items() if name not in ALLOCATOR}
    said = subprocess.run([sys.executable, "-c", text], cwd=ROOT, env=plain, capture_output=True, check=True, text=True)
    assert int(said.stdout) < 1_000_000
