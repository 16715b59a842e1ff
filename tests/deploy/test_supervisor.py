"""The supervisor with real child processes: order, restarts, stops that leave nothing behind."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import replace
from pathlib import Path

import pytest

from deploy.supervisor import FIRST_DELAY, LONGEST_DELAY, Part, StartError, Supervisor, backoff
from runtime.servers.embedded import free_port

Eventually = Callable[..., Awaitable[None]]


def python(name: str, code: str, **more: object) -> Part:
    return Part(name, (sys.executable, "-c", code), dict(os.environ), **more)  # pyright: ignore[reportArgumentType]


def alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    stat = Path(f"/proc/{pid}/stat")
    return not stat.exists() or stat.read_text().rsplit(")", 1)[1].split()[0] != "Z"


@pytest.fixture
async def said() -> list[str]:
    """What the supervisor told people."""
    return []


@pytest.fixture
async def supervisor(tmp_path: Path, said: list[str]) -> AsyncIterator[Supervisor]:
    made = Supervisor(tmp_path / "logs", tmp_path, said.append, grace_seconds=2.0)
    yield made
    await made.stop()


FOREVER = "import time\nwhile True: time.sleep(1)"


async def test_start_returns_when_the_part_is_ready(supervisor: Supervisor, tmp_path: Path) -> None:
    flag = tmp_path / "flag"
    code = f"import time, pathlib; time.sleep(0.3); pathlib.Path({str(flag)!r}).write_text('x'); time.sleep(60)"

    async def ready() -> None:
        flag.stat()

    await supervisor.start(python("slow", code, ready=ready))
    assert flag.exists()
    assert set(supervisor.pids()) == {"slow"}


async def test_part_that_ends_is_started_again_and_that_is_said(
    supervisor: Supervisor, said: list[str], eventually: Eventually
) -> None:
    changes: list[int] = []
    supervisor.on_change = lambda: changes.append(1)
    await supervisor.start(python("worker", FOREVER))
    first = supervisor.pids()["worker"]
    os.kill(first, signal.SIGKILL)
    await eventually(lambda: bool(changes))
    assert supervisor.pids()["worker"] != first
    assert any("worker ended with signal SIGKILL" in line for line in said)
    assert any("worker runs again" in line for line in said)


async def test_one_shot_that_fails_stops_the_start_with_its_last_words(supervisor: Supervisor) -> None:
    with pytest.raises(StartError, match=r"(?s)provision ended with code 3.*no such stream"):
        await supervisor.start(python("provision", "print('no such stream'); raise SystemExit(3)", once=True))


async def test_one_shot_that_never_ends_is_an_error(supervisor: Supervisor) -> None:
    with pytest.raises(StartError, match="not done in"):
        await supervisor.start(python("provision", FOREVER, once=True, start_seconds=0.3))


async def test_part_that_keeps_ending_before_it_is_ready_is_an_error(supervisor: Supervisor) -> None:
    async def never() -> None:
        raise OSError("refused")

    with pytest.raises(StartError, match=r"(?s)api ended 3 times.*boom"):
        await supervisor.start(python("api", "raise SystemExit('boom')", ready=never))


async def test_part_that_is_never_ready_is_an_error_that_says_why(supervisor: Supervisor) -> None:
    async def never() -> None:
        raise OSError("refused")

    with pytest.raises(StartError, match=r"api was not ready.*refused"):
        await supervisor.start(python("api", FOREVER, ready=never, start_seconds=0.3))


def noting(path: Path, name: str) -> str:
    """A program that appends its name to a file when it is told to stop."""
    return (
        "import signal, sys, time\n"
        f"def end(*_):\n    open({str(path)!r}, 'a').write({name + chr(10)!r}); sys.exit(0)\n"
        "signal.signal(signal.SIGTERM, end)\n"
        "print('up', flush=True)\n" + FOREVER.partition("\n")[2]
    )


async def test_stop_is_in_reverse_order(supervisor: Supervisor, tmp_path: Path, eventually: Eventually) -> None:
    order = tmp_path / "order"
    for name in ("bus", "producers", "api"):
        await supervisor.start(python(name, noting(order, name)))
        await eventually(lambda name=name: "up" in supervisor.log_path(name).read_text())
    await supervisor.stop()
    assert order.read_text().split() == ["api", "producers", "bus"]


async def test_part_that_ignores_sigterm_is_killed_with_its_children(
    supervisor: Supervisor, said: list[str], eventually: Eventually
) -> None:
    supervisor.grace_seconds = 0.3
    code = (
        "import signal, subprocess, sys, time\n"
        "signal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
        "child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(300)'])\n"
        "print(child.pid, flush=True)\n" + FOREVER.partition("\n")[2]
    )
    await supervisor.start(python("stubborn", code))
    await eventually(lambda: supervisor.log_path("stubborn").read_text().strip().isdigit())
    pids = [supervisor.pids()["stubborn"], int(supervisor.log_path("stubborn").read_text())]
    await supervisor.stop()
    await eventually(lambda: not any(alive(pid) for pid in pids))
    assert any("stubborn did not stop" in line for line in said)


async def test_stop_while_a_restart_is_awaited_starts_nothing(
    supervisor: Supervisor, said: list[str], eventually: Eventually
) -> None:
    await supervisor.start(python("worker", "raise SystemExit(1)"))
    await eventually(lambda: any("ended with code 1" in line for line in said))
    began = time.monotonic()
    await asyncio.wait_for(supervisor.stop(), 5)
    assert supervisor.pids() == {}
    assert time.monotonic() - began < 5


async def test_part_that_cannot_be_spawned_is_tried_again(
    supervisor: Supervisor, said: list[str], eventually: Eventually, tmp_path: Path
) -> None:
    program = tmp_path / "program"
    program.symlink_to(sys.executable)
    await supervisor.start(Part("worker", (str(program), "-c", FOREVER), dict(os.environ)))
    program.unlink()
    os.kill(supervisor.pids()["worker"], signal.SIGKILL)
    await eventually(lambda: any("could not be started" in line for line in said))
    program.symlink_to(sys.executable)
    supervisor.hurry()
    await eventually(lambda: "worker" in supervisor.pids())


async def test_hurry_starts_at_once_what_waits_for_its_next_start(
    supervisor: Supervisor, said: list[str], eventually: Eventually, tmp_path: Path
) -> None:
    marks = tmp_path / "marks"
    await supervisor.start(python("worker", f"open({str(marks)!r}, 'a').write('x'); raise SystemExit(1)"))
    await eventually(lambda: sum("ended with" in line for line in said) >= 3)  # it waits two seconds now, or more
    count = len(marks.read_text())
    began = time.monotonic()
    supervisor.hurry()
    await eventually(lambda: len(marks.read_text()) > count)
    assert time.monotonic() - began < 1.0


async def test_restart_that_was_asked_for_needs_no_wait_and_is_no_failure(
    supervisor: Supervisor, said: list[str], eventually: Eventually
) -> None:
    await supervisor.start(python("worker", FOREVER))
    first = supervisor.pids()["worker"]
    await supervisor.restart("worker")
    await eventually(lambda: supervisor.pids().get("worker") not in {None, first})
    assert not any("again in" in line for line in said)


def answering(port: int, pids: Path, *, once_killed: float = 0.0) -> Part:
    """A server that notes its pid and answers; its second process begins to after so many seconds."""
    code = (
        "import os, pathlib, socket, time\n"
        f"pids = pathlib.Path({str(pids)!r})\n"
        "again = pids.exists()\n"
        "with pids.open('a') as file: print(os.getpid(), file=file)\n"
        f"if again: time.sleep({once_killed})\n"
        f"server = socket.create_server(('127.0.0.1', {port}))\n"
        "while True: server.accept()[0].send(b'x')\n"
    )

    async def answers() -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        try:
            await reader.readexactly(1)
        finally:
            writer.close()

    return python("server", code, ready=answers, alive=answers)


async def test_part_that_no_longer_answers_is_killed_and_started_again(
    supervisor: Supervisor, said: list[str], eventually: Eventually, tmp_path: Path
) -> None:
    supervisor.asked_every = 0.1
    await supervisor.start(answering(free_port(), tmp_path / "pids"))
    os.kill(supervisor.pids()["server"], signal.SIGSTOP)
    await eventually(lambda: "server runs again" in said)
    assert said[0] == "server did not answer for 1 s and is killed"
    assert said[1].startswith("server ended with signal SIGKILL")


async def test_part_that_answers_again_in_time_is_left_alone(
    supervisor: Supervisor, said: list[str], tmp_path: Path
) -> None:
    supervisor.asked_every = 0.3
    await supervisor.start(answering(free_port(), tmp_path / "pids"))
    for _ in range(3):  # 2.7 s without an answer in all, at most four questions in a row
        os.kill(supervisor.pids()["server"], signal.SIGSTOP)
        await asyncio.sleep(0.9)
        os.kill(supervisor.pids()["server"], signal.SIGCONT)
        await asyncio.sleep(0.9)
    assert said == []


async def test_part_that_was_started_again_has_as_long_as_at_first_until_it_answers(
    supervisor: Supervisor, said: list[str], eventually: Eventually, tmp_path: Path
) -> None:
    supervisor.asked_every = 0.05
    part = answering(free_port(), tmp_path / "pids", once_killed=1.5)
    assert part.ready is not None
    await supervisor.start(part)
    for _ in range(2):  # the second time, too: what it answered in between does not count
        os.kill(supervisor.pids()["server"], signal.SIGKILL)
        await eventually(lambda: len((tmp_path / "pids").read_text().split()) > 1)
        while True:
            try:
                await part.ready()
            except OSError:
                await asyncio.sleep(0.05)
            else:
                break
    assert len((tmp_path / "pids").read_text().split()) == 3
    assert not any("did not answer" in line for line in said)


async def test_part_that_does_not_come_up_again_is_killed_after_the_time_of_a_start(
    supervisor: Supervisor, said: list[str], eventually: Eventually, tmp_path: Path
) -> None:
    supervisor.asked_every = 0.05
    part = replace(answering(free_port(), tmp_path / "pids", once_killed=60.0), start_seconds=1.0)
    await supervisor.start(part)
    os.kill(supervisor.pids()["server"], signal.SIGKILL)
    await eventually(lambda: "server did not answer for 1 s and is killed" in said)
    await eventually(lambda: len((tmp_path / "pids").read_text().split()) > 2)


def test_delay_doubles_up_to_a_limit_and_is_spread() -> None:
    assert [backoff(n, 0.5) for n in (1, 2, 3)] == [FIRST_DELAY, 2 * FIRST_DELAY, 4 * FIRST_DELAY]
    assert backoff(50, 0.5) == LONGEST_DELAY
    assert backoff(1, 0.0) < backoff(1, 0.99)
