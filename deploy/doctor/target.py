"""What is looked at: a running copy (its run.json), a bus of the settings, or a bare machine. Opens nothing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, cast

from pydantic import SecretStr

from deploy.parts import DEMO_TOKEN
from runtime.config.options import bus_options
from runtime.config.settings import Settings
from runtime.nats.bus import BusOptions

Kind = Literal["copy", "bus", "machine"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """One system, and where its sides are; None is what it does not have, or what is not known.

    `venues` are those that are to be followed, with the addresses that replace their own in `venue_urls`; `named` that
    the settings, or a copy, name them; `sandbox` that their public test networks are. `pids` by part.
    """

    kind: Kind
    data: Path
    mode: str | None = None
    bus: BusOptions | None = None
    replicas: int = 1
    monitors: tuple[str, ...] = ()
    trusted: bool = False
    documents: str | None = None
    api: str | None = None
    telegram: str
    token: str | None = None
    venues: tuple[str, ...]
    named: bool = False
    sandbox: bool = False
    venue_urls: Mapping[str, str] = field(default_factory=dict[str, str])
    pids: Mapping[str, int] = field(default_factory=dict[str, int])

    @property
    def name(self) -> str:
        """The system in words."""
        if self.kind == "copy":
            return f"the copy of `make {self.mode}` in {self.data}"
        return f"the bus {self.bus.places()}" if self.bus is not None else "this machine (nothing runs here)"


def find_target(settings: Settings, data: Path, run: Mapping[str, Any] | None) -> Target:
    """Return what to look at: the copy of `run` (what its run.json says), else NATS_URL, else the machine.

    KeyError and TypeError where `run` lacks what a run.json has.
    """
    if run is not None:
        return _find_copy(settings, data, run)
    url, token = settings.store.url, settings.telegram.token
    known = settings.bus.url is not None
    return Target(
        kind="bus" if known else "machine",
        data=data,
        bus=bus_options(settings.bus, "doctor") if known else None,
        replicas=settings.bus.replicas,
        monitors=tuple(settings.bus.monitor_urls),
        trusted=settings.bus.trust_sync,
        documents=None if url is None else url.get_secret_value(),
        api=settings.api.public_url if known else None,
        telegram=settings.telegram.api_base_url,
        token=None if token is None else token.get_secret_value(),
        venues=tuple(settings.venues.venues),
        named="venues" in settings.venues.model_fields_set,
        sandbox=settings.venues.sandbox,
        venue_urls=settings.venues.rest_urls,
    )


def _find_copy(settings: Settings, data: Path, run: Mapping[str, Any]) -> Target:
    own = settings.bus.url is None
    bus = settings.bus.model_copy(update={"url": SecretStr(run["nats"]["admin_url"])})
    monitor = run["nats"].get("monitor_url")
    token = settings.telegram.token
    demo = run["mode"] == "demo"
    venues = tuple(settings.venues.venues)
    simulated = {venue: f"{run['simulator']['url']}/{venue}" for venue in venues} if demo else {}
    return Target(
        kind="copy",
        data=data,
        mode=run["mode"],
        bus=bus_options(bus, "doctor"),
        replicas=1 if own else settings.bus.replicas,
        monitors=(monitor,) if monitor is not None else tuple(settings.bus.monitor_urls),
        trusted=settings.bus.trust_sync,
        documents=run["documents"]["url"],
        api=run["api"]["url"],
        telegram=run["telegram"]["url"] if demo else settings.telegram.api_base_url,
        token=DEMO_TOKEN if demo else None if token is None else token.get_secret_value(),
        venues=venues,
        named=True,
        sandbox=settings.venues.sandbox,
        venue_urls=simulated or settings.venues.rest_urls,
        pids={name: int(pid) for name, pid in cast("Mapping[str, Any]", run["pids"]).items()},
    )
