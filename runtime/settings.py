"""`python -m runtime.settings --check`: every setting, or every wrong one."""

from __future__ import annotations

import sys

from runtime.app.entry import run
from runtime.config.settings import main

if __name__ == "__main__":
    sys.exit(run(main))
