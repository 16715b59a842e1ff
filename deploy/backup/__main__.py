"""`python -m deploy.backup`: backup, restore, and documents moved between servers."""

from __future__ import annotations

import sys

from runtime.app import entry

if __name__ == "__main__":
    entry.begin()

from deploy.backup.command_line import main

if __name__ == "__main__":
    sys.exit(entry.run(main))
