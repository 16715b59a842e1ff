"""The exchanges' side of the protocols, served on loopback: the demo, the tests, the faults."""

from __future__ import annotations

from producers.simulator.config import Options, SimulatorConfig
from producers.simulator.faults import Fault
from producers.simulator.hub import Heartbeat
from producers.simulator.server import Simulator

__all__ = ["Fault", "Heartbeat", "Options", "Simulator", "SimulatorConfig"]
