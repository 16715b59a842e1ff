"""The checks of a target: each gathers its facts and has them judged."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import httpx

from deploy.doctor import judging, judging_bus
from deploy.doctor.facts import ClockFact
from deploy.doctor.faults import Finding
from deploy.doctor.looking import bus as bus_facts
from deploy.doctor.looking import machine, outside
from deploy.doctor.running import Check
from deploy.doctor.target import Target
from producers.registry import VENUES
from runtime import clock
from runtime.config.settings import Settings
from runtime.nats.bus import Bus, BusOptions
from runtime.pepper import APP_SECRET_FILE
from runtime.provision import Plan, declared
from runtime.store import StoreError

AGAIN_SECONDS: Final = 1.5  # a cache or a producer that was held up for a moment has gone on by then
OnBus = Callable[[Bus], Awaitable[list[Finding]]]


@dataclass
class Connection:
    """The one connection to the bus that all checks share; it is made by the first one that needs it."""

    options: BusOptions
    _made: asyncio.Task[Bus] | None = field(default=None, init=False)

    async def get(self) -> Bus:
        """Return it; CannotConnectError where it cannot be made."""
        if self._made is None:
            self._made = asyncio.create_task(bus_facts.connect(self.options), name="connect")
        return await asyncio.shield(self._made)

    async def close(self) -> None:
        """Close it, where it was made."""
        if self._made is None:
            return
        if self._made.done() and not self._made.cancelled() and self._made.exception() is None:
            await self._made.result().close(timeout=1.0)
        self._made.cancel()


@dataclass(frozen=True)
class Checks:
    """Every check of one target; what they have in common is opened by whoever runs them."""

    target: Target
    settings: Settings
    http: httpx.AsyncClient
    near: httpx.AsyncClient  # for what is on this machine or of our own, without a proxy
    connection: Connection | None

    def list(self) -> list[Check]:
        """Return those that this target has."""
        checks = [
            Check("settings", self.check_settings),
            Check("data directory", self.check_data),
            Check("certificates", self.check_certificates),
            Check("exchanges", self.check_venues),
        ]
        target = self.target
        if target.kind == "machine":
            checks.append(Check("ports", self.check_ports))
        if target.kind == "copy":
            checks.append(Check("parts", self.check_copy))
        if target.token is not None:
            checks.append(Check("telegram", self.check_telegram))
        if target.documents is not None:
            checks += [Check("documents", self.check_documents), Check("keys", self.check_keys)]
        if target.api is not None:
            checks.append(Check("api", self.check_api))
        if target.bus is not None:
            checks += self._list_bus()
        return checks

    def _list_bus(self) -> list[Check]:
        plan = self._plan()

        async def items(bus: Bus) -> list[Finding]:
            return judging_bus.judge_items(await bus_facts.look_at_items(bus, plan))

        async def durables(bus: Bus) -> list[Finding]:
            return judging_bus.judge_durables(await bus_facts.look_at_durables(bus, plan.durables), clock.now_ns())

        async def letters(bus: Bus) -> list[Finding]:
            return judging_bus.judge_letters(await bus_facts.look_at_letters(bus))

        async def pauses(bus: Bus) -> list[Finding]:
            return judging.judge_pauses(await bus_facts.look_at_pauses(bus), clock.now_ns())

        async def feeds(bus: Bus) -> list[Finding]:
            followed = self.target.venues if self.target.named else ()
            first = await bus_facts.look_at_feeds(bus)
            found = judging_bus.judge_feeds(first, followed)
            if not found or first is None:
                return found
            await clock.sleep(AGAIN_SECONDS)
            return judging_bus.keep_lasting(
                found, judging_bus.judge_feeds(await bus_facts.look_at_feeds(bus), followed)
            )

        async def time(bus: Bus) -> list[Finding]:
            seen = await bus_facts.look_at_clock(bus)
            return judging.judge_clock([] if seen is None else [seen])

        looks: dict[str, OnBus] = {
            "streams": items,
            "durables": durables,
            "dead letters": letters,
            "pauses": pauses,
            "feeds": feeds,
            "clock": time,
        }
        checks = [Check("bus", self.check_bus), Check("bus servers", self.check_servers)]
        return checks + [Check(name, self._on_bus(look)) for name, look in looks.items()]

    def _plan(self) -> Plan:
        retention = self.settings.retention.retention()
        return declared(synced=True, replicas=self.target.replicas, retention=retention)

    def _on_bus(self, look: OnBus) -> Callable[[], Awaitable[list[Finding]]]:
        async def run() -> list[Finding]:
            assert self.connection is not None  # noqa: S101  # there is one where the target has a bus
            try:
                bus = await self.connection.get()
            except bus_facts.CannotConnectError:
                return []  # the check of the bus says so
            return await look(bus)

        return run

    async def check_settings(self) -> list[Finding]:
        """Names that no part reads, and what this target needs and is not set."""
        found = judging.judge_settings((), self.settings.warnings)
        found += judging.judge_unknown_venues(self.target.venues, VENUES)
        if self.target.kind == "bus":
            api = self.settings.api
            keys = bool(api.admin_keys or api.api_keys) or not api.require_auth
            found += judging.judge_needed(documents=self.target.documents is not None, keys=keys)
        return found

    async def check_data(self) -> list[Finding]:
        """The data directory and its disk; whether streams fit where a copy would start servers of its own."""
        starts = self.target.kind == "machine"
        kept = self.settings.retention if starts else None
        return judging.judge_data(await asyncio.to_thread(machine.look_at_data, self.target.data, kept))

    async def check_ports(self) -> list[Finding]:
        """Ports that the settings insist on."""
        return judging.judge_ports(machine.look_at_ports(self.settings))

    async def check_copy(self) -> list[Finding]:
        """The processes of a running copy."""
        return judging.judge_copy(machine.look_at_copy(self.target))

    async def check_certificates(self) -> list[Finding]:
        """Certificates in files, and of our own addresses."""
        return judging.judge_certificates(await machine.look_at_certificates(self.settings), clock.now_ns())

    async def check_venues(self) -> list[Finding]:
        """One request to each exchange; what their clocks say of ours."""
        target = self.target
        facts = await outside.look_at_venues(target.venues, target.venue_urls, self.http, sandbox=target.sandbox)
        clocks: list[ClockFact] = [fact.clock for fact in facts if fact.clock is not None]
        return judging.judge_venues(facts) + judging.judge_clock(clocks)

    async def check_telegram(self) -> list[Finding]:
        """The bot's token and its privacy mode, which the demo's bot has as every new bot has it."""
        fact = await outside.look_at_telegram(self.target.telegram, self.target.token or "", self.http)
        return judging.judge_telegram(fact, groups=self.target.mode != "demo")

    async def check_documents(self) -> list[Finding]:
        """The document server."""
        return judging.judge_documents(await outside.look_at_documents(self.target.documents or ""))

    async def check_keys(self) -> list[Finding]:
        """The keys of linked accounts, where there are any."""
        documents = self.target.documents or ""
        try:
            if not await outside.has_keys(documents):
                return []
        except StoreError:
            return []  # the check of the documents says so
        secrets = self.settings.trading.secrets or read_secret(self.target.data)
        return judging.judge_keys(await outside.look_at_keys(documents, secrets, self.target.venue_urls))

    async def check_api(self) -> list[Finding]:
        """The API's readiness."""
        return judging.judge_api(await outside.look_at_api(self.target.api or "", self.near))

    async def check_bus(self) -> list[Finding]:
        """Whether the bus can be connected to."""
        assert self.connection is not None  # noqa: S101  # there is one where the target has a bus
        try:
            await self.connection.get()
        except bus_facts.CannotConnectError as error:
            return judging_bus.judge_connection(self.connection.options.places(), str(error))
        return []

    async def check_servers(self) -> list[Finding]:
        """What the bus servers say of themselves."""
        servers = await bus_facts.look_at_servers(self.target.monitors)
        trusted = self.target.trusted or self.target.kind == "copy"
        return judging_bus.judge_servers(servers, trusted=trusted)


def read_secret(data: Path) -> Sequence[str]:
    """Return the secret that a copy with documents of its own made once in its data directory, if it did."""
    path = data / APP_SECRET_FILE
    return (path.read_text().strip(),) if path.is_file() else ()
