"""`python -m runtime.doctor`: what is wrong with a machine, a running copy or a cluster, each with its fix."""

from __future__ import annotations

import sys

from runtime.app import entry

if __name__ == "__main__":
    entry.begin()

from deploy.doctor.command_line import main

if __name__ == "__main__":
    sys.exit(entry.run(main))
