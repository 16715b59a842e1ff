"""A launcher whose parts are stand-ins: `python tests/deploy/stand_in.py PROCFILE demo|run`."""

from __future__ import annotations

import sys
from pathlib import Path

from deploy import launch

launch.PROCFILE = Path(sys.argv[1])  # pyright: ignore[reportAttributeAccessIssue]
sys.exit(launch.main(sys.argv[2:]))
