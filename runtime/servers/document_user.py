"""What the embedded document server's store holds before it starts: its one user, and how large its log's buffers are.

With the user in it, it never runs open.
"""

from __future__ import annotations

import os
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Final

USER: Final = "hydrophone"
PASSWORD: Final = "DOCUMENT_PASSWORD"  # noqa: S105  # the variable's name
# Each of the 128 buffers of its storage engine's log is a tenth of a log's file, at most 256 kB, and stays in memory as
# far as it was ever written to: by what files of 10 MB, 1 MB and 250 kB took (docs/decisions/0261).
LOG_FILE: Final = "250KB"
ENGINE_FILE: Final = "WiredTiger.config"  # goes before what the server asks for (so says a store's WiredTiger.basecfg)
_SECONDS: Final = 60.0


def find_document_python() -> str | None:
    """Return the Python of the document server: this one, else that of `documents` in this environment; or None."""
    if find_spec("secantus") is not None:
        return sys.executable
    beside = Path(sys.prefix) / "documents" / "bin" / "python"  # made by deploy/venv.sh where this Python is too new
    return str(beside) if beside.exists() else None


def user_command(storage: Path) -> list[str]:
    """Return the argv that writes the user into a store; FileNotFoundError where no Python here has the server."""
    python = find_document_python()
    if python is None:
        raise FileNotFoundError("no document server: hydrophone[embedded] has it for Python 3.11 to 3.13")
    return [python, "-m", "runtime.servers.document_user", str(storage)]


def set_password(storage: Path, password: str) -> None:
    """Create the user or change its password; the server must not be running. OSError when the store refuses.

    In a process of its own: the store's library keeps its files open for as long as the process lives.
    """
    done = subprocess.run(
        user_command(storage),
        env={**os.environ, PASSWORD: password},
        cwd=Path(__file__).resolve().parents[2],
        capture_output=True,
        timeout=_SECONDS,
        check=False,
        text=True,
    )
    if done.returncode != 0:
        last = (done.stderr.strip().splitlines() or ["no message"])[-1]
        raise OSError(f"the document store in {storage} takes no user: {last}")


def main(arguments: list[str]) -> int:
    """Write user and bounds into the store at `arguments[0]`; 2 where it or the environment's password is missing."""
    if len(arguments) != 1 or PASSWORD not in os.environ:
        sys.stderr.write(f"usage: {PASSWORD}=… python -m runtime.servers.document_user STORE\n")
        return 2
    from secantus.auth import SCRAM_SHA_256, derive_credentials  # noqa: PLC0415  # only where it is embedded
    from secantus.storage import Storage  # noqa: PLC0415

    storage = Path(arguments[0])
    storage.mkdir(parents=True, exist_ok=True, mode=0o700)
    (storage / ENGINE_FILE).write_text(f"log=(file_max={LOG_FILE})\n")
    store = Storage(arguments[0], sync_on_commit=True)
    credentials = derive_credentials(os.environ[PASSWORD], mechanism=SCRAM_SHA_256, username=USER).to_doc()
    record = {
        "_id": f"admin.{USER}",
        "user": USER,
        "db": "admin",
        "credentials": credentials,
        "roles": [{"role": "root", "db": "admin"}],
        "mechanisms": [SCRAM_SHA_256],
    }
    store.add_user("admin", USER, record, replace=True)
    store.close()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
