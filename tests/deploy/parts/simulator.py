"""A simulator that is ready at once."""

from __future__ import annotations

import json
import signal
import sys
from pathlib import Path

Path(sys.argv[2]).write_text(json.dumps({"port": int(sys.argv[1])}))
signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
while True:
    signal.pause()
