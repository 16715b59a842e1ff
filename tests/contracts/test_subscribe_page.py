"""docs/SUBSCRIBE.md: its tables have every field and subject, and its first example works as printed."""

from __future__ import annotations

import asyncio
import re
import sys
from pathlib import Path

import nats as client
import pytest

from contracts.codec import EVENTS
from contracts.market import Event
from contracts.schema.asyncapi import subject_of
from contracts.streams import STREAMS
from contracts.subjects import TRADE, WHALE
from runtime import provision
from runtime.nats.bus import Bus, BusOptions
from runtime.servers.embedded import NatsServer, nats_server

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "SUBSCRIBE.md").read_text()
SECTIONS = {part.split("\n", 1)[0].strip(): part for part in re.split(r"^###? ", PAGE, flags=re.MULTILINE)[1:]}
FIRST = re.compile(r"^\| ((?:`\w+`(?:, )?)+) \|", re.MULTILINE)


def fields_of(section: str) -> list[str]:
    return [name for row in FIRST.findall(SECTIONS[section]) for name in re.findall(r"`(\w+)`", row)]


def rows(section: str) -> list[list[str]]:
    return [
        [cell.strip() for cell in line.strip("|").split("|")] for line in SECTIONS[section].splitlines() if "|" in line
    ]


@pytest.mark.docs
@pytest.mark.parametrize("kind", sorted(EVENTS))
def test_table_of_an_event_has_its_fields(kind: str) -> None:
    own = [name for name in EVENTS[kind].model_fields if name not in Event.model_fields]
    found = fields_of(kind)
    assert sorted(found) == sorted(own)
    assert sorted(fields_of("event")) == sorted(Event.model_fields)


@pytest.mark.docs
@pytest.mark.parametrize("kind", sorted(EVENTS))
def test_table_of_subjects_has_the_event_with_its_stream(kind: str) -> None:
    model = EVENTS[kind]
    across = {"cluster": "all.<BASE>.USD.any", "storm": "all.<BASE>.USD.any"}
    named = re.sub(
        r"{(\w+)}",
        lambda found: f"<{found[1].upper() if found[1] in {'base', 'quote'} else found[1]}>",
        subject_of(model),
    )
    if kind in across:
        named = named.split("<")[0] + across[kind]
    ((_, event, stream),) = [row for row in rows("Subjects") if row[0] == f"`{named}`"]
    assert event == f"[{model.__name__}](#{kind})"
    prefix = named.split("<")[0]
    kept = [(spec.name, item.rstrip(">")) for spec in STREAMS for item in spec.subjects]
    held = {name for name, item in kept if prefix.startswith(item) or item.startswith(prefix)}
    assert held
    assert all(name in stream for name in held)


@pytest.mark.docs
async def test_first_example_prints_what_is_published(nats: NatsServer, tmp_path: Path) -> None:
    code = SECTIONS["Five lines"].split("```python\n")[1].split("```")[0]
    assert len(code.strip().splitlines()) == 5
    script = tmp_path / "example.py"
    script.write_text(code.replace("nats://subscriber:<password>@127.0.0.1:<port>", nats.subscriber_url))
    bus = await client.connect(nats.url)
    child = await asyncio.create_subprocess_exec(sys.executable, "-u", str(script), stdout=asyncio.subprocess.PIPE)
    assert child.stdout is not None
    subject = f"{TRADE}example.BTC.USDT.spot"
    printed = asyncio.ensure_future(child.stdout.readline())
    try:
        async with asyncio.timeout(20):
            while not printed.done():
                await bus.publish(subject, b'{"price":"91000.10"}')
                await asyncio.wait([printed], timeout=0.1)
    finally:
        child.kill()
        await child.wait()
        await bus.close()
    assert printed.result().decode() == f'{subject} {{"price":"91000.10"}}\n'


@pytest.mark.docs
async def test_example_of_reading_a_stream_goes_on_where_it_stopped(tmp_path: Path) -> None:
    code = SECTIONS["Reading streams"].split("```python\n")[1].split("```")[0]
    async with nats_server(tmp_path) as server:
        script = tmp_path / "example.py"
        code = code.replace("nats://subscriber:<password>@127.0.0.1:<port>", server.subscriber_url)
        script.write_text(f"import asyncio, nats\n{code}\nasyncio.run(main())\n")
        bus = await Bus(BusOptions(servers=(server.url,), name="test")).connect()
        await provision.apply(bus, provision.declared(synced=True))
        js = bus.jetstream()
        await js.publish(f"{WHALE}okx.BTC.USDT.perp", b"first")
        child = await asyncio.create_subprocess_exec(sys.executable, "-u", str(script), stdout=asyncio.subprocess.PIPE)
        assert child.stdout is not None
        try:
            async with asyncio.timeout(20):
                assert (await child.stdout.readline()).split()[1] == b"first"
                await js.publish(f"{WHALE}okx.BTC.USDT.perp", b"second")
                assert (await child.stdout.readline()).split()[1] == b"second"
        finally:
            child.kill()
            await child.wait()
            await bus.close()
